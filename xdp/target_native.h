// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The kernel as target: native and generic XDP. The image lies in one-element arrays that user space maps
 * too; the program reads them at addresses baked into its instructions. Each port runs its own instance over
 * shared maps.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "xdp/baked.h"
#include "xdp/packet.h"

#define TARGET_HAS_CLOCK  1
#define TARGET_FRAME_WORD __attribute__((may_alias)) /* loads at any address are one instruction */

/*
 * An address within a map's value; the upper half of the immediate is the offset. Volatile: made anew where
 * it is used, rather than kept in a register that would be spilled.
 */
#define native_address(what, offset)                                                                         \
	({                                                                                                   \
		const void *address;                                                                         \
		asm volatile("%0 = %1 ll"                                                                    \
			     : "=r"(address)                                                                 \
			     : "i"(BAKED_MAGIC | (what) | (__u64)(offset) << 32));                           \
		address;                                                                                     \
	})

/* Opaque, so that the mask stands right before the access, where every verifier since 6.1 sees it. */
static __always_inline __u32 native_bound(__u32 index, const __u32 mask)
{
	asm volatile("%0 &= %1" : "+w"(index) : "i"(mask));
	return index;
}

#define native_table(field)                                                                                  \
	((const typeof(((struct image_tables *)0)->field) *)native_address(                                  \
		BAKED_TABLES, offsetof(struct image_tables, field)))

static __always_inline __u32 native_number(const enum baked what)
{
	__u32 number;

	asm volatile("%0 = %1" : "=w"(number) : "i"(BAKED_MAGIC | what));
	return number;
}

static __always_inline __u32 native_mask(__u32 index, const enum baked what)
{
	asm volatile("%0 &= %1" : "+w"(index) : "i"(BAKED_MAGIC | what));
	return index;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, IMAGE_PORTS);
	__type(key, __u32);
	__type(value, struct image_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, IMAGE_PORTS);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} ports SEC(".maps");

struct target {
	struct xdp_md *context;
};

static __always_inline __u64 target_node(const struct target *target, __u32 index)
{
	const __u64 *node = native_address(BAKED_NODE, 0);

	return node[native_mask(index, BAKED_NODE_MASK)];
}

static __always_inline __u32 target_run(const struct target *target, __u32 index)
{
	const __u32 *run = native_address(BAKED_RUN, 0);

	return run[native_mask(index, BAKED_RUN_MASK)];
}

static __always_inline __u16 target_leaf(const struct target *target, __u32 index)
{
	const __u16 *leaf = native_address(BAKED_RUN, 0);

	return leaf[native_mask(index, BAKED_LEAF_MASK)];
}

static __always_inline const struct image_control *target_control(const struct target *target)
{
	return native_table(control);
}

static __always_inline const struct image_vrf *target_vrf(const struct target *target, __u32 index)
{
	return &(*native_table(vrf))[native_bound(index, IMAGE_VRFS - 1)];
}

static __always_inline const struct image_interface *target_interface(const struct target *target,
								      __u32 index)
{
	return &(*native_table(interface))[native_bound(index, IMAGE_INTERFACES - 1)];
}

static __always_inline const struct image_interface *target_ingress(const struct target *target)
{
	return native_address(BAKED_INGRESS, 0);
}

static __always_inline const struct image_nexthop *target_nexthop(const struct target *target, __u32 id)
{
	return &(*native_table(nexthop))[native_bound(id, IMAGE_NEXTHOPS - 1)];
}

static __always_inline __u16 target_vlan(const struct target *target, __u32 index)
{
	return (*native_table(vlan))[native_bound(index, IMAGE_VLAN_TABLES * 4096 - 1)];
}

static __always_inline __u32 target_bucket(const struct target *target, __u32 index)
{
	return (*native_table(bucket))[native_bound(index, IMAGE_BUCKETS - 1)];
}

static __always_inline __u8 target_own(const struct target *target, __u32 slot)
{
	return (*native_table(own))[native_bound(slot, IMAGE_OWN - 1)];
}

static __always_inline __u32 target_port(const struct target *target)
{
	return native_number(BAKED_PORT);
}

static __always_inline bool target_reaches(const struct target *target, __u16 port)
{
	return true;
}

static __always_inline __u64 target_clock(const struct target *target)
{
	return bpf_jiffies64();
}

static __always_inline __u32 target_frame_length(const struct target *target, const struct packet *packet)
{
	return bpf_xdp_get_buff_len(target->context);
}

static __always_inline bool target_grow(const struct target *target, struct packet *packet, int bytes)
{
	if (bpf_xdp_adjust_head(target->context, -bytes))
		return false;
	packet->data = (void *)(long)target->context->data;
	packet->end = (void *)(long)target->context->data_end;
	return true;
}
