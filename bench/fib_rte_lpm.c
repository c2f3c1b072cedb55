// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_structure.h"

#include "bench/fib_dpdk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>

// DPDK's older tables. rte_lpm keeps its routes in one sorted list per length: a full table takes it minutes.

_Static_assert(FIB_RTE_LPM_FOUND == RTE_LPM_LOOKUP_SUCCESS, "the flag of a result");

struct fib_lpm {
	struct fib_structure base;
	struct rte_lpm *lpm; // or
	struct rte_lpm6 *lpm6;
	size_t groups;    // that the table needs
	size_t allocated; // from the heap before
};

static struct fib_lpm *fib_lpm(struct fib_structure *structure)
{
	return (struct fib_lpm *)structure;
}

static __u32 fib_lpm_address(const struct table_route *route)
{
	__u32 address;

	memcpy(&address, route->addr, sizeof(address));
	return __builtin_bswap32(address);
}

static void fib_lpm_close(struct fib_structure *structure)
{
	rte_lpm_free(fib_lpm(structure)->lpm);
	rte_lpm6_free(fib_lpm(structure)->lpm6);
	free(structure);
}

static struct fib_lpm *fib_lpm_new(const struct fib_bed *bed, const struct fib_structure_kind *kind)
{
	struct fib_lpm *lpm = calloc(1, sizeof(*lpm));

	if (!lpm)
		return NULL;
	lpm->base.kind = kind;
	lpm->base.bed = bed;
	lpm->groups = fib_dpdk_groups(bed->table);
	lpm->allocated = fib_dpdk_allocated();
	return lpm;
}

static int fib_lpm_opened(struct fib_lpm *lpm, struct fib_structure **ret_structure)
{
	if (!lpm->lpm && !lpm->lpm6) {
		fib_lpm_close(&lpm->base);
		return rte_errno ? -rte_errno : -ENOMEM;
	}
	*ret_structure = &lpm->base;
	return 0;
}

static int fib_rte_lpm_open(const struct fib_bed *bed, struct fib_structure **ret_structure)
{
	struct rte_lpm_config config = { .max_rules = bed->routes };
	struct fib_lpm *lpm = fib_lpm_new(bed, &fib_rte_lpm);

	if (!lpm)
		return -ENOMEM;
	config.number_tbl8s = lpm->groups + FIB_DPDK_SPARE_GROUPS(lpm->groups);
	lpm->lpm = rte_lpm_create("penstock", SOCKET_ID_ANY, &config);
	return fib_lpm_opened(lpm, ret_structure);
}

static int fib_rte_lpm6_open(const struct fib_bed *bed, struct fib_structure **ret_structure)
{
	struct rte_lpm6_config config = { .max_rules = bed->routes };
	struct fib_lpm *lpm = fib_lpm_new(bed, &fib_rte_lpm6);

	if (!lpm)
		return -ENOMEM;
	config.number_tbl8s = lpm->groups + FIB_DPDK_SPARE_GROUPS(lpm->groups);
	lpm->lpm6 = rte_lpm6_create("penstock6", SOCKET_ID_ANY, &config);
	return fib_lpm_opened(lpm, ret_structure);
}

static int fib_lpm_announce(struct fib_structure *structure, const struct table_route *route)
{
	struct fib_lpm *lpm = fib_lpm(structure);

	if (lpm->lpm)
		return rte_lpm_add(lpm->lpm, fib_lpm_address(route), route->len, route->nexthop);
	return rte_lpm6_add(lpm->lpm6, route->addr, route->len, route->nexthop);
}

// rte_lpm says -EINVAL, rte_lpm6 -ENOENT where there is no such route.
static int fib_lpm_withdraw(struct fib_structure *structure, const struct table_route *route)
{
	struct fib_lpm *lpm = fib_lpm(structure);
	int err;

	if (lpm->lpm)
		err = rte_lpm_delete(lpm->lpm, fib_lpm_address(route), route->len);
	else
		err = rte_lpm6_delete(lpm->lpm6, route->addr, route->len);
	return err == -EINVAL || err == -ENOENT ? 0 : err;
}

