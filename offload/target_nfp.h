// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The NIC as target: Netronome NFP, XDP_FLAGS_HW_MODE. What the card takes shapes this file: maps are HASH or
 * ARRAY without flags; a value is read at constant offsets only, so that each array of the image is a map of
 * its elements; there are no globals, hence the port id is a map; no clock, no ingress ifindex; a packet can
 * leave only by the port it came in by, and any other return value than PASS, DROP or TX loses it.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "xdp/packet.h"

#define TARGET_HAS_CLOCK  0
#define TARGET_FRAME_WORD __attribute__((may_alias)) /* loads at any address are one instruction */

/* Elements over all maps are what the card has least of. Powers of two. */
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
NFP_ARRAY(port, struct nfp_cell, 1);
NFP_ARRAY(counters, struct image_counter, REASON_MAX);

struct target {
	struct xdp_md *context;
	__u16 port;
};

/* An index within the map always finds its element; the verifier wants the other case named. */
static __always_inline const void *nfp_element(void *map, __u32 index)
{
	const void *element = bpf_map_lookup_elem(map, &index);

	if (!element) {
		asm volatile("r0 = 2; exit"); /* XDP_PASS */
		__builtin_unreachable();
	}
	return element;
}

static __always_inline __u64 target_node(const struct target *target, __u32 index)
{
	return *(const __u64 *)nfp_element(&node, index & (NFP_WORDS - 1));
}

static __always_inline __u32 target_run(const struct target *target, __u32 index)
{
	return *(const __u32 *)nfp_element(&run, index & (NFP_CELLS - 1));
}

static __always_inline const struct image_control *target_control(const struct target *target)
{
	return nfp_element(&control, 0);
}

static __always_inline const struct image_vrf *target_vrf(const struct target *target, __u32 index)
{
	return nfp_element(&vrf, index & (NFP_VRFS - 1));
}

static __always_inline const struct image_interface *target_interface(const struct target *target,
								      __u32 index)
{
	return nfp_element(&interface, index & (NFP_INTERFACES - 1));
}

static __always_inline const struct image_interface *target_ingress(const struct target *target)
{
	return target_interface(target, target->port + 1);
}

static __always_inline const struct image_nexthop *target_nexthop(const struct target *target, __u32 id)
{
	return nfp_element(&hop, id & (NFP_NEXTHOPS - 1));
}

static __always_inline __u16 target_vlan(const struct target *target, __u32 index)
{
	return *(const __u32 *)nfp_element(&vlan, index & (NFP_VLANS - 1));
}

static __always_inline __u32 target_bucket(const struct target *target, __u32 index)
{
	return *(const __u32 *)nfp_element(&bucket, index & (NFP_BUCKETS - 1));
}

static __always_inline __u8 target_own(const struct target *target, __u32 slot)
{
	return *(const __u32 *)nfp_element(&own, slot & (IMAGE_OWN - 1));
}

static __always_inline __u32 target_port(const struct target *target)
{
	return target->port;
}

static __always_inline bool target_reaches(const struct target *target, __u16 to)
{
	return to == target->port;
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
