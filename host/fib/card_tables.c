// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "host/fib/card_parts.h"

#define TRIES 3

static __u32 hop_limit(const struct card *card)
{
	return card->sizes.entries[CARD_HOP];
}

/* The header says what the other words are good for: it is written last, and read first. */
static void read_hop(const struct image_nexthop *from, struct image_nexthop *ret)
{
	union {
		struct image_nexthop hop;
		__u64 word[4];
	} copy;
	const __u64 *word = (const __u64 *)from;

	copy.word[2] = __atomic_load_n(&word[2], __ATOMIC_ACQUIRE);
	for (int i = 0; i < 4; i++)
		if (i != 2)
			copy.word[i] = __atomic_load_n(&word[i], __ATOMIC_RELAXED);
	*ret = copy.hop;
}

/* The last bucket is that of all groups that have no room: so rp_filter knows them all the same. */
static __u32 full_bucket(const struct card *card)
{
	return card->sizes.entries[CARD_BUCKET] - 1;
}

static bool group_fits(const struct card *card, const struct image_nexthop *group)
{
	__u32 end = full_bucket(card);

	return group->bucket < end && group->bucket_mask < end - group->bucket;
}

static int write_hop(struct card *card, __u32 id, const struct image_nexthop *hop)
{
	if (memcmp(&card->hop[id], hop, sizeof(*hop)) == 0)
		return 0;
	return card_write(card, CARD_HOP, id, hop);
}

/* A next hop that is no group, before a bucket leads to it. */
static int bucket_hop(struct card *card, __u32 id, __u32 *ret_id)
{
	struct image_nexthop hop;

	*ret_id = id < hop_limit(card) ? id : REASON_TABLE_FULL;
	if (id >= hop_limit(card))
		return 0;
	read_hop(&card->store->tables->nexthop[id], &hop);
	if (hop.kind == NEXTHOP_GROUP)
		return -EAGAIN; /* it is being given another meaning */
	return write_hop(card, id, &hop);
}

static int sync_bucket(struct card *card, __u32 index)
{
	__u32 id = __atomic_load_n(&card->store->tables->bucket[index], __ATOMIC_ACQUIRE), there;
	int error;

	if (card->bucket[index] == id)
		return 0;
	error = bucket_hop(card, id & (IMAGE_NEXTHOPS - 1), &there);
	if (!error)
		error = card_check(card);
	if (error || card->bucket[index] == there)
		return error;
	return card_write(card, CARD_BUCKET, index, &there);
}

static int sync_hop(struct card *card, __u32 id)
{
	struct image_nexthop hop;
	int error = 0;

	read_hop(&card->store->tables->nexthop[id], &hop);
	if (memcmp(&card->hop[id], &hop, sizeof(hop)) == 0)
		return 0;
	if (hop.kind == NEXTHOP_GROUP && !group_fits(card, &hop)) {
		hop.bucket = full_bucket(card);
		hop.bucket_mask = 0;
	} else if (hop.kind == NEXTHOP_GROUP) {
		for (__u32 i = 0; i <= hop.bucket_mask && !error; i++)
			error = sync_bucket(card, hop.bucket + i);
	}
	if (!error)
		error = card_check(card);
	return error ? error : write_hop(card, id, &hop);
}

int card_hop(struct card *card, __u32 id, __u32 *ret_id)
{
	*ret_id = id < hop_limit(card) ? id : REASON_TABLE_FULL;
	return id < hop_limit(card) ? sync_hop(card, id) : 0;
}

/* Buckets that no group of the card has may be anything. */
static int pass_hops(struct card *card)
{
	__u32 full = REASON_TABLE_FULL, groups_punted = 0;
	int error = 0;

	if (card->bucket[full_bucket(card)] != full)
		error = card_write(card, CARD_BUCKET, full_bucket(card), &full);
	for (__u32 id = 0; id < hop_limit(card) && !error; id++) {
		const struct image_nexthop *hop = &card->hop[id];

		error = sync_hop(card, id);
		if (hop->kind != NEXTHOP_GROUP)
			continue;
		if (!group_fits(card, hop))
			groups_punted++;
		else
			for (__u32 i = 0; i <= hop->bucket_mask && !error; i++)
				error = sync_bucket(card, hop->bucket + i);
	}
	if (!error)
		card->usage.groups_punted = groups_punted;
	return error;
}

static int read_interface(const struct card *card, __u32 index, struct image_interface *ret)
{
	const volatile __u64 *from = (const __u64 *)&card->store->tables->interface[index];
	__u64 word[4], again[4];

	for (int try = 0; try < TRIES; try++) {
		for (int i = 0; i < 4; i++)
			word[i] = from[i];
		atomic_thread_fence(memory_order_acquire);
		for (int i = 0; i < 4; i++)
			again[i] = from[i];
		if (memcmp(word, again, sizeof(word)) == 0) {
			memcpy(ret, word, sizeof(word));
			return 0;
		}
	}
	return -EAGAIN;
}

static int pass_interfaces(struct card *card)
{
	int error = 0;

	for (__u32 i = 0; i < card->sizes.entries[CARD_INTERFACE] && !error; i++) {
		struct image_interface interface;

		error = read_interface(card, i, &interface);
		if (!error)
			error = card_check(card);
		if (!error && memcmp(&card->interface[i], &interface, sizeof(interface)))
			error = card_write(card, CARD_INTERFACE, i, &interface);
	}
	return error;
}

static int write_cell(struct card *card, enum card_map map, __u32 *there, __u32 index, __u32 value)
{
	int error;

	if (there[index] == value)
		return 0;
	error = card_check(card);
	return error ? error : card_write(card, map, index, &value);
}

static int pass_cells(struct card *card)
{
	const struct image_tables *tables = card->store->tables;
	int error = 0;

	for (__u32 i = 0; i < card->sizes.entries[CARD_OWN] && !error; i++)
		error = write_cell(card, CARD_OWN, card->own, i,
				   __atomic_load_n(&tables->own[i], __ATOMIC_ACQUIRE));
	for (__u32 i = 0; i < card->sizes.entries[CARD_VLAN] && !error; i++)
		error = write_cell(card, CARD_VLAN, card->vlan, i,
				   __atomic_load_n(&tables->vlan[i], __ATOMIC_ACQUIRE));
	return error;
}

int card_tables_pass(struct card *card)
{
	int error = pass_hops(card);

	if (!error)
		error = pass_interfaces(card);
	return error ? error : pass_cells(card);
}
