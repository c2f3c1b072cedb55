// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/host_route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/fib/adjacency.h"
#include "host/fib/interface.h"
#include "host/fib/leaf.h"
#include "host/fib/neighbour.h"
#include "host/fib/nexthop.h"
#include "host/fib/table.h"

/* Neighbours that are reviewed within a change, some 0.1 ms, and in a step. */
#define AT_ONCE 256
#define STEP    1024

static struct image_prefix prefix_of(const struct neighbour *neighbour)
{
	bool ipv4 = neighbour->family == AF_INET;

	return (struct image_prefix){
		.family = ipv4 ? IMAGE_IPV4 : IMAGE_IPV6,
		.layer = PREFIX_ROUTE,
		.length = ipv4 ? 32 : 128,
		.key = neighbour->key,
	};
}

static struct host_route *find(const struct neighbour *neighbour, const struct table *table)
{
	struct host_route *host;

	LIST_FOREACH (host, &neighbour->hosts, neighbour_link)
		if (host->table == table)
			return host;
	return NULL;
}

static void count_host(struct host_routes *hosts, __u32 leaf, int change)
{
	leaf_find(hosts->leaves, leaf)->adjacency->hosts += change;
}

static void unlink_and_free(struct host_routes *hosts, struct host_route *host)
{
	LIST_REMOVE(host, neighbour_link);
	LIST_REMOVE(host, table_link);
	hosts->count--;
	free(host);
}

static void drop(struct host_routes *hosts, struct host_route *host)
{
	struct image_prefix prefix = prefix_of(host->neighbour);
	__u32 leaf = host->leaf;

	table_host_delete(hosts->tables, host->table, &prefix, leaf);
	unlink_and_free(hosts, host);
	count_host(hosts, leaf, -1);
	leaf_put(hosts->leaves, leaf);
}

static struct host_route *make(struct host_routes *hosts, struct neighbour *neighbour, struct table *table)
{
	struct host_route *host = calloc(1, sizeof(*host));

	if (!host)
		return NULL;
	host->neighbour = neighbour;
	host->table = table;
	LIST_INSERT_HEAD(&neighbour->hosts, host, neighbour_link);
	LIST_INSERT_HEAD(&table->hosts, host, table_link);
	hosts->count++;
	return host;
}

/* Leads the address to the leaf; the caller's reference on it becomes the host route's. -ENOMEM: not done. */
static int lead(struct host_routes *hosts, struct neighbour *neighbour, struct table *table, __u32 leaf)
{
	struct image_prefix prefix = prefix_of(neighbour);
	struct host_route *host = find(neighbour, table);
	bool fresh = !host;

	if (fresh)
		host = make(hosts, neighbour, table);
	if (!host)
		return -ENOMEM;
	if (table_host_set(hosts->tables, table, &prefix, leaf) == -ENOMEM) {
		/* to replace takes no memory: there was none before */
		unlink_and_free(hosts, host);
		return -ENOMEM;
	}
	count_host(hosts, leaf, 1);
	if (!fresh) {
		count_host(hosts, host->leaf, -1);
		leaf_put(hosts->leaves, host->leaf);
	}
	host->leaf = leaf;
	return 0;
}

/* The route on link by which the kernel would reach the neighbour; NULL: it takes another way. */
static const struct adjacency *on_link_route(const struct host_routes *hosts,
					     const struct neighbour *neighbour, const struct table *table)
{
	struct image_prefix prefix = prefix_of(neighbour);
	const struct adjacency *on_link;

	if (!neighbour->usable || !table->open)
		return NULL;
	on_link = leaf_on_link(hosts->leaves, table_best(hosts->tables, table, prefix.family, &prefix.key));
	return on_link && on_link->egress == neighbour->interface ? on_link : NULL;
}

/* Decides about one neighbour in one table. */
static void decide(struct host_routes *hosts, struct neighbour *neighbour, struct table *table)
{
	const struct adjacency *on_link = on_link_route(hosts, neighbour, table);
	struct host_route *host = find(neighbour, table);
	__u32 leaf;

	if (on_link && leaf_get_host(hosts->leaves, on_link, neighbour, &leaf) < 0) {
		hosts->starved = true;
		on_link = NULL;
	}
	if (!on_link) {
		if (host)
			drop(hosts, host);
		return;
	}
	if (host && host->leaf == leaf) {
		leaf_put(hosts->leaves, leaf);
	} else if (lead(hosts, neighbour, table, leaf) < 0) {
		leaf_put(hosts->leaves, leaf);
		hosts->starved = true;
	}
}

static void review_leaf_tables(struct host_routes *hosts, struct neighbour *neighbour,
			       const struct leaf *leaf)
{
	for (__u32 i = 0; i < leaf->table_count; i++) {
		struct table *table = table_find(hosts->tables, leaf->table[i]);

		if (table)
			decide(hosts, neighbour, table);
	}
}

void host_routes_review_neighbour(struct host_routes *hosts, struct neighbour *neighbour)
{
	struct host_route *host, *next;
	struct adjacency *on_link;

	if (!neighbour->usable) {
		for (host = LIST_FIRST(&neighbour->hosts); host; host = next) {
			next = LIST_NEXT(host, neighbour_link);
			drop(hosts, host);
		}
		return;
	}
	LIST_FOREACH (on_link, &neighbour->interface->on_link, egress_link)
		review_leaf_tables(hosts, neighbour, leaf_find(hosts->leaves, on_link->leaf));
}

/* --- many of them --- */

