// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/nexthop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/fib/grace.h"
#include "host/fib/image_update.h"

/* A slot as the four words that readers and stores are about. */
union slot_words {
	struct image_nexthop nexthop;
	__u64 word[4];
};

enum slot_word {
	WORD_MAC0 = 0,   /* also rpf[0..3] */
	WORD_MAC1 = 1,   /* mac1, mtu, port; also rpf[4..5] */
	WORD_HEADER = 2, /* interface, kind, reason, flags, tags */
	WORD_TAGS = 3,   /* also bucket, bucket_mask */
};

_Static_assert(sizeof(union slot_words) == sizeof(struct image_nexthop), "four words");
_Static_assert(offsetof(struct image_nexthop, interface) == 16, "the header is one word");
_Static_assert(offsetof(struct image_nexthop, tag) == 24, "tags and buckets are one word");

enum slot_state {
	SLOT_FREE = 0,
	SLOT_PUNTS,  /* readers that saw it forward: none once grace_passed() reaches .epoch */
	SLOT_LIVE,   /* forwards, or is a group */
	SLOT_GIVEN,  /* given back, known to image_update_retire() */
	SLOT_UNTOLD, /* given back, image_update_retire() had no memory to note it */
};

struct slot {
	union slot_words want;
	__u64 epoch; /* PUNTS: of the store that made it punt; 0 = it never forwarded */
	__u16 next;  /* free list */
	__u8 state;  /* enum slot_state */
	__u8 shape;  /* enum nexthop_kind that the fields in the image are for: FORWARD or GROUP */
	bool queued; /* has a place in the queue, perhaps of an earlier owner */
};

struct nexthops {
	struct image_nexthop *image;
	struct image_update *update;
	const struct grace *grace;
	struct slot *slot;
	__u16 *queue; /* ring of slots that wait to be written, by epoch */
	__u32 queue_head, queue_count;
	__u32 limit, used;
	__u32 free;   /* first of the free list, 0 = empty */
	__u32 untold; /* slots in state UNTOLD */
	__u64 stores;
};

