// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/oracle/lpm.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// One hash table per prefix length. A lookup cuts the address to each length that has prefixes, from the
// longest to the shortest, and asks that table: the definition of longest-prefix match, word for word. The
// tables use open addressing with linear probing, are at most half full, and a delete moves the entries
// behind it up, so no tombstones exist.

#define SEEN_BITS 8

struct lpm_entry {
	__u64 key[2]; // the address, cut to the length
	__u32 value;
	__u32 used;
};

struct lpm_length {
	struct lpm_entry *entries;
	__u64 *seen;         // SEEN_BITS per slot
	size_t count, slots; // slots is 0 or a power of two, at least 16
};

struct lpm {
	unsigned int width;
	size_t count;
	struct lpm_length lengths[129];
};

static void lpm_cut(const struct lpm *lpm, const __u8 *addr, unsigned int len, __u64 key[2])
{
	__u8 bytes[16] = { 0 };

	assert(len <= lpm->width);
	for (unsigned int i = 0; i < len / 8; i++)
		bytes[i] = addr[i];
	if (len % 8)
		bytes[len / 8] = addr[len / 8] & (__u8)(0xff << (8 - len % 8));
	memcpy(key, bytes, sizeof(bytes));
}

static __u64 lpm_hash(const __u64 key[2])
{
	__u64 hash = (key[0] ^ (key[1] * 0xff51afd7ed558ccd)) * 0x9e3779b97f4a7c15;

	hash ^= hash >> 32;
	hash *= 0xc4ceb9fe1a85ec53;
	return hash ^ hash >> 29;
}

// The bit of seen[] that stands for a hash; other bits of the hash than those that choose the slot.
static __u64 *lpm_seen(const struct lpm_length *length, __u64 hash, __u64 *ret_mask)
{
	size_t bit = (hash >> 32) & (length->slots * SEEN_BITS - 1);

	*ret_mask = 1ull << bit % 64;
	return &length->seen[bit / 64];
}

static bool lpm_was_seen(const struct lpm_length *length, const __u64 key[2])
{
	__u64 mask, *seen = lpm_seen(length, lpm_hash(key), &mask);

	return *seen & mask;
}

static void lpm_see(const struct lpm_length *length, const __u64 key[2])
{
	__u64 mask, *seen = lpm_seen(length, lpm_hash(key), &mask);

	*seen |= mask;
}

// Returns the slot that holds key, or the free one where it would go.
static struct lpm_entry *lpm_slot(const struct lpm_length *length, const __u64 key[2])
{
	size_t i = lpm_hash(key) & (length->slots - 1);

	while (length->entries[i].used &&
	       (length->entries[i].key[0] != key[0] || length->entries[i].key[1] != key[1]))
		i = (i + 1) & (length->slots - 1);
	return &length->entries[i];
}

static int lpm_grow(struct lpm_length *length)
{
	struct lpm_length larger = { .count = length->count,
				     .slots = length->slots ? length->slots * 2 : 16 };

	larger.entries = calloc(larger.slots, sizeof(*larger.entries));
	larger.seen = calloc(larger.slots * SEEN_BITS / 64, sizeof(*larger.seen));
	if (!larger.entries || !larger.seen) {
		free(larger.entries);
		free(larger.seen);
		return -ENOMEM;
	}
	for (size_t i = 0; i < length->slots; i++) {
		const struct lpm_entry *entry = &length->entries[i];

		if (!entry->used)
			continue;
		*lpm_slot(&larger, entry->key) = *entry;
		lpm_see(&larger, entry->key);
	}
	free(length->entries);
	free(length->seen);
	*length = larger;
	return 0;
}

// Closes the gap at slot i: an entry behind it moves up if its home is not between the gap and its place.
static void lpm_close_gap(struct lpm_length *length, size_t i)
{
	size_t mask = length->slots - 1;

	for (size_t j = (i + 1) & mask; length->entries[j].used; j = (j + 1) & mask) {
		size_t home = lpm_hash(length->entries[j].key) & mask;

		if (((j - home) & mask) < ((j - i) & mask))
			continue;
		length->entries[i] = length->entries[j];
		i = j;
	}
	length->entries[i].used = 0;
}

struct lpm *lpm_new(unsigned int width)
{
	struct lpm *lpm;

	assert(width == 32 || width == 128);
	lpm = calloc(1, sizeof(*lpm));
	if (lpm)
		lpm->width = width;
	return lpm;
}

void lpm_free(struct lpm *lpm)
{
	if (!lpm)
		return;
	for (unsigned int len = 0; len <= lpm->width; len++) {
		free(lpm->lengths[len].entries);
		free(lpm->lengths[len].seen);
	}
	free(lpm);
}

int lpm_insert(struct lpm *lpm, const __u8 *addr, unsigned int len, __u32 value)
{
	struct lpm_length *length = &lpm->lengths[len];
	struct lpm_entry *entry;
	__u64 key[2];

	lpm_cut(lpm, addr, len, key);
	if (length->count * 2 >= length->slots && lpm_grow(length) < 0)
		return -ENOMEM;
	entry = lpm_slot(length, key);
	if (!entry->used) {
		length->count++;
		lpm->count++;
	}
	lpm_see(length, key);
	*entry = (struct lpm_entry){ .key = { key[0], key[1] }, .value = value, .used = 1 };
	return 0;
}

bool lpm_delete(struct lpm *lpm, const __u8 *addr, unsigned int len)
{
	struct lpm_length *length = &lpm->lengths[len];
	struct lpm_entry *entry;
	__u64 key[2];

	if (!length->count)
		return false;
	lpm_cut(lpm, addr, len, key);
	entry = lpm_slot(length, key);
	if (!entry->used)
		return false;
	lpm_close_gap(length, entry - length->entries);
	length->count--;
	lpm->count--;
	return true;
}

bool lpm_find(const struct lpm *lpm, const __u8 *addr, unsigned int len, __u32 *ret_value)
{
	const struct lpm_length *length = &lpm->lengths[len];
	const struct lpm_entry *entry;
	__u64 key[2];

	if (!length->count)
		return false;
	lpm_cut(lpm, addr, len, key);
	if (!lpm_was_seen(length, key))
		return false;
	entry = lpm_slot(length, key);
	if (!entry->used)
		return false;
	*ret_value = entry->value;
	return true;
}

bool lpm_lookup(const struct lpm *lpm, const __u8 *addr, __u32 *ret_value, unsigned int *ret_len)
{
	for (unsigned int len = lpm->width + 1; len-- > 0;) {
		__u32 value;

		if (!lpm_find(lpm, addr, len, &value))
			continue;
		if (ret_value)
			*ret_value = value;
		if (ret_len)
			*ret_len = len;
		return true;
	}
	return false;
}

size_t lpm_count(const struct lpm *lpm)
{
	return lpm->count;
}
