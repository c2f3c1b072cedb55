// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/table.h"

// DIR-24-8 for IPv4: an entry for each of 2^24 prefixes of 24 bits, which is the answer, or the number of a
// group of 256 entries for what is longer. The arrays are those that bench/lookup.bpf.c searches; next hops
// are 1 to 65535.
//
// Updates are made in place, by the rule that longer prefixes win: beside each entry stands the length of the
// prefix that it comes from.

struct dir24;
struct lookup_dir;

// An empty one over these arrays, which must be all zero and live as long. -ENOMEM.
int dir24_new(struct lookup_dir *arrays, struct dir24 **ret_dir24);

// Frees it, not the arrays; NULL is fine.
void dir24_free(struct dir24 *dir24);

// Adds a route or replaces it. -ENOSPC: there is no group left; -ENOMEM.
int dir24_set(struct dir24 *dir24, const struct table_route *route);

// Removes a route. -ENOENT.
int dir24_delete(struct dir24 *dir24, const struct table_route *route);

// Bytes that lookups read from, and all, with what updates need.
size_t dir24_lookup_bytes(const struct dir24 *dir24);
size_t dir24_bytes(const struct dir24 *dir24);