static void store_word(struct nexthops *nexthops, __u32 id, enum slot_word word, __u64 value)
{
	__u64 *at = (__u64 *)&nexthops->image[id] + word;

	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static bool forwards(const union slot_words *words)
{
	return words->nexthop.kind == NEXTHOP_FORWARD || words->nexthop.kind == NEXTHOP_GROUP;
}

/* Rule 1: do the fields in the image differ from the wanted ones only where single stores will do? */
static bool in_place(const struct nexthops *nexthops, __u32 id)
{
	const struct image_nexthop *now = &nexthops->image[id], *want = &nexthops->slot[id].want.nexthop;

	if (nexthops->slot[id].shape != want->kind)
		return false;
	if (want->kind == NEXTHOP_GROUP)
		return now->bucket == want->bucket && now->bucket_mask == want->bucket_mask;
	/* the tag words of an untagged slot are zero */
	return now->mac1 == want->mac1 && now->port == want->port && now->tags == want->tags &&
	       now->tag[0] == want->tag[0] && now->tag[1] == want->tag[1];
}

static void store_in_place(struct nexthops *nexthops, __u32 id)
{
	struct image_nexthop *now = &nexthops->image[id];
	const union slot_words *want = &nexthops->slot[id].want;

	if (want->nexthop.kind == NEXTHOP_GROUP) {
		for (int i = 0; i < NEXTHOP_RPF; i++)
			__atomic_store_n(&now->rpf[i], want->nexthop.rpf[i], __ATOMIC_RELEASE);
	} else {
		if (now->mac0 != want->nexthop.mac0)
			store_word(nexthops, id, WORD_MAC0, want->nexthop.mac0);
		if (now->mtu != want->nexthop.mtu)
			__atomic_store_n(&now->mtu, want->nexthop.mtu, __ATOMIC_RELEASE);
	}
	if (((union slot_words){ .nexthop = *now }).word[WORD_HEADER] != want->word[WORD_HEADER])
		store_word(nexthops, id, WORD_HEADER, want->word[WORD_HEADER]);
}

static void store_all(struct nexthops *nexthops, __u32 id)
{
	const union slot_words *want = &nexthops->slot[id].want;

	store_word(nexthops, id, WORD_MAC0, want->word[WORD_MAC0]);
	store_word(nexthops, id, WORD_MAC1, want->word[WORD_MAC1]);
	store_word(nexthops, id, WORD_TAGS, want->word[WORD_TAGS]);
	store_word(nexthops, id, WORD_HEADER, want->word[WORD_HEADER]);
}

/*
 * The header alone, with a kind that does not forward. The number of tags belongs to the fields that stay: it
 * is kept, so that the slot can go back to them.
 */
static void store_punt(struct nexthops *nexthops, __u32 id)
{
	struct slot *slot = &nexthops->slot[id];
	union slot_words header = slot->want;

	if (forwards(&slot->want)) {
		header.nexthop.kind = NEXTHOP_PUNT;
		header.nexthop.reason = REASON_HELD;
	}
	header.nexthop.tags = nexthops->image[id].tags;
	store_word(nexthops, id, WORD_HEADER, header.word[WORD_HEADER]);
	if (slot->state == SLOT_LIVE)
		slot->epoch = grace_epoch(nexthops->grace);
	slot->state = SLOT_PUNTS;
}

static void enqueue(struct nexthops *nexthops, __u32 id)
{
	struct slot *slot = &nexthops->slot[id];

	if (slot->queued)
		return;
	slot->queued = true;
	nexthops->queue[(nexthops->queue_head + nexthops->queue_count++) % nexthops->limit] = id;
}

static __u32 dequeue(struct nexthops *nexthops)
{
	__u32 id = nexthops->queue[nexthops->queue_head];

	nexthops->queue_head = (nexthops->queue_head + 1) % nexthops->limit;
	nexthops->queue_count--;
	nexthops->slot[id].queued = false;
	return id;
}

/* Brings the image as near to what is wanted as the three rules allow now. */
static void publish(struct nexthops *nexthops, __u32 id)
{
	struct slot *slot = &nexthops->slot[id];
	bool quiet = slot->state == SLOT_PUNTS && slot->epoch <= grace_passed(nexthops->grace);

	nexthops->stores++;
	if (!forwards(&slot->want)) {
		store_punt(nexthops, id);
	} else if (in_place(nexthops, id)) {
		store_in_place(nexthops, id);
		slot->state = SLOT_LIVE;
	} else if (quiet) {
		store_all(nexthops, id);
		slot->shape = slot->want.nexthop.kind;
		slot->state = SLOT_LIVE;
	} else {
		store_punt(nexthops, id);
		enqueue(nexthops, id);
	}
}

static void free_slot(struct nexthops *nexthops, __u32 id)
{
	struct slot *slot = &nexthops->slot[id];

	*slot = (struct slot){ .next = nexthops->free, .queued = slot->queued };
	nexthops->free = id;
	nexthops->used--;
}

static void reuse(void *arg, __u16 id)
{
	struct nexthops *nexthops = arg;

	assert(nexthops->slot[id].state == SLOT_GIVEN);
	free_slot(nexthops, id);
}

static void retire(struct nexthops *nexthops, __u32 id)
{
	struct slot *slot = &nexthops->slot[id];
	bool untold = slot->state == SLOT_UNTOLD;

	slot->state = image_update_retire(nexthops->update, id) == 0 ? SLOT_GIVEN : SLOT_UNTOLD;
	nexthops->untold += (slot->state == SLOT_UNTOLD) - untold;
}

static void retire_again(struct nexthops *nexthops)
{
	for (__u32 id = REASON_MAX; nexthops->untold && id < nexthops->limit; id++) {
		if (nexthops->slot[id].state != SLOT_UNTOLD)
			continue;
		retire(nexthops, id);
		if (nexthops->slot[id].state == SLOT_UNTOLD)
			return;
	}
}

static void write_reasons(struct nexthops *nexthops, __u32 limit)
{
	static const struct {
		__u8 reason, action;
	} list[] = {
#define X(number, name, action, string, text) { number, ACTION_##action },
		REASONS(X)
#undef X
	};

	for (__u32 id = 0; id < limit; id++)
		nexthops->image[id] = (struct image_nexthop){ .reason = REASON_NO_ROUTE };
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct image_nexthop *slot = &nexthops->image[list[i].reason];

		if (list[i].action == ACTION_FORWARD)
			continue;
		slot->kind = list[i].action == ACTION_DROP ? NEXTHOP_DROP : NEXTHOP_PUNT;
		slot->reason = list[i].reason;
	}
}

