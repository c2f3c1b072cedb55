// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The kernel as target: native and generic XDP. The image lies in one-element arrays (a constant key is
 * looked up inline, and user space maps the very same memory). Each port runs its own instance of the
 * program over shared maps; what differs is constant for the verifier, which folds it.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "xdp/packet.h"

#define TARGET_HAS_LINES  1
#define TARGET_HAS_CLOCK  1
#define TARGET_FRAME_WORD __attribute__((may_alias)) /* loads at any address are one instruction */

/* Set before the object is loaded. */
const volatile __u16 port_id = 0;
const volatile __u32 node_mask = 0; /* u64 words of node[] - 1 */
const volatile __u32 run_mask = 0;  /* cells of run[] - 1 */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__uint(value_size, 64); /* the store's size replaces it */
} node SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__uint(value_size, 64);
} run SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct image_tables);
} tables SEC(".maps");

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
	const struct image_tables *tables;
	const __u64 *node;
	const __u32 *run;
};

static __always_inline __u64 target_node(const struct target *target, __u32 index)
{
	return target->node[index & node_mask];
}

static __always_inline const struct image_line *target_line(const struct target *target, __u32 chunk)
{
	return (const void *)&target->node[(chunk * NODE_CHUNK_WORDS) & node_mask];
}

static __always_inline __u32 target_run(const struct target *target, __u32 index)
{
	return target->run[index & run_mask];
}

static __always_inline const struct image_control *target_control(const struct target *target)
{
	return &target->tables->control;
}

static __always_inline const struct image_vrf *target_vrf(const struct target *target, __u32 index)
{
	return &target->tables->vrf[index & (IMAGE_VRFS - 1)];
}

static __always_inline const struct image_interface *target_interface(const struct target *target,
								      __u32 index)
{
	return &target->tables->interface[index & (IMAGE_INTERFACES - 1)];
}

static __always_inline const struct image_nexthop *target_nexthop(const struct target *target, __u32 id)
{
	return &target->tables->nexthop[id & (IMAGE_NEXTHOPS - 1)];
}

static __always_inline __u16 target_vlan(const struct target *target, __u32 index)
{
	return target->tables->vlan[index & (IMAGE_VLAN_TABLES * 4096 - 1)];
}

static __always_inline __u32 target_bucket(const struct target *target, __u32 index)
{
	return target->tables->bucket[index & (IMAGE_BUCKETS - 1)];
}

static __always_inline __u64 target_own(const struct target *target, __u32 word)
{
	return target->tables->own[word & (IMAGE_OWN_BITS / 64 - 1)];
}

static __always_inline __u16 target_port(const struct target *target)
{
	return port_id;
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
