// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Stands in for host/fib in tests of the mirror's parts: it keeps what it is told in plain arrays, and can be
 * asked. Leaves below REASON_MAX are reasons, as in the image.
 */
#pragma once

#include "host/fib/fib.h"

#define FAKE_PATHS 8

struct fake_leaf {
	bool used, owned;
	__u32 references;
	enum reason reason;
	__u8 family;
	__u32 mtu, path_count;
	struct fib_path path[FAKE_PATHS];
};

struct fake_route {
	__u32 table;
	struct fib_prefix prefix;
	__u32 leaf;
	bool shadow;
};

struct fib *fake_fib_new(void);
void fake_fib_free(struct fib *fib);
/* fib_leaf_new() finds no room from now on, or does again. */
void fake_fib_full(struct fib *fib, bool full);

const struct fake_leaf *fake_fib_leaf(const struct fib *fib, __u32 leaf);
/* NULL: none. */
const struct fake_route *fake_fib_route(const struct fib *fib, __u32 table, const struct fib_prefix *prefix);
__u32 fake_fib_routes(const struct fib *fib);
/* Leaves that somebody holds, those of reasons not counted. */
__u32 fake_fib_leaves(const struct fib *fib);
const struct fib_interface *fake_fib_interface(const struct fib *fib, __u32 ifindex);
/* How often routes were set or deleted. */
__u64 fake_fib_changes(const struct fib *fib);
/* The link address of a neighbour; NULL: not usable or unknown. */
const __u8 *fake_fib_neighbour(const struct fib *fib, __u32 ifindex, __u8 family, const __u8 *address);
/* What fib_gateways() tells. */
void fake_fib_gateway(struct fib *fib, __u32 ifindex, __u8 family, const __u8 *address);
