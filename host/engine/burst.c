// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/burst.h"

#include <stdlib.h>
#include <string.h>
#include <linux/errno.h>

#include "host/engine/target_user.h"
#include "host/fib/bulk.h"

/* Before the program's headers, which close the door behind them. */
static struct burst *burst_allocate(size_t size)
{
	void *burst = aligned_alloc(64, (size + 63) & ~(size_t)63);

	return burst ? memset(burst, 0, size) : NULL;
}

static void burst_release(struct burst *burst)
{
	free(burst);
}

#include "xdp/pipeline.h"

_Static_assert(BURST_MOST <= BULK_MOST, "a burst is looked up at once");

#define AHEAD 16 /* frames between a prefetch and its use */

/* Where a frame goes: a port, the kernel, or nowhere. */
#define WAY_PUNT IMAGE_PORTS
#define WAY_DROP (IMAGE_PORTS + 1)
#define WAYS     (IMAGE_PORTS + 2)

struct burst {
	struct target target;
	struct bulk bulk;
	struct image_counters *counters;
	struct packet packet[BURST_MOST];
	__u8 reason[BURST_MOST];
	/* those of one family and VRF that are looked up together, and those that are not yet */
	__u32 key;
	unsigned int members, others;
	__u8 member[BURST_MOST], other[BURST_MOST];
	__u32 address4[BURST_MOST];
	struct route_key address6[BURST_MOST];
	__u32 leaf[BURST_MOST];
	struct burst_frame frame[BURST_MOST];
	/* by way; used: in the order of the first frame of each */
	__u16 used[BURST_MOST];
	__u8 count[WAYS];
	struct burst_frame *way[WAYS][BURST_MOST];
};

int burst_new(const struct image_store *store, struct image_counters *counters, struct burst **ret)
{
	struct burst *burst = burst_allocate(sizeof(*burst));

	if (!burst)
		return -ENOMEM;
	target_init(&burst->target, store);
	bulk_init(&burst->bulk, store);
	burst->counters = counters;
	*ret = burst;
	return 0;
}

void burst_reach(struct burst *burst, const __u64 *ports)
{
	burst->target.reach = ports;
}

void burst_free(struct burst *burst)
{
	burst_release(burst);
}

/* --- stages --- */

static enum reason parse(struct target *target, struct packet *packet)
{
	struct ethertype type;
	enum reason reason = parse_ethernet(packet, &type);

	if (!reason && unlikely(is_tag(type)))
		reason = parse_tags(packet, &type);
	if (unlikely(reason))
		return reason;
	if (likely(type.be == swap16(ETH_P_IP)))
		reason = parse_ipv4(target, packet);
	else if (type.be == swap16(ETH_P_IPV6))
		reason = parse_ipv6(target, packet);
	else
		reason = REASON_NOT_IP;
	return reason ? reason : admit(target, packet);
}

/* Family and VRF. */
static __u32 key_of(const struct packet *packet)
{
	return packet->in->vrf << 1 | packet->family;
}

/* Joins those that are looked up next: all of the family and VRF of the first one. Or the others. */
static inline void join(struct burst *burst, unsigned int i)
{
	const struct packet *packet = &burst->packet[i];
	__u32 key = key_of(packet);

	if (!burst->members)
		burst->key = key;
	if (unlikely(key != burst->key)) {
		burst->other[burst->others++] = i;
		return;
	}
	if (packet->family == IPV4)
		burst->address4[burst->members] = swap32(packet->destination4_be);
	else
		burst->address6[burst->members] = packet->destination6;
	burst->member[burst->members++] = i;
}

static void parse_all(struct burst *burst, const struct burst_frame *frame, unsigned int count)
{
	struct target target = burst->target; /* a copy that no store to a packet can change */
	enum reason tables = admit_tables(&target);

	burst->members = burst->others = 0;
	for (unsigned int i = 0; i < count && i < AHEAD; i++)
		__builtin_prefetch(frame[i].data);
	for (unsigned int i = 0; i < count; i++) {
		struct packet *packet = &burst->packet[i];

		if (i + AHEAD < count)
			__builtin_prefetch(frame[i + AHEAD].data);
		packet->data = frame[i].data;
		packet->end = frame[i].data + frame[i].length;
		burst->reason[i] = unlikely(tables) ? tables : parse(&target, packet);
		if (likely(!burst->reason[i]))
			join(burst, i);
	}
}

