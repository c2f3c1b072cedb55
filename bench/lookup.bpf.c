// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Longest prefix match in eBPF, nothing else: each run looks up LOOKUP_BATCH addresses of a trace in one of
// several structures. Independent lookups overlap in the CPU; a dependent one cannot begin before the last
// has ended, because its address depends on the last result (by result & 0).
//
// bpf_fib_lookup tells next hops by their gateways; the low half of the gateway's address is the result.

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bench/lookup_layout.h"
#include "xdp/image.h"

#define TARGET_HAS_CLOCK 0

#ifndef AF_INET
#define AF_INET  2
#define AF_INET6 10
#endif
#define LOOKUP_SKIP_NEIGHBOUR 4 // BPF_FIB_LOOKUP_SKIP_NEIGH of newer headers

// Set before the object is loaded.
const volatile __u32 node_mask = 0; // words of node[] - 1
const volatile __u32 run_mask = 0;  // cells of run[] - 1
const volatile __u32 leaf_mask = 0; // half cells of run[] - 1
const volatile bool dependent = false;
const volatile bool record = false; // write results down

__u32 root[2]; // IPv4, IPv6: where the image's search begins
__u32 cursor;  // in the trace
__u32 nothing; // 0, but the compiler cannot know
__u32 ingress; // interface that packets for bpf_fib_lookup come in by
__u64 sum;     // of all results

// One big value that user space maps.
#define BIG_VALUE(name, value_type)                                                                          \
	struct {                                                                                             \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                            \
		__uint(max_entries, 1);                                                                      \
		__uint(map_flags, BPF_F_MMAPABLE);                                                           \
		__type(key, __u32);                                                                          \
		__type(value, value_type);                                                                   \
	} name SEC(".maps")

// These two are the image's own maps: the loader puts them in.
BIG_VALUE(node, __u64);
BIG_VALUE(run, __u64);
BIG_VALUE(trace, struct lookup_trace);
BIG_VALUE(results, struct lookup_results);
BIG_VALUE(dir, struct lookup_dir);

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, LOOKUP_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lookup_key4);
	__type(value, __u32);
} trie4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, LOOKUP_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lookup_key6);
	__type(value, __u32);
} trie6 SEC(".maps");

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

// The routing program may use neither helpers nor action codes; what follows it here needs both.
static __always_inline void *find(void *map, const void *key)
{
	return bpf_map_lookup_elem(map, key);
}

static __always_inline bool find_kernel(struct xdp_md *context, struct bpf_fib_lookup *fib)
{
	return bpf_fib_lookup(context, fib, sizeof(*fib), LOOKUP_SKIP_NEIGHBOUR) == BPF_FIB_LKUP_RET_SUCCESS;
}

enum { DONE = XDP_PASS, FAILED = XDP_DROP };

#include "xdp/route.h"

struct batch {
	struct xdp_md *context;
	const void *trace;
	__u32 *results;
	struct target target;
	const struct lookup_dir *dir;
	__u32 cursor;
	__u32 nothing;
	__u32 last; // result
	__u64 sum;
};

static __always_inline __u32 last(const struct batch *batch)
{
	return dependent ? batch->last & batch->nothing : 0;
}

static __always_inline __u32 address4(const struct batch *batch)
{
	const __u32 *trace = batch->trace;

	return trace[batch->cursor & (LOOKUP_ADDRESSES - 1)] ^ last(batch);
}

struct address6 {
	__u64 half[2];
};

static __always_inline struct address6 address6(const struct batch *batch)
{
	const struct address6 *trace = batch->trace;
	struct address6 address = trace[batch->cursor & (LOOKUP_ADDRESSES - 1)];

	address.half[0] ^= last(batch);
	return address;
}

static __always_inline void take(struct batch *batch, __u32 result)
{
	if (record)
		batch->results[batch->cursor & (LOOKUP_ADDRESSES - 1)] = result;
	batch->sum += result;
	batch->cursor += 1;
	batch->last = result;
}

