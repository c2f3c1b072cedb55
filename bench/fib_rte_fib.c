// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_structure.h"

#include "bench/fib_dpdk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_fib.h>
#include <rte_fib6.h>

// DPDK's newer tables: DIR-24-8 for IPv4, a trie of 24 bits and steps of 8 for IPv6, with next hops of 4
// bytes.

struct fib_rte {
	struct fib_structure base;
	struct rte_fib *fib; // or
	struct rte_fib6 *fib6;
	size_t groups;    // that the table needs
	size_t allowed;   // there is room for
	size_t allocated; // from the heap before
};

static struct fib_rte *fib_rte(struct fib_structure *structure)
{
	return (struct fib_rte *)structure;
}

static __u32 fib_rte_address(const struct table_route *route)
{
	__u32 address;

	memcpy(&address, route->addr, sizeof(address));
	return __builtin_bswap32(address);
}

static void fib_rte_close(struct fib_structure *structure)
{
	rte_fib_free(fib_rte(structure)->fib);
	rte_fib6_free(fib_rte(structure)->fib6);
	free(structure);
}

static struct fib_rte *fib_rte_new(const struct fib_bed *bed, const struct fib_structure_kind *kind)
{
	struct fib_rte *rte = calloc(1, sizeof(*rte));

	if (!rte)
		return NULL;
	rte->base.kind = kind;
	rte->base.bed = bed;
	rte->groups = fib_dpdk_groups(bed->table);
	rte->allocated = fib_dpdk_allocated();
	return rte;
}

static int fib_rte_opened(struct fib_rte *rte, struct fib_structure **ret_structure)
{
	if (!rte->fib && !rte->fib6) {
		fib_rte_close(&rte->base);
		return rte_errno ? -rte_errno : -ENOMEM;
	}
	*ret_structure = &rte->base;
	return 0;
}

static int fib_rte_fib_open(const struct fib_bed *bed, struct fib_structure **ret_structure)
{
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.max_routes = bed->routes,
		.dir24_8 = { .nh_sz = RTE_FIB_DIR24_8_4B },
	};
	struct fib_rte *rte = fib_rte_new(bed, &fib_rte_fib);

	if (!rte)
		return -ENOMEM;
	rte->allowed = rte->groups + FIB_DPDK_SPARE_GROUPS(rte->groups);
	conf.dir24_8.num_tbl8 = rte->allowed;
	rte->fib = rte_fib_create("penstock", SOCKET_ID_ANY, &conf);
	return fib_rte_opened(rte, ret_structure);
}

static int fib_rte_fib6_open(const struct fib_bed *bed, struct fib_structure **ret_structure)
{
	struct rte_fib6_conf conf = {
		.type = RTE_FIB6_TRIE,
		.max_routes = bed->routes,
		.trie = { .nh_sz = RTE_FIB6_TRIE_4B },
	};
	struct fib_rte *rte = fib_rte_new(bed, &fib_rte_fib6);

	if (!rte)
		return -ENOMEM;
	rte->allowed = fib_dpdk_wanted_groups(bed->table);
	rte->allowed += FIB_DPDK_SPARE_GROUPS(rte->allowed);
	conf.trie.num_tbl8 = rte->allowed;
	rte->fib6 = rte_fib6_create("penstock6", SOCKET_ID_ANY, &conf);
	return fib_rte_opened(rte, ret_structure);
}

static int fib_rte_announce(struct fib_structure *structure, const struct table_route *route)
{
	struct fib_rte *rte = fib_rte(structure);

	if (rte->fib)
		return rte_fib_add(rte->fib, fib_rte_address(route), route->len, route->nexthop);
	return rte_fib6_add(rte->fib6, route->addr, route->len, route->nexthop);
}

static int fib_rte_withdraw(struct fib_structure *structure, const struct table_route *route)
{
	struct fib_rte *rte = fib_rte(structure);
	int err;

	if (rte->fib)
		err = rte_fib_delete(rte->fib, fib_rte_address(route), route->len);
	else
		err = rte_fib6_delete(rte->fib6, route->addr, route->len);
	return err == -ENOENT ? 0 : err;
}

static void fib_rte_memory(struct fib_structure *structure, struct fib_memory *ret_memory)
{
	const struct fib_rte *rte = fib_rte(structure);

	ret_memory->lookup = FIB_DPDK_FIRST_BYTES + rte->groups * FIB_DPDK_GROUP_BYTES;
	// Without the groups that are not used.
	ret_memory->all =
		fib_dpdk_allocated() - rte->allocated - (rte->allowed - rte->groups) * FIB_DPDK_GROUP_BYTES;
}

int fib_rte_fib_scalar(struct fib_structure *structure)
{
	return rte_fib_select_lookup(fib_rte(structure)->fib, RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO);
}

int fib_rte_fib_avx512(struct fib_structure *structure)
{
	return rte_fib_select_lookup(fib_rte(structure)->fib, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512);
}

int fib_rte_fib6_scalar(struct fib_structure *structure)
{
	return rte_fib6_select_lookup(fib_rte(structure)->fib6, RTE_FIB6_LOOKUP_TRIE_SCALAR);
}

int fib_rte_fib6_avx512(struct fib_structure *structure)
{
	return rte_fib6_select_lookup(fib_rte(structure)->fib6, RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512);
}

void fib_rte_fib_bulk(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		      union fib_results *results)
{
	rte_fib_lookup_bulk(fib_rte(structure)->fib, stream->address4 + at, (uint64_t *)results->wide,
			    FIB_BURST);
}

void fib_rte_fib6_bulk(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		       union fib_results *results)
{
	rte_fib6_lookup_bulk(fib_rte(structure)->fib6, (uint8_t(*)[16])(stream->network + 16 * at),
			     (uint64_t *)results->wide, FIB_BURST);
}

const struct fib_structure_kind fib_rte_fib = {
	.name = "rte_fib",
	.dpdk = true,
	.open = fib_rte_fib_open,
	.announce = fib_rte_announce,
	.withdraw = fib_rte_withdraw,
	.memory = fib_rte_memory,
	.close = fib_rte_close,
};

const struct fib_structure_kind fib_rte_fib6 = {
	.name = "rte_fib6",
	.dpdk = true,
	.open = fib_rte_fib6_open,
	.announce = fib_rte_announce,
	.withdraw = fib_rte_withdraw,
	.memory = fib_rte_memory,
	.close = fib_rte_close,
};