static void look_up(struct burst *burst)
{
	const struct image_vrf *vrf = target_vrf(&burst->target, burst->key >> 1);

	if ((burst->key & 1) == IPV4)
		bulk_lookup4(&burst->bulk, vrf, burst->address4, burst->members, burst->leaf);
	else
		bulk_lookup6(&burst->bulk, vrf, burst->address6, burst->members, burst->leaf);
	for (unsigned int i = 0; i < burst->members; i++) {
		struct packet *packet = &burst->packet[burst->member[i]];

		packet->leaf = burst->leaf[i];
		packet->nexthop = target_nexthop(&burst->target, packet->leaf);
		__builtin_prefetch(packet->nexthop);
	}
}

static void route_all(struct burst *burst)
{
	while (burst->members) {
		unsigned int others = burst->others;

		look_up(burst);
		burst->members = burst->others = 0;
		for (unsigned int i = 0; i < others; i++)
			join(burst, burst->other[i]);
	}
}

static void finish_all(struct burst *burst, __u16 port, struct burst_frame *frame, unsigned int count)
{
	struct image_counter *counter = burst->counters[port & (IMAGE_PORTS - 1)].reason;
	struct image_counter forwarded = { 0 };
	struct target target = burst->target;

	for (unsigned int i = 0; i < count; i++) {
		struct packet *packet = &burst->packet[i];
		enum reason reason = burst->reason[i];

		if (likely(!reason)) {
			target.headroom = frame[i].headroom;
			reason = nexthop(&target, packet);
		}
		if (likely(!reason))
			reason = rewrite(&target, packet);
		frame[i].verdict = verdict(reason, packet);
		if (unlikely(reason)) {
			counter[reason].packets++;
			counter[reason].bytes += frame[i].length;
			continue;
		}
		if (unlikely(packet->data != frame[i].data)) { /* tags came or went */
			frame[i].headroom += (__u8 *)packet->data - frame[i].data;
			frame[i].data = packet->data;
			frame[i].length = (__u8 *)packet->end - frame[i].data;
		}
		forwarded.packets++;
		forwarded.bytes += frame[i].length;
	}
	counter[REASON_FORWARDED].packets += forwarded.packets;
	counter[REASON_FORWARDED].bytes += forwarded.bytes;
}

void burst_run(struct burst *burst, __u16 port, struct burst_frame *frame, unsigned int count)
{
	burst->target.port = port;
	parse_all(burst, frame, count);
	route_all(burst);
	finish_all(burst, port, frame, count);
}

/* --- handing on --- */

static unsigned int way_of(struct verdict verdict)
{
	return verdict.action == ACTION_FORWARD ? verdict.port & (IMAGE_PORTS - 1)
						: IMAGE_PORTS - 1 + verdict.action;
}

/* Without a branch that depends on where the frames go: it could not be predicted. */
static unsigned int split(struct burst *burst, unsigned int count)
{
	unsigned int used = 0;

	for (unsigned int i = 0; i < count; i++) {
		unsigned int way = way_of(burst->frame[i].verdict);
		unsigned int place = burst->count[way]++;

		burst->way[way][place] = &burst->frame[i];
		burst->used[used] = way;
		used += !place;
	}
	return used;
}

unsigned int burst_turn(struct burst *burst, __u16 port, const struct burst_io *io, void *arg)
{
	unsigned int received = io->receive(arg, burst->frame), used;

	burst_run(burst, port, burst->frame, received);
	used = split(burst, received);
	for (unsigned int i = 0; i < used; i++) {
		unsigned int way = burst->used[i], count = burst->count[way];

		burst->count[way] = 0;
		if (way < IMAGE_PORTS)
			io->transmit(arg, way, burst->way[way], count);
		else if (way == WAY_PUNT)
			io->punt(arg, burst->way[way], count);
		else
			io->drop(arg, burst->way[way], count);
	}
	return received;
}
