// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/burst.h"

#include <stdlib.h>
#include <linux/errno.h>

#include "host/engine/target_user.h"
#include "host/fib/bulk.h"

/* Before the program's headers, which close the door behind them. */
static struct burst *burst_allocate(size_t size)
{
	return aligned_alloc(64, (size + 63) & ~(size_t)63);
}

static void burst_release(struct burst *burst)
{
	free(burst);
}

#include "xdp/pipeline.h"

_Static_assert(BURST_MOST <= BULK_MOST, "a burst is looked up at once");

#define AHEAD 4 /* frames between a prefetch and its use */

struct burst {
	struct target target;
	struct bulk bulk;
	struct image_counters *counters;
	struct packet packet[BURST_MOST];
	__u8 reason[BURST_MOST];
	/* those of one family and VRF that are looked up together */
	__u8 member[BURST_MOST];
	__u32 address4[BURST_MOST];
	struct route_key address6[BURST_MOST];
	__u32 leaf[BURST_MOST];
	/* those that go the same way */
	struct burst_frame *way[BURST_MOST];
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

static void parse_all(struct burst *burst, const struct burst_frame *frame, unsigned int count)
{
	enum reason tables = admit_tables(&burst->target);

	for (unsigned int i = 0; i < count && i < AHEAD; i++)
		__builtin_prefetch(frame[i].data);
	for (unsigned int i = 0; i < count; i++) {
		struct packet *packet = &burst->packet[i];

		if (i + AHEAD < count)
			__builtin_prefetch(frame[i + AHEAD].data);
		packet->data = frame[i].data;
		packet->end = frame[i].data + frame[i].length;
		burst->reason[i] = unlikely(tables) ? tables : parse(&burst->target, packet);
	}
}

static void look_up(struct burst *burst, const struct image_vrf *vrf, enum family family,
		    unsigned int members)
{
	if (family == IPV4)
		bulk_lookup4(&burst->bulk, vrf, burst->address4, members, burst->leaf);
	else
		bulk_lookup6(&burst->bulk, vrf, burst->address6, members, burst->leaf);
	for (unsigned int i = 0; i < members; i++) {
		struct packet *packet = &burst->packet[burst->member[i]];

		packet->leaf = burst->leaf[i];
		packet->nexthop = target_nexthop(&burst->target, packet->leaf);
		__builtin_prefetch(packet->nexthop);
	}
}

/* All of the family and VRF that the first one has which waits for its route. Returns whether there was one.
 */
static bool route_some(struct burst *burst, unsigned int *first, unsigned int count)
{
	unsigned int members = 0;
	enum family family;
	__u16 vrf;

	while (*first < count && (burst->reason[*first] || burst->packet[*first].nexthop))
		++*first;
	if (*first == count)
		return false;
	family = burst->packet[*first].family;
	vrf = burst->packet[*first].in->vrf;
	for (unsigned int i = *first; i < count; i++) {
		const struct packet *packet = &burst->packet[i];

		if (burst->reason[i] || packet->nexthop || packet->family != family || packet->in->vrf != vrf)
			continue;
		if (family == IPV4)
			burst->address4[members] = swap32(packet->destination4_be);
		else
			burst->address6[members] = packet->destination6;
		burst->member[members++] = i;
	}
	look_up(burst, target_vrf(&burst->target, vrf), family, members);
	return true;
}

static void route_all(struct burst *burst, unsigned int count)
{
	unsigned int first = 0;

	for (unsigned int i = 0; i < count; i++)
		burst->packet[i].nexthop = NULL;
	while (route_some(burst, &first, count))
		;
}

static void finish_all(struct burst *burst, __u16 port, struct burst_frame *frame, unsigned int count)
{
	struct image_counter *counter = burst->counters[port & (IMAGE_PORTS - 1)].reason;

	for (unsigned int i = 0; i < count; i++) {
		struct packet *packet = &burst->packet[i];
		enum reason reason = burst->reason[i];

		if (likely(!reason)) {
			burst->target.headroom = frame[i].headroom;
			reason = nexthop(&burst->target, packet);
		}
		if (likely(!reason))
			reason = rewrite(&burst->target, packet);
		if (likely(!reason)) {
			frame[i].headroom += (__u8 *)packet->data - frame[i].data;
			frame[i].data = packet->data;
			frame[i].length = (__u8 *)packet->end - frame[i].data;
		}
		frame[i].verdict = verdict(reason, packet);
		counter[reason].packets++;
		counter[reason].bytes += frame[i].length;
	}
}

void burst_run(struct burst *burst, __u16 port, struct burst_frame *frame, unsigned int count)
{
	burst->target.port = port;
	parse_all(burst, frame, count);
	route_all(burst, count);
	finish_all(burst, port, frame, count);
}

/* --- handing on --- */

/* Takes those that go where the first one goes, which is not taken yet, out of the list of the rest. */
static unsigned int split(struct burst *burst, struct burst_frame **rest, unsigned int *count)
{
	struct verdict first = rest[0]->verdict;
	unsigned int taken = 0, left = 0;

	for (unsigned int i = 0; i < *count; i++) {
		struct burst_frame *frame = rest[i];

		if (frame->verdict.action == first.action && frame->verdict.port == first.port)
			burst->way[taken++] = frame;
		else
			rest[left++] = frame;
	}
	*count = left;
	return taken;
}

unsigned int burst_turn(struct burst *burst, __u16 port, const struct burst_io *io, void *arg)
{
	struct burst_frame frame[BURST_MOST], *rest[BURST_MOST];
	unsigned int received = io->receive(arg, frame), count = received;

	burst_run(burst, port, frame, received);
	for (unsigned int i = 0; i < received; i++)
		rest[i] = &frame[i];
	while (count) {
		struct verdict to = rest[0]->verdict;
		unsigned int taken = split(burst, rest, &count);

		if (to.action == ACTION_FORWARD)
			io->transmit(arg, to.port, burst->way, taken);
		else if (to.action == ACTION_PUNT)
			io->punt(arg, burst->way, taken);
		else
			io->drop(arg, burst->way, taken);
	}
	return received;
}