static void fib_lpm_memory(struct fib_structure *structure, struct fib_memory *ret_memory)
{
	const struct fib_lpm *lpm = fib_lpm(structure);

	ret_memory->lookup = FIB_DPDK_FIRST_BYTES + lpm->groups * FIB_DPDK_GROUP_BYTES;
	// Without the groups that are in reserve.
	ret_memory->all = fib_dpdk_allocated() - lpm->allocated -
			  FIB_DPDK_SPARE_GROUPS(lpm->groups) * FIB_DPDK_GROUP_BYTES;
}

static __u32 fib_lpm_one4(const struct rte_lpm *lpm, __u32 address)
{
	__u32 nexthop;

	return rte_lpm_lookup(lpm, address, &nexthop) ? 0 : nexthop;
}

static __u32 fib_lpm_one6(const struct rte_lpm6 *lpm, const __u8 *address)
{
	__u32 nexthop;

	return rte_lpm6_lookup(lpm, address, &nexthop) ? 0 : nexthop;
}

void fib_rte_lpm_one_by_one(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
			    union fib_results *results)
{
	const struct rte_lpm *lpm = fib_lpm(structure)->lpm;

	for (unsigned int i = 0; i < FIB_BURST; i++)
		results->nexthop[i] = fib_lpm_one4(lpm, stream->address4[at + i]);
}

void fib_rte_lpm_chain(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		       union fib_results *results)
{
	const struct rte_lpm *lpm = fib_lpm(structure)->lpm;
	__u32 last = results->nexthop[FIB_BURST - 1], nothing = fib_nothing;

	for (unsigned int i = 0; i < FIB_BURST; i++)
		results->nexthop[i] = last = fib_lpm_one4(lpm, stream->address4[at + i] ^ (last & nothing));
}

void fib_rte_lpm_bulk(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		      union fib_results *results)
{
	rte_lpm_lookup_bulk(fib_lpm(structure)->lpm, stream->address4 + at, results->nexthop, FIB_BURST);
}

void fib_rte_lpm6_one_by_one(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
			     union fib_results *results)
{
	const struct rte_lpm6 *lpm = fib_lpm(structure)->lpm6;

	for (unsigned int i = 0; i < FIB_BURST; i++)
		results->nexthop[i] = fib_lpm_one6(lpm, stream->network + 16 * (at + i));
}

void fib_rte_lpm6_chain(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
			union fib_results *results)
{
	const struct rte_lpm6 *lpm = fib_lpm(structure)->lpm6;
	__u32 last = results->nexthop[FIB_BURST - 1], nothing = fib_nothing;

	for (unsigned int i = 0; i < FIB_BURST; i++)
		results->nexthop[i] = last =
			fib_lpm_one6(lpm, stream->network + 16 * (at + i) + (last & nothing));
}

void fib_rte_lpm6_bulk(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		       union fib_results *results)
{
	rte_lpm6_lookup_bulk_func(fib_lpm(structure)->lpm6, (uint8_t(*)[16])(stream->network + 16 * at),
				  (int32_t *)results->nexthop, FIB_BURST);
}

const struct fib_structure_kind fib_rte_lpm = {
	.name = "rte_lpm",
	.dpdk = true,
	.open = fib_rte_lpm_open,
	.announce = fib_lpm_announce,
	.withdraw = fib_lpm_withdraw,
	.memory = fib_lpm_memory,
	.close = fib_lpm_close,
};

const struct fib_structure_kind fib_rte_lpm6 = {
	.name = "rte_lpm6",
	.dpdk = true,
	.open = fib_rte_lpm6_open,
	.announce = fib_lpm_announce,
	.withdraw = fib_lpm_withdraw,
	.memory = fib_lpm_memory,
	.close = fib_lpm_close,
};
