// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The NIC as target: Netronome NFP, XDP_FLAGS_HW_MODE. What the card takes shapes this file: maps are HASH or
 * ARRAY without flags; a value is read at constant offsets only, so that each array of the image is a map of
 * its elements; a word of a value is either read or added to, so that counters are a map of their own; there
 * are no globals, hence the port's id is baked in (xdp/baked.h); no clock, no ingress ifindex; a packet can
 * leave only by the port it came in by, and any other return value than PASS, DROP or TX loses it.
 *
 * What the card passes on comes by the receive queue that its RSS has chosen, which knows neither what is
 * behind tags nor which queues somebody reads. Where the engine behind the card reads them itself (AF_XDP),
 * the program chooses one of its queues for what that engine may forward: packets for other ports, and those
 * that the tables have no room for. It goes by the hash of ECMP, so that a flow keeps its queue, and its
 * order. All else is for the kernel, from any queue: RSS is good enough for it, and most of it was not looked
 * into as far as to its flow. The number of queues is baked in. Where it is 0, as for firmware that lets no
 * program choose, the verifier finds no way to the write, and the driver does not see it.
 *
 * How the host fills the maps: host/fib/card.h. All nodes are bitmaps. Element i of `node` is word i of
 * node[]; an element of `run` is two cells of run[], one of `vrf` is root and fallback of one family; `own`,
 * `vlan` and `bucket` have one element for each entry of the table of that name, `control`, `interface` and
 * `hop` (nexthop[]) one struct. So what is one aligned store in memory is one element here, and is written in
 * the same order. The sizes below are those of the object as it is built: before the maps are made the host
 * may give each map another max_entries, in all not more than the firmware's budget. What finds no room is
 * left to the kernel: cells of `run` and `bucket` never hold an id beyond `hop`, but TABLE_FULL instead; an
 * interface or a VRF beyond its map does not forward.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "xdp/baked.h"
#include "xdp/packet.h"

#define TARGET_HAS_CLOCK  0
#define TARGET_FRAME_WORD __attribute__((may_alias)) /* loads at any address are one instruction */
#define TARGET_BUFFERS    0

/* Elements over all maps are what the card has least of: these fit into 2,048,000. */
#define NFP_WORDS      (1u << 20)
#define NFP_PAIRS      (1u << 19)
#define NFP_INTERFACES 1024
#define NFP_SPACES     (2 * 64)
#define NFP_NEXTHOPS   4096
#define NFP_VLANS      (8 * 4096)
#define NFP_BUCKETS    16384

#define NFP_ARRAY(name, type_of_value, entries)                                                              \
	struct {                                                                                             \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                            \
		__uint(max_entries, entries);                                                                \
		__type(key, __u32);                                                                          \
		__type(value, type_of_value);                                                                \
	} name SEC(".maps")

struct nfp_cell {
	__u32 value;
};

struct nfp_pair {
	__u32 even, odd;
};

struct nfp_space { /* one family of a VRF */
	__u32 root, fallback;
};

NFP_ARRAY(node, __u64, NFP_WORDS);
NFP_ARRAY(run, struct nfp_pair, NFP_PAIRS);
NFP_ARRAY(control, struct image_control, 1);
NFP_ARRAY(vrf, struct nfp_space, NFP_SPACES);
NFP_ARRAY(interface, struct image_interface, NFP_INTERFACES);
NFP_ARRAY(own, struct nfp_cell, IMAGE_OWN);
NFP_ARRAY(hop, struct image_nexthop, NFP_NEXTHOPS);
NFP_ARRAY(vlan, struct nfp_cell, NFP_VLANS);
NFP_ARRAY(bucket, struct nfp_cell, NFP_BUCKETS);
NFP_ARRAY(counters, struct image_counter, REASON_MAX);

/* What is looked up. */
enum nfp_stage { NFP_MEMBER, NFP_DESTINATION, NFP_SOURCE };

/*
 * What is kept while the card looks something up, in the first 64 bytes of the stack, which are as near as
 * registers are. The key stands at the very beginning: anywhere else it takes five instructions more. What
 * the verifier must still know when it is read again begins eight bytes, and is the last of them to be
 * written.
 */
struct target {
	__u32 place; /* the key */
	__u32 fallback;
	enum family family;
	__u8 tags;
	struct xdp_md *context;
	union {
		void *data;                    /* of the packet, until its interface is known; then */
		const struct nfp_space *space; /* where it is looked up, until the leaf is known; then */
		const struct image_nexthop *nexthop; /* what that means */
	};
	void *ip;
	const struct image_interface *in;
	enum nfp_stage stage;
	__u16 in_index, length;
	const struct image_control *control;
};

