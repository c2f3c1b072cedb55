// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <linux/types.h>

// Next-hop ids are 1 to TABLE_NEXTHOP_MAX (24 bits, what a leaf of the forwarding image can hold). 0 is "no
// route".
#define TABLE_NEXTHOP_MAX 0xffffffu
// More than ten full tables; a file with more is refused instead of filling the memory.
#define TABLE_ROUTES_MAX  (16u << 20)

struct table_route {
	__u8 addr[16]; // network order; IPv4 in the first 4 bytes, the rest 0; no bit is set behind len
	__u8 len;
	__u8 family; // AF_INET or AF_INET6
	__u8 reserved[2];
	__u32 nexthop;
};

// A routing table as plain arrays. Both families may share one table; sorted, IPv4 comes first.
struct table {
	struct table_route *routes;
	size_t count;
	size_t room;
};

// Returns an empty table, or NULL without memory. Free with table_free().
struct table *table_new(void);

// Frees the table; NULL is fine.
void table_free(struct table *table);

// Adds a copy of route at the end; -ENOMEM, or -E2BIG when TABLE_ROUTES_MAX routes are in.
int table_append(struct table *table, const struct table_route *route);

// Sorts by family, address, length (a covering prefix comes before what it covers) and keeps the last of
// equal prefixes; -ENOMEM leaves the table as it was.
int table_sort(struct table *table);

// Is the table in the order of table_sort(), each prefix once?
bool table_is_sorted(const struct table *table);

// Sets ret_table to a new table with the routes of one family, in their order.
int table_select(const struct table *table, __u8 family, struct table **ret_table);

// Returns a hash of all routes in their order: equal tables have equal hashes on every machine.
__u64 table_hash(const struct table *table);

// Compares by family, address and length, as table_sort() orders; next hops do not count.
int table_route_compare(const struct table_route *a, const struct table_route *b);

// Returns the number of address bits of a family: 32 or 128.
static inline unsigned int table_width(__u8 family)
{
	return family == AF_INET6 ? 128 : 32;
}
