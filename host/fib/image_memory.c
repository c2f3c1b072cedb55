// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/fib/image_memory.h"

#define PAGE_NONE  0xffffffffu
#define PAGE_FREE  0
#define PAGE_ROW   0xffff /* part of a row of pages */
#define BLOCK_NONE 0xffff

/* Emptying fewer pages than this is not worth it, nor is less than a fifth of those in use. */
#define PAGES_WORTH_MOVING 48
#define SHARE_WORTH_MOVING 5

#define LIMBO_ITEMS 1020

struct page {
	__u16 size;  /* units of a block; PAGE_FREE; PAGE_ROW */
	__u16 live;  /* blocks given out, those in limbo too */
	__u16 head;  /* first free block, BLOCK_NONE: none */
	__u16 fresh; /* blocks from here on were never given out */
	bool listed; /* in its size's list of pages that have room */
	bool evict;
	__u32 next, previous;
};

struct array {
	__u8 *base;
	__u32 unit; /* bytes */
	__u32 page_units;
	__u32 pages;
	__u32 first_free; /* no page before it is free */
	struct page *page;
	__u32 *partial;    /* by block size: list of pages that have room */
	__u32 used, limbo; /* units */
	__u32 held;        /* pages in use */
	__u32 row_pages;   /* of these in rows */
};

struct limbo_item {
	__u64 epoch;
	__u32 index;
	__u32 units_array; /* units << 1 | array */
};

/* A queue of blocks in limbo, in pieces so that it grows and shrinks without moving. */
struct limbo_piece {
	struct limbo_piece *next;
	__u32 first, end;
	struct limbo_item item[LIMBO_ITEMS];
};

struct image_memory {
	struct image_store *store;
	struct grace *grace;
	struct array array[IMAGE_ARRAYS];
	struct limbo_piece *oldest, *newest, *spare;
};

/* --- pages --- */

static __u32 *link_word(const struct array *array, __u32 page, __u32 block)
{
	__u32 index = page * array->page_units + block * array->page[page].size;

	return (__u32 *)(array->base + (size_t)index * array->unit);
}

static bool has_room(const struct array *array, const struct page *page)
{
	return page->head != BLOCK_NONE || (page->fresh + 1u) * page->size <= array->page_units;
}

static void list_page(struct array *array, __u32 index)
{
	struct page *page = &array->page[index];
	__u32 *head = &array->partial[page->size];

	page->listed = true;
	page->previous = PAGE_NONE;
	page->next = *head;
	if (*head != PAGE_NONE)
		array->page[*head].previous = index;
	*head = index;
}

static void unlist_page(struct array *array, __u32 index)
{
	struct page *page = &array->page[index];

	page->listed = false;
	if (page->previous != PAGE_NONE)
		array->page[page->previous].next = page->next;
	else
		array->partial[page->size] = page->next;
	if (page->next != PAGE_NONE)
		array->page[page->next].previous = page->previous;
}

static __u32 open_page(struct array *array, __u32 size)
{
	__u32 index = array->first_free;

	while (index < array->pages && array->page[index].size != PAGE_FREE)
		index++;
	array->first_free = index;
	if (index == array->pages)
		return PAGE_NONE;
	array->page[index] = (struct page){ .size = size, .head = BLOCK_NONE };
	array->held++;
	list_page(array, index);
	return index;
}

static void close_page(struct array *array, __u32 index)
{
	if (array->page[index].listed)
		unlist_page(array, index);
	array->page[index] = (struct page){};
	array->held--;
	if (index < array->first_free)
		array->first_free = index;
}

static __u32 take_block(struct array *array, __u32 size)
{
	__u32 index = array->partial[size], block;
	struct page *page;

	if (index == PAGE_NONE)
		index = open_page(array, size);
	if (index == PAGE_NONE)
		return MEMORY_NONE;
	page = &array->page[index];
	if (page->head != BLOCK_NONE) {
		block = page->head;
		page->head = *link_word(array, index, block);
	} else {
		block = page->fresh++;
	}
	page->live++;
	if (!has_room(array, page))
		unlist_page(array, index);
	return index * array->page_units + block * size;
}

static void give_block(struct array *array, __u32 at, __u32 size)
{
	__u32 index = at / array->page_units;
	struct page *page = &array->page[index];
	__u32 block = at % array->page_units / size;

	assert(page->size == size && page->live && at % array->page_units % size == 0);
	if (--page->live == 0) {
		close_page(array, index);
		return;
	}
	*link_word(array, index, block) = page->head;
	page->head = block;
	if (!page->listed && !page->evict)
		list_page(array, index);
}

