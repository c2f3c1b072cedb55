// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The NIC as target: Netronome NFP, XDP_FLAGS_HW_MODE. What the card takes shapes this file: maps are HASH or
 * ARRAY without flags; a value is read at constant offsets only, so that each array of the image is a map of
 * its elements; a word of a value is either read or added to, so that counters are a map of their own; there
 * are no globals, hence the port's id is baked in (xdp/baked.h); no clock, no ingress ifindex; a packet can
 * leave only by the port it came in by, and any other return value than PASS, DROP or TX loses it.
 *
 * How the host fills the maps. Element i of `node` is word i of the image's node[], element i of `run` is
 * cell i of run[]; `own`, `vlan` and `bucket` have one element for each entry of the table of that name,
 * `control`, `vrf`, `interface` and `hop` (nexthop[]) one struct. So what is one aligned store in memory is
 * one element here, and is written in the same order. The sizes below are those of the object as it is built:
 * before the maps are made the host may give each map another max_entries, in all not more than the
 * firmware's budget. What finds no room is left to the kernel: cells of `run` and `bucket` never hold an id
 * beyond `hop`, but TABLE_FULL instead; an interface or a VRF beyond its map does not forward.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "xdp/baked.h"
#include "xdp/packet.h"

#define TARGET_HAS_CLOCK  0
#define TARGET_FRAME_WORD __attribute__((may_alias)) /* loads at any address are one instruction */
#define TARGET_SMALL      1
#define TARGET_BUFFERS    0

/* Elements over all maps are what the card has least of: these fit into 2,048,000. */
#define NFP_WORDS      (1u << 20)
#define NFP_CELLS      (1u << 19)
#define NFP_INTERFACES 1024
#define NFP_VRFS       64
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

NFP_ARRAY(node, __u64, NFP_WORDS);
NFP_ARRAY(run, struct nfp_cell, NFP_CELLS);
NFP_ARRAY(control, struct image_control, 1);
NFP_ARRAY(vrf, struct image_vrf, NFP_VRFS);
NFP_ARRAY(interface, struct image_interface, NFP_INTERFACES);
NFP_ARRAY(own, struct nfp_cell, IMAGE_OWN);
NFP_ARRAY(hop, struct image_nexthop, NFP_NEXTHOPS);
NFP_ARRAY(vlan, struct nfp_cell, NFP_VLANS);
NFP_ARRAY(bucket, struct nfp_cell, NFP_BUCKETS);
NFP_ARRAY(counters, struct image_counter, REASON_MAX);

struct target {
	struct xdp_md *context;
	__u32 *place; /* on the stack, for the key of a lookup: one for all of them */
};

/* NULL: it lies beyond the map. */
static __always_inline const void *nfp_find(const struct target *target, void *map, __u32 index)
{
	*target->place = index;
	return bpf_map_lookup_elem(map, target->place);
}

/*
 * The host writes no id that has no element; the verifier wants the other case named. The packet goes to the
 * kernel, uncounted; in a function that is called, 2 is the next hop that punts (UNREACHABLE).
 */
static __always_inline const void *nfp_element(const struct target *target, void *map, __u32 index)
{
	const void *element = nfp_find(target, map, index);

	if (!element) {
		asm volatile("r0 = %0; exit" : : "i"(XDP_PASS));
		__builtin_unreachable();
	}
	return element;
}

static __always_inline struct image_counter *nfp_counter(const struct target *target, __u32 slot)
{
	return (struct image_counter *)nfp_find(target, &counters, slot);
}

/* What lies beyond a map is not there, and the kernel decides. */
#define nfp_read(target, map, index, otherwise)                                                              \
	({                                                                                                   \
		const typeof(otherwise) *element = nfp_find(target, map, index);                             \
		element ? *element : (otherwise);                                                            \
	})

static __always_inline __u64 target_node(const struct target *target, __u32 index)
{
	return nfp_read(target, &node, index,
			(__u64)REASON_TABLE_FULL << 32); /* all 32 slots are that leaf */
}

static __always_inline __u32 target_run(const struct target *target, __u32 index)
{
	return nfp_read(target, &run, index, (__u32)REASON_TABLE_FULL);
}

static __always_inline __u16 target_leaf(const struct target *target, __u32 index)
{
	return target_run(target, (index & ~DESCRIPTOR_LEAVES) >> 1) >> (index & 1) * 16;
}

static __always_inline const struct image_control *target_control(const struct target *target)
{
	return nfp_element(target, &control, 0);
}

static __always_inline const struct image_vrf *target_vrf(const struct target *target, __u32 index)
{
	return nfp_element(target, &vrf, index);
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
	packet->data = (void *)(long)target->context->data;
	packet->end = (void *)(long)target->context->data_end;
	return true;
}