static bool same_key(const struct prefix_key *a, const struct prefix_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The smallest prefix that contains both. */
static void join(struct table_review *review, const struct prefix_key *key, unsigned length)
{
	struct prefix_key one, other;

	if (length > review->length)
		length = review->length;
	do {
		one = prefix_key_cut(review->key, length);
		other = prefix_key_cut(*key, length);
	} while (!same_key(&one, &other) && length--);
	review->key = one;
	review->length = length;
}

static void want(struct host_routes *hosts, struct table *table, const struct image_prefix *prefix)
{
	struct table_review *review = &table->review[prefix->family];

	if (review->wanted) {
		join(review, &prefix->key, prefix->length);
		review->again = true;
		return;
	}
	*review = (struct table_review){
		.wanted = true, .length = prefix->length, .key = prefix->key, .next = prefix->key
	};
	hosts->wanted++;
}

static void forget(struct host_routes *hosts, struct table *table)
{
	for (int family = 0; family < 2; family++) {
		hosts->wanted -= table->review[family].wanted;
		table->review[family] = (struct table_review){ 0 };
	}
}

static void review_under(struct host_routes *hosts, const struct image_prefix *prefix, struct table *table)
{
	__u32 first, end;
	const struct neighbour_order *order = neighbours_under(hosts->neighbours, prefix->family,
							       &prefix->key, prefix->length, &first, &end);

	if (end - first > AT_ONCE) {
		want(hosts, table, prefix);
		return;
	}
	for (__u32 i = first; i < end; i++)
		decide(hosts, order->at[i], table);
}

/* A step; neighbours that have one address are of one step. Returns how many were reviewed. */
static __u32 go_on(struct host_routes *hosts, struct table *table, int family, __u32 most)
{
	struct table_review *review = &table->review[family];
	unsigned width = family == IMAGE_IPV4 ? 32 : 128;
	__u32 first, end, at, past;
	const struct neighbour_order *order;

	(void)neighbours_under(hosts->neighbours, family, &review->next, width, &at, &past);
	order = neighbours_under(hosts->neighbours, family, &review->key, review->length, &first, &end);
	for (first = at; at < end; at++) {
		if (at - first >= most && !same_key(&order->at[at]->key, &order->at[at - 1]->key)) {
			review->next = order->at[at]->key;
			return at - first;
		}
		decide(hosts, order->at[at], table);
	}
	hosts->wanted -= !review->again;
	review->wanted = review->again;
	review->again = false;
	review->next = review->key;
	return at - first;
}

static struct table *first_wanted(const struct host_routes *hosts, int *ret_family)
{
	struct table *table;

	LIST_FOREACH (table, &hosts->tables->open, open_link) {
		for (int family = 0; family < 2; family++) {
			if (!table->review[family].wanted)
				continue;
			*ret_family = family;
			return table;
		}
	}
	return NULL;
}

void host_routes_review_prefix(struct host_routes *hosts, const struct image_prefix *prefix,
			       struct table *table)
{
	if (table) {
		if (table->open)
			review_under(hosts, prefix, table);
		return;
	}
	LIST_FOREACH (table, &hosts->tables->open, open_link)
		review_under(hosts, prefix, table);
}

static bool has_many(const struct interface *interface)
{
	const struct neighbour *neighbour;
	unsigned count = 0;

	LIST_FOREACH (neighbour, &interface->neighbours, link)
		if (++count > AT_ONCE)
			return true;
	return false;
}

void host_routes_review_leaf(struct host_routes *hosts, const struct leaf *leaf, struct interface *interface)
{
	struct neighbour *neighbour;

	if (has_many(interface)) {
		for (__u32 i = 0; i < leaf->table_count; i++) {
			struct table *table = table_find(hosts->tables, leaf->table[i]);

			if (table && table->open)
				host_routes_review_table(hosts, table);
		}
		return;
	}
	LIST_FOREACH (neighbour, &interface->neighbours, link)
		if (neighbour->usable)
			review_leaf_tables(hosts, neighbour, leaf);
}

void host_routes_review_table(struct host_routes *hosts, struct table *table)
{
	for (int family = 0; family < 2; family++)
		review_under(hosts, &(struct image_prefix){ .family = family }, table);
}

bool host_routes_settle(struct host_routes *hosts)
{
	struct table *table;
	__u32 done = 0;
	int family = 0;

	while (hosts->wanted && done < STEP) {
		table = first_wanted(hosts, &family);
		done += go_on(hosts, table, family, STEP - done) + 1;
	}
	return hosts->wanted;
}

void host_routes_leave_table(struct host_routes *hosts, struct table *table)
{
	struct host_route *host, *next;

	forget(hosts, table);
	for (host = LIST_FIRST(&table->hosts); host; host = next) {
		next = LIST_NEXT(host, table_link);
		drop(hosts, host);
	}
}

void host_routes_heal(struct host_routes *hosts)
{
	struct table *table;

	if (!hosts->starved || !nexthops_room(hosts->leaves->nexthops))
		return;
	hosts->starved = false;
	LIST_FOREACH (table, &hosts->tables->open, open_link)
		host_routes_review_table(hosts, table);
}

void host_routes_exit(struct host_routes *hosts)
{
	struct table *table;
	struct host_route *host, *next;

	LIST_FOREACH (table, &hosts->tables->open, open_link) {
		for (host = LIST_FIRST(&table->hosts); host; host = next) {
			next = LIST_NEXT(host, table_link);
			unlink_and_free(hosts, host);
		}
	}
}