_Static_assert(sizeof(struct target) == 64, "what is near");

/*
 * The host writes no index that has no element; the verifier wants the other case named. The packet goes to
 * the kernel, uncounted: behind the label that is set in router_nfp.bpf.c.
 */
static __always_inline const void *nfp_element(const struct target *target, void *map, __u32 index)
{
	const void *element;

	*(__u32 *)&target->place = index;
	element = bpf_map_lookup_elem(map, &target->place);
	asm volatile("if %0 == 0 goto .Lnfp_none" : "+r"(element));
	return element;
}

static __always_inline __u64 target_node(const struct target *target, __u32 index)
{
	return *(const __u64 *)nfp_element(target, &node, index);
}

static __always_inline __u32 target_run(const struct target *target, __u32 index)
{
	const struct nfp_pair *pair = nfp_element(target, &run, index >> 1);
	__u32 entry = pair->even;

	asm volatile("" : "+r"(entry)); /* two loads, for an offset must not depend on data */
	if (index & 1)
		entry = pair->odd;
	return entry;
}

/* What xdp/walk.h does without. */
__u16 target_leaf(const struct target *target, __u32 index) __attribute__((error("the card has none")));
const struct image_vrf *target_vrf(const struct target *target, __u32 index)
	__attribute__((error("the card has none")));

/* Where the frame begins and ends; compilers that know that the context has 32 bits for it may keep just
 * these. */
static __always_inline void *nfp_data(const struct target *target)
{
	void *data;

	asm volatile("%0 = *(u32 *)(%1 + 0)" : "=r"(data) : "r"(target->context));
	return data;
}

static __always_inline void *nfp_end(const struct target *target)
{
	void *end;

	asm volatile("%0 = *(u32 *)(%1 + 4)" : "=r"(end) : "r"(target->context));
	return end;
}

/* From here on the compiler reads again what it needs of the target, rather than to keep it elsewhere. */
static __always_inline void nfp_forget(void)
{
	asm volatile("" : : : "memory");
}

/* Whether the packet is there up to `at`. */
static __always_inline bool target_reads(const struct target *target, const void *at)
{
	return at <= nfp_end(target);
}

static __always_inline const struct image_control *target_control(const struct target *target)
{
	return nfp_element(target, &control, 0);
}

static __always_inline const struct nfp_space *nfp_space(const struct target *target, __u32 vrf_index,
							 enum family family)
{
	return nfp_element(target, &vrf, vrf_index * 2 + family);
}

static __always_inline const struct image_interface *target_interface(const struct target *target,
								      __u32 index)
{
	return nfp_element(target, &interface, index);
}

static __always_inline __u32 target_port(const struct target *target)
{
	__u32 port;

	asm volatile("%0 = %1" : "=w"(port) : "i"(BAKED_MAGIC | BAKED_PORT));
	return port & (IMAGE_PORTS - 1); /* so that the object as it is built is a program, too */
}

/* To choose from; 0: the queue is left to the card. */
static __always_inline __u32 nfp_queues(void)
{
	__u32 queues;

	asm volatile("%0 = %1" : "=w"(queues) : "i"(BAKED_MAGIC | BAKED_QUEUES));
	return queues & 127; /* as target_port() does */
}

static __always_inline const struct image_interface *target_ingress(const struct target *target)
{
	return target_interface(target, target_port(target) + 1);
}

static __always_inline const struct image_nexthop *target_nexthop(const struct target *target, __u32 id)
{
	return nfp_element(target, &hop, id);
}

static __always_inline __u16 target_vlan(const struct target *target, __u32 index)
{
	return *(const __u32 *)nfp_element(target, &vlan, index);
}

static __always_inline __u32 target_bucket(const struct target *target, __u32 index)
{
	return *(const __u32 *)nfp_element(target, &bucket, index);
}

static __always_inline __u8 target_own(const struct target *target, __u32 slot)
{
	return *(const __u32 *)nfp_element(target, &own, slot);
}

static __always_inline bool target_reaches(const struct target *target, __u16 to)
{
	return to == target_port(target);
}

static __always_inline __u32 target_frame_length(const struct target *target, const struct packet *packet)
{
	return (unsigned long)packet->end - (unsigned long)packet->data;
}

static __always_inline bool target_grow(const struct target *target, struct packet *packet, int bytes)
{
	if (bpf_xdp_adjust_head(target->context, -bytes))
		return false;
	packet->data = nfp_data(target);
	packet->end = nfp_end(target);
	packet->family = target->family; /* rather than to keep it */
	return true;
}