// Calls a stride LOOKUP_BATCH / LOOKUP_STRIDE times, everything it needs at hand.
static __always_inline int repeat(struct xdp_md *context, long (*stride)(__u32, struct batch *))
{
	const __u32 zero = 0;
	struct batch batch = { .context = context, .cursor = cursor, .nothing = nothing };

	batch.trace = find(&trace, &zero);
	batch.results = find(&results, &zero);
	batch.target.node = find(&node, &zero);
	batch.target.run = find(&run, &zero);
	batch.dir = find(&dir, &zero);
	if (!batch.trace || !batch.results || !batch.target.node || !batch.target.run || !batch.dir)
		return FAILED;
	bpf_loop(LOOKUP_BATCH / LOOKUP_STRIDE, stride, &batch, 0);
	cursor = batch.cursor;
	sum += batch.sum;
	return DONE;
}

// A call for every lookup would make the CPU throw away what it has begun of the next ones: on many CPUs,
// returns are not predicted, so that they cannot be abused.
#define PROGRAM(name)                                                                                        \
	static long stride_##name(__u32 index, struct batch *batch)                                          \
	{                                                                                                    \
		for (__u32 i = 0; i < LOOKUP_STRIDE; i++)                                                    \
			step_##name(batch);                                                                  \
		return 0;                                                                                    \
	}                                                                                                    \
                                                                                                             \
	SEC("xdp")                                                                                           \
	int lookup_##name(struct xdp_md *context)                                                            \
	{                                                                                                    \
		return repeat(context, stride_##name);                                                       \
	}

// What the harness itself costs.
static __always_inline void step_nothing4(struct batch *batch)
{
	take(batch, address4(batch));
}

static __always_inline void step_nothing6(struct batch *batch)
{
	struct address6 address = address6(batch);

	take(batch, address.half[0] ^ address.half[1]);
}

static __always_inline void step_image4(struct batch *batch)
{
	take(batch, route_find(&batch->target, root[0], route_key4(address4(batch)), 32));
}

static __always_inline void step_image6(struct batch *batch)
{
	struct address6 address = address6(batch);

	take(batch, route_find(&batch->target, root[1], route_key6(address.half[0], address.half[1]), 128));
}

static __always_inline void step_dir4(struct batch *batch)
{
	__u32 address = __builtin_bswap32(address4(batch));
	__u32 entry = batch->dir->first[address >> 8];

	if (entry & LOOKUP_DIR_GROUP)
		entry = batch->dir->group[(entry * 256 + (address & 255)) & (LOOKUP_DIR_GROUPS * 256 - 1)];
	take(batch, entry);
}

static __always_inline void step_trie4(struct batch *batch)
{
	struct lookup_key4 key = { .length = 32 };
	__u32 *value;

	*(__u32 *)key.address = address4(batch);
	value = find(&trie4, &key);
	take(batch, value ? *value : 0);
}

static __always_inline void step_trie6(struct batch *batch)
{
	struct address6 address = address6(batch);
	struct {
		struct lookup_key6 key;
	} __attribute__((aligned(4))) wide = { .key.length = 128 };
	__u32 *value;

	__builtin_memcpy(wide.key.address, &address, 16);
	value = find(&trie6, &wide.key);
	take(batch, value ? *value : 0);
}

static __always_inline void step_kernel4(struct batch *batch)
{
	struct bpf_fib_lookup fib = { .family = AF_INET, .ifindex = ingress };
	bool found;

	fib.ipv4_dst = address4(batch);
	found = find_kernel(batch->context, &fib);
	take(batch, found ? __builtin_bswap32(fib.ipv4_dst) & 0xffff : 0);
}

static __always_inline void step_kernel6(struct batch *batch)
{
	struct bpf_fib_lookup fib = { .family = AF_INET6, .ifindex = ingress };
	struct address6 address;
	bool found;

	address = address6(batch);
	__builtin_memcpy(fib.ipv6_dst, &address, 16);
	found = find_kernel(batch->context, &fib);
	take(batch, found ? __builtin_bswap32(fib.ipv6_dst[3]) & 0xffff : 0);
}

PROGRAM(nothing4)
PROGRAM(nothing6)
PROGRAM(image4)
PROGRAM(image6)
PROGRAM(dir4)
PROGRAM(trie4)
PROGRAM(trie6)
PROGRAM(kernel4)
PROGRAM(kernel6)

char licence[] SEC("license") = "Dual BSD/GPL";