/* The last row of free pages that is long enough. */
static __u32 take_row(struct array *array, __u32 units)
{
	__u32 pages = units / array->page_units, found = 0, index = array->pages;

	while (found < pages) {
		if (index == array->first_free)
			return MEMORY_NONE;
		found = array->page[--index].size == PAGE_FREE ? found + 1 : 0;
	}
	for (__u32 i = index; i < index + pages; i++)
		array->page[i] = (struct page){ .size = PAGE_ROW };
	array->held += pages;
	array->row_pages += pages;
	return index * array->page_units;
}

static void give_row(struct array *array, __u32 at, __u32 units)
{
	__u32 pages = units / array->page_units, index = at / array->page_units;

	for (__u32 i = index; i < index + pages; i++) {
		assert(array->page[i].size == PAGE_ROW);
		array->page[i] = (struct page){};
	}
	array->held -= pages;
	array->row_pages -= pages;
	if (index < array->first_free)
		array->first_free = index;
}

static void give(struct image_memory *memory, enum image_array which, __u32 index, __u32 units)
{
	struct array *array = &memory->array[which];

	if (units > array->page_units)
		give_row(array, index, units);
	else
		give_block(array, index, units);
}

static int array_new(struct array *array, void *base, __u32 unit, __u32 page_units, __u32 total)
{
	array->base = base;
	array->unit = unit;
	array->page_units = page_units;
	array->pages = total / page_units;
	array->page = calloc(array->pages, sizeof(*array->page));
	array->partial = malloc((page_units + 1) * sizeof(*array->partial));
	if (!array->pages)
		return -ENOSPC;
	if (!array->page || !array->partial)
		return -ENOMEM;
	memset(array->partial, 0xff, (page_units + 1) * sizeof(*array->partial));
	return 0;
}

/* --- limbo --- */

static struct limbo_item *limbo_append(struct image_memory *memory)
{
	struct limbo_piece *piece = memory->newest;

	if (!piece || piece->end == LIMBO_ITEMS) {
		piece = memory->spare ? memory->spare : malloc(sizeof(*piece));
		if (!piece)
			return NULL;
		memory->spare = NULL;
		piece->next = NULL;
		piece->first = piece->end = 0;
		if (memory->newest)
			memory->newest->next = piece;
		else
			memory->oldest = piece;
		memory->newest = piece;
	}
	return &piece->item[piece->end++];
}

static const struct limbo_item *limbo_first(const struct image_memory *memory)
{
	const struct limbo_piece *piece = memory->oldest;

	return piece && piece->first < piece->end ? &piece->item[piece->first] : NULL;
}

static void limbo_drop(struct image_memory *memory)
{
	struct limbo_piece *piece = memory->oldest;

	if (++piece->first < piece->end)
		return;
	memory->oldest = piece->next;
	if (!memory->oldest)
		memory->newest = NULL;
	if (memory->spare)
		free(piece);
	else
		memory->spare = piece;
}

/* --- public --- */

int image_memory_new(struct image_store *store, struct grace *grace, __u32 reserved,
		     struct image_memory **ret)
{
	struct image_memory *memory = calloc(1, sizeof(*memory));
	struct array *run;
	int error;

	if (!memory)
		return -ENOMEM;
	memory->store = store;
	memory->grace = grace;
	run = &memory->array[ARRAY_RUN];
	error = array_new(&memory->array[ARRAY_NODE], store->node, NODE_CHUNK_WORDS * sizeof(__u64), 256,
			  store->node_chunks);
	if (error == 0)
		error = array_new(run, store->run, sizeof(__u32), 1024, store->run_cells);
	if (error == 0 && reserved / run->page_units >= run->pages)
		error = -ENOSPC;
	if (error < 0) {
		image_memory_free(memory);
		return error;
	}
	for (__u32 i = 0; i * run->page_units < reserved; i++) {
		run->page[i] = (struct page){ .size = PAGE_ROW };
		run->held++;
		run->row_pages++;
		run->used += run->page_units;
	}
	*ret = memory;
	return 0;
}

void image_memory_free(struct image_memory *memory)
{
	if (!memory)
		return;
	for (struct limbo_piece *piece = memory->oldest, *next; piece; piece = next) {
		next = piece->next;
		free(piece);
	}
	free(memory->spare);
	for (int i = 0; i < IMAGE_ARRAYS; i++) {
		free(memory->array[i].page);
		free(memory->array[i].partial);
	}
	free(memory);
}

__u32 image_memory_take(struct image_memory *memory, enum image_array which, __u32 units)
{
	struct array *array = &memory->array[which];
	__u32 index;

	index = units > array->page_units ? take_row(array, units) : take_block(array, units);
	if (index != MEMORY_NONE)
		array->used += units;
	return index;
}

void image_memory_give(struct image_memory *memory, enum image_array which, __u32 index, __u32 units)
{
	memory->array[which].used -= units;
	give(memory, which, index, units);
}

