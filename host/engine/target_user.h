// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * User space as target: AF_XDP, DPDK, replay, tests. The image is that of an image_store, be it memory that
 * BPF maps share or plain memory. A packet lies in one buffer with room in front of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/fib/image_store.h"
#include "xdp/packet.h"

#define TARGET_HAS_CLOCK  0 /* an engine lives and dies with the daemon that keeps the tables */
#define TARGET_FRAME_WORD __attribute__((may_alias, aligned(1)))

struct target {
	const __u64 *node;
	const __u32 *run;
	const struct image_tables *tables;
	__u32 node_mask;   /* u64 words of node[] - 1 */
	__u32 run_mask;    /* cells of run[] - 1 */
	__u32 headroom;    /* bytes in front of packet.data that tags may take */
	__u16 port;        /* where the packet came in */
	const bool *reach; /* for each of IMAGE_PORTS: packets can leave by it from here; NULL: by all */
};

static inline void target_init(struct target *target, const struct image_store *store)
{
	target->node = store->node;
	target->run = store->run;
	target->tables = store->tables;
	target->node_mask = store->node_chunks * NODE_CHUNK_WORDS - 1;
	target->run_mask = store->run_cells - 1;
	target->headroom = 0;
	target->port = 0;
	target->reach = NULL;
}

static inline __u64 target_node(const struct target *target, __u32 index)
{
	return __atomic_load_n(&target->node[index & target->node_mask], __ATOMIC_RELAXED);
}

static inline __u32 target_run(const struct target *target, __u32 index)
{
	return __atomic_load_n(&target->run[index & target->run_mask], __ATOMIC_RELAXED);
}

static inline __u16 target_leaf(const struct target *target, __u32 index)
{
	const __u16 *leaf = (const __u16 *)target->run;

	return __atomic_load_n(&leaf[index & (2 * target->run_mask + 1)], __ATOMIC_RELAXED);
}

static inline const struct image_control *target_control(const struct target *target)
{
	return &target->tables->control;
}

static inline const struct image_vrf *target_vrf(const struct target *target, __u32 index)
{
	return &target->tables->vrf[index & (IMAGE_VRFS - 1)];
}

static inline const struct image_interface *target_interface(const struct target *target, __u32 index)
{
	return &target->tables->interface[index & (IMAGE_INTERFACES - 1)];
}

static inline const struct image_interface *target_ingress(const struct target *target)
{
	return target_interface(target, target->port + 1);
}

static inline const struct image_nexthop *target_nexthop(const struct target *target, __u32 id)
{
	return &target->tables->nexthop[id & (IMAGE_NEXTHOPS - 1)];
}

static inline __u16 target_vlan(const struct target *target, __u32 index)
{
	return __atomic_load_n(&target->tables->vlan[index & (IMAGE_VLAN_TABLES * 4096 - 1)],
			       __ATOMIC_RELAXED);
}

static inline __u32 target_bucket(const struct target *target, __u32 index)
{
	return __atomic_load_n(&target->tables->bucket[index & (IMAGE_BUCKETS - 1)], __ATOMIC_RELAXED);
}

static inline __u8 target_own(const struct target *target, __u32 slot)
{
	return __atomic_load_n(&target->tables->own[slot & (IMAGE_OWN - 1)], __ATOMIC_RELAXED);
}

static inline __u32 target_port(const struct target *target)
{
	return target->port;
}

static inline bool target_reaches(const struct target *target, __u16 port)
{
	return !target->reach || __atomic_load_n(&target->reach[port & (IMAGE_PORTS - 1)], __ATOMIC_RELAXED);
}

static inline __u32 target_frame_length(const struct target *target, const struct packet *packet)
{
	return (char *)packet->end - (char *)packet->data;
}

static inline bool target_grow(const struct target *target, struct packet *packet, int bytes)
{
	if (bytes > (int)target->headroom)
		return false;
	packet->data = (char *)packet->data - bytes;
	return true;
}
