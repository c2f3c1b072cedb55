// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/burst.h"

#include <stdlib.h>
#include <string.h>
#include <linux/errno.h>

#include "host/engine/screen.h"
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

#define FEW 8 /* frames that are not worth a look at all of them */

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
	void *handle[BURST_MOST];
	/* of the verdicts' words: equal if all frames go one way */
	__u32 any, all;
	__u64 reshaped; /* a bit for each frame */
	/* by way; used: in the order of the first frame of each */
	__u16 used[BURST_MOST];
	__u8 count[WAYS];
	void *way[WAYS][BURST_MOST];
};

int burst_new(const struct image_store *store, struct image_counters *counters, struct burst **ret)
{
	struct burst *burst = burst_allocate(sizeof(*burst));

	if (!burst)
		return -ENOMEM;
	target_init(&burst->target, store);
	bulk_init(&burst->bulk, store);
	burst->counters = counters;
	for (unsigned int i = 0; i < BURST_MOST; i++)
		burst->handle[i] = &burst->frame[i];
	*ret = burst;
	return 0;
}

void burst_reach(struct burst *burst, const bool *ports)
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

/* Those whose bits are set. */
static void parse_all(struct burst *burst, const struct burst_frame *frame, __u64 set, enum reason tables)
{
	struct target target = burst->target; /* a copy that no store to a packet can change */

	burst->members = burst->others = 0;
	for (__u64 ahead = set; ahead; ahead &= ahead - 1)
		__builtin_prefetch(frame[__builtin_ctzll(ahead)].data);
	for (; set; set &= set - 1) {
		unsigned int i = __builtin_ctzll(set);
		struct packet *packet = &burst->packet[i];

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

/* Tags came or went. */
static void reshape(struct burst *burst, const struct packet *packet, struct burst_frame *frame,
		    unsigned int place)
{
	frame->headroom += (__u8 *)packet->data - frame->data;
	frame->data = packet->data;
	frame->length = (__u8 *)packet->end - frame->data;
	burst->reshaped |= 1ull << place;
}

static void count_frame(struct burst *burst, const struct burst_frame *frame, enum reason reason)
{
	struct image_counter *counter =
		&burst->counters[burst->target.port & (IMAGE_PORTS - 1)].reason[reason];

	counter->packets++;
	counter->bytes += frame->length;
}

static void add_forwarded(struct burst *burst, unsigned int packets, __u64 bytes)
{
	struct image_counter *counter =
		&burst->counters[burst->target.port & (IMAGE_PORTS - 1)].reason[REASON_FORWARDED];

	counter->packets += packets;
	counter->bytes += bytes;
}

/* Sets the verdict. */
static __always_inline __u32 judge(struct burst_frame *frame, enum reason reason, const struct packet *packet)
{
	union {
		struct verdict verdict;
		__u32 word;
	} is = { verdict(reason, packet) };

	frame->verdict = is.verdict;
	return is.word;
}

static void finish_all(struct burst *burst, struct burst_frame *frame, __u64 set)
{
	struct target target = burst->target;

	for (; set; set &= set - 1) {
		unsigned int i = __builtin_ctzll(set);
		struct packet *packet = &burst->packet[i];
		enum reason reason = burst->reason[i];
		__u32 word;

		if (likely(!reason)) {
			target.headroom = frame[i].headroom;
			reason = nexthop(&target, packet);
		}
		if (likely(!reason))
			reason = rewrite(&target, packet);
		word = judge(&frame[i], reason, packet);
		burst->any |= word;
		burst->all &= word;
		if (unlikely(!reason && packet->data != frame[i].data))
			reshape(burst, packet, &frame[i], i);
		count_frame(burst, &frame[i], reason);
	}
}

/* --- the same for usual packets, of which most is known --- */

/* All but what only a group's hash wants. */
static __always_inline struct packet usual_packet(const struct target *target,
						  const struct burst_frame *frame, __u32 leaf,
						  const enum family family)
{
	struct packet packet = {
		.data = frame->data,
		.end = frame->data + frame->length,
		.ip = frame->data + ETHER_HEADER,
		.length = frame->length - ETHER_HEADER,
		.family = family,
		.in = target_ingress(target),
		.in_index = target->port + 1u,
		.leaf = leaf,
		.nexthop = target_nexthop(target, leaf),
	};

	packet.ttl_word = family == IPV4 ? load32(packet.ip + 8) : parse_hop_limit(&packet);
	return packet;
}

/* Whether nexthop() and rewrite() would just send it out, untagged. */
static __always_inline bool is_plain(struct target *target, const struct packet *packet)
{
	return packet->nexthop->kind == NEXTHOP_FORWARD && !packet->nexthop->tags &&
	       !nexthop_fits(target, packet);
}

/* Returns those that it left alone, for the stages. Where all frames are set, the compiler knows. */
static __always_inline __u64 send_plain(struct burst *burst, struct burst_frame *frame, __u64 set,
					unsigned int count, const enum family family, const bool whole)
{
	static const bool everywhere[IMAGE_PORTS] = { [0 ... IMAGE_PORTS - 1] = true };
	struct target target = burst->target;
	__u32 any = 0, all = ~0u;
	__u64 rare = 0, bytes = 0;

	target.reach = target.reach ? target.reach : everywhere;
	for (unsigned int place = 0; place < count; place++) {
		unsigned int i = whole ? place : (unsigned int)__builtin_ctzll(set);
		struct packet packet = usual_packet(&target, &frame[i], burst->leaf[place], family);
		__u32 word;

		set &= set - 1;
		if (unlikely(!is_plain(&target, &packet))) {
			rare |= 1ull << i;
			continue;
		}
		rewrite_ttl(&packet);
		rewrite_link(&packet);
		word = judge(&frame[i], REASON_FORWARDED, &packet);
		any |= word;
		all &= word;
		bytes += frame[i].length;
	}
	burst->any |= any;
	burst->all &= all;
	add_forwarded(burst, count - (unsigned int)__builtin_popcountll(rare), bytes);
	return rare;
}

/* Groups, egresses with tags, and what does not fit. */
static void finish_rare(struct burst *burst, struct burst_frame *frame, __u64 usual, __u64 rare,
			enum family family)
{
	for (__u64 set = rare; set; set &= set - 1) {
		unsigned int i = __builtin_ctzll(set),
			     place = __builtin_popcountll(usual & ((1ull << i) - 1));
		struct packet *packet = &burst->packet[i];

		*packet = usual_packet(&burst->target, &frame[i], burst->leaf[place], family);
		if (family == IPV4)
			parse_words4(packet);
		else
			parse_words6(packet);
		burst->reason[i] = REASON_FORWARDED;
	}
	finish_all(burst, frame, rare);
}

/* Moves destinations together. */
static unsigned int pack(struct burst *burst, __u64 set, enum family family)
{
	unsigned int count = 0;

	for (; set; set &= set - 1, count++)
		if (family == IPV4)
			burst->address4[count] = burst->address4[__builtin_ctzll(set)];
		else
			burst->address6[count] = burst->address6[__builtin_ctzll(set)];
	return count;
}

static __always_inline __u64 screen(struct burst *burst, const struct burst_frame *frame, unsigned int count,
				    const enum family family)
{
	return family == IPV4 ? screen_ipv4(&burst->target, frame, count, burst->address4)
			      : screen_ipv6(&burst->target, frame, count, burst->address6);
}

/* Forwards those of the set that are usual packets of the family, and returns which they are. */
static __always_inline __u64 run_usual(struct burst *burst, struct burst_frame *frame, unsigned int count,
				       __u64 set, const enum family family)
{
	const struct image_vrf *vrf = target_vrf(&burst->target, target_ingress(&burst->target)->vrf);
	__u64 usual = screen(burst, frame, count, family) & set, rare;
	bool whole = usual == ~0ull >> (64 - count);

	if (unlikely(!usual))
		return 0;
	if (unlikely(!whole))
		count = pack(burst, usual, family);
	if (family == IPV4)
		bulk_lookup4(&burst->bulk, vrf, burst->address4, count, burst->leaf);
	else
		bulk_lookup6(&burst->bulk, vrf, burst->address6, count, burst->leaf);
	if (likely(whole))
		rare = send_plain(burst, frame, usual, count, family, true);
	else
		rare = send_plain(burst, frame, usual, count, family, false);
	if (unlikely(rare))
		finish_rare(burst, frame, usual, rare, family);
	return usual;
}

static __u64 run_family(struct burst *burst, struct burst_frame *frame, unsigned int count, __u64 set,
			enum family family)
{
	return family == IPV4 ? run_usual(burst, frame, count, set, IPV4)
			      : run_usual(burst, frame, count, set, IPV6);
}

/* --- all of it --- */

static enum family first_family(const struct burst_frame *frame)
{
	return frame->length >= ETHER_HEADER && load16(frame->data + ETHER_HEADER - 2) == swap16(ETH_P_IPV6)
		       ? IPV6
		       : IPV4;
}

static __u64 run_families(struct burst *burst, struct burst_frame *frame, unsigned int count)
{
	__u64 rest = ~0ull >> (64 - count);
	enum family family = first_family(frame);

	rest &= ~run_family(burst, frame, count, rest, family);
	if (unlikely(__builtin_popcountll(rest) > FEW))
		rest &= ~run_family(burst, frame, count, rest, family == IPV4 ? IPV6 : IPV4);
	return rest;
}

void burst_run(struct burst *burst, __u16 port, struct burst_frame *frame, unsigned int count)
{
	enum reason tables = admit_tables(&burst->target);
	__u64 rest;

	burst->any = burst->reshaped = 0;
	burst->all = ~0u;
	if (!count)
		return;
	burst->target.port = port;
	rest = likely(!tables) ? run_families(burst, frame, count) : ~0ull >> (64 - count);
	if (unlikely(rest)) {
		parse_all(burst, frame, rest, tables);
		route_all(burst);
		finish_all(burst, frame, rest);
	}
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

		burst->way[way][place] = burst->handle[i];
		burst->used[used] = way;
		used += !place;
	}
	return used;
}

static void hand_on(const struct burst_io *io, void *arg, unsigned int way, void **handle, unsigned int count)
{
	if (way < IMAGE_PORTS)
		io->transmit(arg, way, handle, count);
	else if (way == WAY_PUNT)
		io->punt(arg, handle, count);
	else
		io->drop(arg, handle, count);
}

static void hand_on_split(struct burst *burst, const struct burst_io *io, void *arg, unsigned int count)
{
	unsigned int used = split(burst, count);

	for (unsigned int i = 0; i < used; i++) {
		unsigned int way = burst->used[i], some = burst->count[way];

		burst->count[way] = 0;
		hand_on(io, arg, way, burst->way[way], some);
	}
}

unsigned int burst_turn(struct burst *burst, __u16 port, const struct burst_io *io, void *arg)
{
	unsigned int received = io->receive(arg, burst->frame, burst->handle);

	burst_run(burst, port, burst->frame, received);
	for (__u64 set = io->reshape ? burst->reshaped : 0; unlikely(set); set &= set - 1) {
		unsigned int i = __builtin_ctzll(set);

		io->reshape(arg, burst->handle[i], &burst->frame[i]);
	}
	if (likely(burst->any == burst->all))
		hand_on(io, arg, way_of(burst->frame[0].verdict), burst->handle, received);
	else if (received)
		hand_on_split(burst, io, arg, received);
	return received;
}