void image_memory_retire(struct image_memory *memory, enum image_array which, __u32 index, __u32 units)
{
	struct limbo_item *item = limbo_append(memory);

	memory->array[which].used -= units;
	memory->array[which].limbo += units;
	/* Without memory to remember it the block stays in limbo for good: lost, but never reused too early.
	 */
	if (item)
		*item = (struct limbo_item){ .epoch = grace_epoch(memory->grace),
					     .index = index,
					     .units_array = units << 1 | which };
}

__u32 image_memory_recycle(struct image_memory *memory, __u32 limit)
{
	__u64 passed = grace_passed(memory->grace);
	const struct limbo_item *item;
	__u32 count = 0;

	for (; count < limit && (item = limbo_first(memory)) && item->epoch <= passed; count++) {
		enum image_array which = item->units_array & 1;

		memory->array[which].limbo -= item->units_array >> 1;
		give(memory, which, item->index, item->units_array >> 1);
		limbo_drop(memory);
	}
	return count;
}

__u64 image_memory_newest(const struct image_memory *memory)
{
	const struct limbo_piece *piece = memory->newest;

	return piece && piece->first < piece->end ? piece->item[piece->end - 1].epoch : 0;
}

/* Pages of a size that its blocks need, with one to grow into. */
static __u32 pages_needed(const struct array *array, __u32 size, __u32 blocks)
{
	return blocks ? (blocks - 1) / (array->page_units / size) + 2 : 0;
}

static bool has_blocks(const struct page *page)
{
	return page->size != PAGE_FREE && page->size != PAGE_ROW;
}

/* Sorted by size, then the fuller before the emptier. */
static int compare_pages(const void *a, const void *b, void *arg)
{
	const struct array *array = arg;
	const struct page *first = &array->page[*(const __u32 *)a], *second = &array->page[*(const __u32 *)b];

	if (first->size != second->size)
		return first->size < second->size ? -1 : 1;
	return second->live - first->live;
}

/* Counts the pages that would not be needed if the blocks of each size lay together in its fullest pages, and
 * calls each, unless NULL, for these pages. */
static __u32 spare_pages(struct array *array, void (*each)(struct array *array, __u32 index))
{
	__u32 *order = malloc(array->pages * sizeof(*order)), count = 0, spare = 0;

	if (!order)
		return 0;
	for (__u32 i = 0; i < array->pages; i++)
		if (has_blocks(&array->page[i]))
			order[count++] = i;
	qsort_r(order, count, sizeof(*order), compare_pages, array);
	for (__u32 i = 0, end; i < count; i = end) {
		__u32 size = array->page[order[i]].size, blocks = 0, needed;

		for (end = i; end < count && array->page[order[end]].size == size; end++)
			blocks += array->page[order[end]].live;
		needed = pages_needed(array, size, blocks);
		for (__u32 k = i + needed; k < end; k++, spare++)
			if (each)
				each(array, order[k]);
	}
	free(order);
	return spare;
}

bool image_memory_holey(const struct image_memory *memory, enum image_array which, bool urgent)
{
	struct array *array = (struct array *)&memory->array[which];
	__u32 pages = array->held - array->row_pages, few = array->pages / 16;
	__u64 live = (__u64)array->used + array->limbo - (__u64)array->row_pages * array->page_units;
	__u32 holes = pages - live / array->page_units;

	if (few > PAGES_WORTH_MOVING)
		few = PAGES_WORTH_MOVING;
	if (!urgent && (holes < few || holes < pages / SHARE_WORTH_MOVING))
		return false;
	return spare_pages(array, NULL) > (urgent ? few / 8 : few);
}

static void evict(struct array *array, __u32 index)
{
	array->page[index].evict = true;
	if (array->page[index].listed)
		unlist_page(array, index);
}

void image_memory_evict_begin(struct image_memory *memory, enum image_array which)
{
	spare_pages(&memory->array[which], evict);
}

bool image_memory_evicted(const struct image_memory *memory, enum image_array which, __u32 index)
{
	const struct array *array = &memory->array[which];

	return array->page[index / array->page_units].evict;
}

void image_memory_evict_end(struct image_memory *memory, enum image_array which)
{
	struct array *array = &memory->array[which];

	for (__u32 i = 0; i < array->pages; i++) {
		struct page *page = &array->page[i];

		if (!page->evict)
			continue;
		page->evict = false;
		if (has_room(array, page))
			list_page(array, i);
	}
}

void image_memory_usage(const struct image_memory *memory, enum image_array which,
			struct image_memory_usage *ret)
{
	const struct array *array = &memory->array[which];
	__u32 total = array->pages * array->page_units;

	*ret = (struct image_memory_usage){ .used = array->used,
					    .limbo = array->limbo,
					    .free = total - array->used - array->limbo,
					    .total = total,
					    .held = array->held * array->page_units };
}