int nexthops_new(struct image_tables *tables, struct image_update *update, const struct grace *grace,
		 __u32 limit, struct nexthops **ret)
{
	struct nexthops *nexthops;

	if (limit <= REASON_MAX || limit > IMAGE_NEXTHOPS)
		return -EINVAL;
	nexthops = calloc(1, sizeof(*nexthops));
	if (!nexthops)
		return -ENOMEM;
	nexthops->slot = calloc(limit, sizeof(*nexthops->slot));
	nexthops->queue = calloc(limit, sizeof(*nexthops->queue));
	if (!nexthops->slot || !nexthops->queue) {
		nexthops_free(nexthops);
		return -ENOMEM;
	}
	nexthops->image = tables->nexthop;
	nexthops->update = update;
	nexthops->grace = grace;
	nexthops->limit = nexthops->used = limit;
	write_reasons(nexthops, limit);
	for (__u32 id = limit - 1; id >= REASON_MAX; id--)
		free_slot(nexthops, id);
	image_update_on_reuse(update, reuse, nexthops);
	*ret = nexthops;
	return 0;
}

void nexthops_free(struct nexthops *nexthops)
{
	if (!nexthops)
		return;
	free(nexthops->slot);
	free(nexthops->queue);
	free(nexthops);
}

int nexthop_take(struct nexthops *nexthops, __u32 *ret_id)
{
	__u32 id = nexthops->free;

	if (!id)
		return -ENOSPC;
	nexthops->free = nexthops->slot[id].next;
	nexthops->slot[id] = (struct slot){
		.state = SLOT_PUNTS,
		.want.nexthop.reason = REASON_NO_ROUTE,
		.queued = nexthops->slot[id].queued,
	};
	nexthops->used++;
	*ret_id = id;
	return 0;
}

void nexthop_give(struct nexthops *nexthops, __u32 id)
{
	struct slot *slot = &nexthops->slot[id];

	assert(slot->state == SLOT_PUNTS || slot->state == SLOT_LIVE);
	slot->want = (union slot_words){ .nexthop.reason = REASON_NO_ROUTE };
	publish(nexthops, id);
	retire(nexthops, id);
}

__u32 nexthops_room(const struct nexthops *nexthops)
{
	return nexthops->limit - nexthops->used;
}

const struct image_nexthop *nexthop_of_reason(const struct nexthops *nexthops, enum reason reason)
{
	return &nexthops->image[reason];
}

void nexthop_set(struct nexthops *nexthops, __u32 id, const struct image_nexthop *content)
{
	struct slot *slot = &nexthops->slot[id];

	assert(slot->state == SLOT_PUNTS || slot->state == SLOT_LIVE);
	if (memcmp(&slot->want.nexthop, content, sizeof(*content)) == 0)
		return;
	slot->want.nexthop = *content;
	publish(nexthops, id);
}

bool nexthops_settle(struct nexthops *nexthops)
{
	for (__u32 count = nexthops->queue_count; count > 0; count--) {
		struct slot *slot = &nexthops->slot[nexthops->queue[nexthops->queue_head]];

		if (slot->epoch > grace_passed(nexthops->grace))
			break;
		__u32 id = dequeue(nexthops);
		if (slot->state == SLOT_PUNTS && forwards(&slot->want))
			publish(nexthops, id);
	}
	retire_again(nexthops);
	return nexthops->queue_count || nexthops->untold;
}

void nexthops_stats(const struct nexthops *nexthops, struct nexthops_stats *ret)
{
	*ret = (struct nexthops_stats){
		.used = nexthops->used,
		.total = nexthops->limit,
		.stores = nexthops->stores,
	};
}
