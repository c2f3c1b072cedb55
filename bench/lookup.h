// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>

#include "bench/workload/table.h"
#include "host/fib/image_store.h"

// Lookups in eBPF through BPF_PROG_TEST_RUN: the image beside DIR-24-8, the kernel's LPM_TRIE and the
// kernel's own routes, all asked for the same addresses. The results are next hops as they were put in, 0 for
// none.

enum lookup_structure {
	LOOKUP_NOTHING, // no lookup: what the harness costs
	LOOKUP_IMAGE,
	LOOKUP_DIR, // IPv4 only
	LOOKUP_TRIE,
	LOOKUP_KERNEL, // bpf_fib_lookup; see lookup_kernel()
	LOOKUP_STRUCTURES
};

struct lookup;
struct lookup_dir;

// Loads the programs over the image's maps. -EPERM, -ENOMEM; libbpf tells more on stderr.
int lookup_new(const struct image_store *store, struct lookup **ret_lookup);

// Frees everything; NULL is fine.
void lookup_free(struct lookup *lookup);

// The arrays of DIR-24-8, for bench/dir24.h to fill.
struct lookup_dir *lookup_dir(struct lookup *lookup);

// Adds a route to the LPM_TRIE of its family, or replaces it. -ENOSPC, -ENOMEM.
int lookup_trie_set(struct lookup *lookup, const struct table_route *route);

// Removes a route from the LPM_TRIE of its family. -ENOENT.
int lookup_trie_delete(struct lookup *lookup, const struct table_route *route);

// What the kernel says that the LPM_TRIE of a family takes, in bytes; 0 where it does not say.
size_t lookup_trie_bytes(const struct lookup *lookup, __u8 family);

// Where the image's searches begin: as they are in the tables of this VRF now. The fallback is not looked at.
void lookup_roots(struct lookup *lookup, __u16 vrf);

// bpf_fib_lookup works in this network namespace (a descriptor, which must stay open) for packets that came
// in by this interface. Its results are the low 16 bits of the gateways' addresses.
void lookup_kernel(struct lookup *lookup, int netns, __u32 ingress);

// Has the trace for a family filled: packed addresses in network order, LOOKUP_ADDRESSES of them.
void *lookup_trace(struct lookup *lookup);

// Looks up `batches` times LOOKUP_BATCH addresses, going on in the trace where the last run ended.
// -EOPNOTSUPP: the structure has no such family.
int lookup_run(struct lookup *lookup, enum lookup_structure structure, __u8 family, bool dependent,
	       unsigned int batches);

// Looks up every address of the trace once and returns the results in its order; NULL: it failed.
const __u32 *lookup_results(struct lookup *lookup, enum lookup_structure structure, __u8 family);
