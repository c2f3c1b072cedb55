// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A reader of the image in the kernel: looks up a batch of addresses in each run, with the shipped
 * xdp/route.h.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "tests/unit/image_reader_layout.h"

#define TARGET_HAS_CLOCK 0

/* Set before the object is loaded. */
const volatile __u32 node_mask = 0;
const volatile __u32 run_mask = 0;
const volatile __u32 leaf_mask = 0;

#define ONE_VALUE(name, value_type)                                                                          \
	struct {                                                                                             \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                            \
		__uint(max_entries, 1);                                                                      \
		__uint(map_flags, BPF_F_MMAPABLE);                                                           \
		__type(key, __u32);                                                                          \
		__type(value, value_type);                                                                   \
	} name SEC(".maps")

/* The first three are the image's own: the loader puts them in. */
ONE_VALUE(node, __u64);
ONE_VALUE(run, __u64);
ONE_VALUE(tables, struct image_tables);
ONE_VALUE(batch, struct reader_batch);

struct target {
	const __u64 *node;
	const __u32 *run;
};

static __always_inline __u64 target_node(const struct target *t, __u32 index)
{
	return t->node[index & node_mask];
}

static __always_inline __u32 target_run(const struct target *t, __u32 index)
{
	return t->run[index & run_mask];
}

static __always_inline __u16 target_leaf(const struct target *t, __u32 index)
{
	return ((const __u16 *)t->run)[index & leaf_mask];
}

/* The routing program may use neither helpers nor action codes; what follows it here needs both. */
static __always_inline void *find(void *map)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(map, &zero);
}

enum { DONE = XDP_PASS, FAILED = XDP_DROP };

#include "xdp/route.h"

struct work {
	struct target target;
	struct reader_batch *batch;
	const struct image_vrf *vrf;
};

static long step(__u32 i, struct work *work)
{
	struct reader_batch *work_batch = work->batch;
	struct route_key key;

	i &= READER_BATCH - 1;
	key = work_batch->key[i];
	if (work_batch->family)
		work_batch->leaf[i] = route_leaf(&work->target, work->vrf, 1, key, 128);
	else
		work_batch->leaf[i] = route_leaf(&work->target, work->vrf, 0, key, 32);
	return 0;
}

SEC("xdp")
int read_batch(struct xdp_md *context)
{
	struct work work = { .target = { .node = find(&node), .run = find(&run) }, .batch = find(&batch) };
	const struct image_tables *image = find(&tables);

	if (!work.target.node || !work.target.run || !work.batch || !image)
		return FAILED;
	work.vrf = &image->vrf[work.batch->vrf & (IMAGE_VRFS - 1)];
	bpf_loop(READER_BATCH, step, &work, 0);
	return DONE;
}

char licence[] SEC("license") = "Dual BSD/GPL";
