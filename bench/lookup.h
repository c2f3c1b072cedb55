// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>

#include "bench/workload/table.h"
#include "host/fib/image_store.h"

// Lookups in eBPF through BPF_PROG_TEST_RUN: the image beside DIR-24-8 and the kernel's LPM_TRIE, all loaded
// from the same table, all asked for the same addresses.

enum lookup_structure {
	LOOKUP_NOTHING, // no lookup: what the harness costs
	LOOKUP_IMAGE,
	LOOKUP_DIR, // IPv4 only
	LOOKUP_TRIE,
	LOOKUP_STRUCTURES
};

struct lookup;

// Loads the programs over the image's maps. -EPERM, -ENOMEM; libbpf tells more on stderr.
int lookup_new(const struct image_store *store, struct lookup **ret_lookup);

// Frees everything; NULL is fine.
void lookup_free(struct lookup *lookup);

// Puts the routes of a sorted table into DIR-24-8 and LPM_TRIE, next hops as they are. -ENOSPC, -ENOMEM.
int lookup_load(struct lookup *lookup, const struct table *table);

// Has the trace for a family filled: packed addresses in network order, LOOKUP_ADDRESSES of them.
void *lookup_trace(struct lookup *lookup);

// Where the image's searches begin: as they are in the tables of this VRF now.
void lookup_roots(struct lookup *lookup, __u16 vrf);

// Looks up `batches` times LOOKUP_BATCH addresses; *ret_ns is the time of one lookup. -EOPNOTSUPP: the
// structure has no such family.
int lookup_run(struct lookup *lookup, enum lookup_structure structure, __u8 family, bool dependent,
	       unsigned int batches, double *ret_ns);

// Looks up every address of the trace once and returns the results in its order; NULL: it failed.
const __u32 *lookup_results(struct lookup *lookup, enum lookup_structure structure, __u8 family);

// Instructions that the verifier walked through for a program, or 0.
unsigned int lookup_verified(struct lookup *lookup, enum lookup_structure structure, __u8 family);
