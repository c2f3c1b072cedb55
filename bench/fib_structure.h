// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stddef.h>

#include "bench/fib_stream.h"
#include "bench/lookup.h"
#include "bench/topology.h"
#include "bench/workload/table.h"

// What holds routes of one family and finds them. Next hops are FIB_NEXTHOP_MIN to FIB_NEXTHOP_MAX, in all
// structures the same numbers; what is below stands for "no route".

#define FIB_NEXTHOP_MIN REASON_MAX
#define FIB_NEXTHOP_MAX (IMAGE_NEXTHOPS - 1)

// Lookups at a time: what engines get from a NIC at once.
#define FIB_BURST 64

// What structures share.
struct fib_bed {
	__u8 family;
	size_t routes;                     // that there may be at most
	const struct table *table;         // those in the beginning
	struct image_store *maps;          // NULL without eBPF
	struct lookup *lookup;             // over these maps
	const struct topology *topology;   // NULL without the kernel's routes
	const volatile sig_atomic_t *stop; // set by a signal: what takes long ends with -EINTR
};

struct fib_memory {
	size_t lookup; // bytes that lookups read from; 0: not known
	size_t all;    // with what updates need
};

// Common beginning of all structures.
struct fib_structure {
	const struct fib_structure_kind *kind;
	const struct fib_bed *bed;
	bool lost;            // an update failed: it no longer has the routes that the others have
	double build_seconds; // CPU time of loading: making what is read, once all routes are known; 0: not
			      // apart
};

struct fib_structure_kind {
	const char *name;
	bool ebpf, kernel, dpdk; // what it needs of the bed

	// Makes an empty one.
	int (*open)(const struct fib_bed *bed, struct fib_structure **ret_structure);
	// Adds the routes of a sorted table; NULL: they are announced, one after the other.
	int (*load)(struct fib_structure *structure, const struct table *table);
	// Adds a route or replaces it.
	int (*announce)(struct fib_structure *structure, const struct table_route *route);
	// Removes a route; it may be missing.
	int (*withdraw)(struct fib_structure *structure, const struct table_route *route);
	void (*memory)(struct fib_structure *structure, struct fib_memory *ret_memory);
	void (*close)(struct fib_structure *structure);
};

extern const struct fib_structure_kind fib_image_memory, fib_image_maps; // bench/fib_image.c
extern const struct fib_structure_kind fib_trie, fib_dir24;              // bench/fib_ebpf.c
extern const struct fib_structure_kind fib_kernel;                       // bench/fib_kernel.c
#ifdef HAVE_DPDK
extern const struct fib_structure_kind fib_rte_fib, fib_rte_fib6; // bench/fib_rte_fib.c
extern const struct fib_structure_kind fib_rte_lpm, fib_rte_lpm6; // bench/fib_rte_lpm.c
#endif

// Results of a burst, as the structure writes them: next hops, perhaps with flags above the low 16 bits, or
// all ones for none.
union fib_results {
	__u32 nexthop[FIB_BURST];
	__u64 wide[FIB_BURST];
};

// A structure in memory, which answers without a system call. Finds FIB_BURST addresses of the stream from
// number `at`: all at once, or one after the other, the address of each made to depend on the result before
// (the first on the last one of what is in results).
typedef void fib_find(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		      union fib_results *results);

fib_find fib_image_one_by_one, fib_image_chain, fib_image_bulk, fib_image_bulk_avx2, fib_image_bulk_plain;
#ifdef HAVE_DPDK
fib_find fib_rte_fib_bulk, fib_rte_fib6_bulk; // wide
fib_find fib_rte_lpm_one_by_one, fib_rte_lpm_chain, fib_rte_lpm_bulk;
fib_find fib_rte_lpm6_one_by_one, fib_rte_lpm6_chain, fib_rte_lpm6_bulk;

// What results of fib_rte_lpm_bulk have, or there is no route.
#define FIB_RTE_LPM_FOUND 0x01000000u

// How the next lookups are to be done. -EINVAL: not on this CPU.
int fib_rte_fib_scalar(struct fib_structure *structure);
int fib_rte_fib_avx512(struct fib_structure *structure);
int fib_rte_fib6_scalar(struct fib_structure *structure);
int fib_rte_fib6_avx512(struct fib_structure *structure);
#endif

// A number that is 0, which no compiler knows.
extern volatile __u32 fib_nothing;
