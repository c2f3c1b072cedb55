// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/host_route.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "host/fib/adjacency.h"
#include "host/fib/interface.h"
#include "host/fib/leaf.h"
#include "host/fib/neighbour.h"
#include "host/fib/nexthop.h"
#include "host/fib/table.h"

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

void host_route_review(struct host_routes *hosts, struct neighbour *neighbour, struct table *table)
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
			host_route_review(hosts, neighbour, table);
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

static void review_under(struct host_routes *hosts, const struct image_prefix *prefix, struct table *table)
{
	__u32 first, end;
	const struct neighbour_order *order = neighbours_under(hosts->neighbours, prefix->family,
							       &prefix->key, prefix->length, &first, &end);

	for (__u32 i = first; i < end; i++)
		host_route_review(hosts, order->at[i], table);
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

void host_routes_review_leaf(struct host_routes *hosts, const struct leaf *leaf, struct interface *interface)
{
	struct neighbour *neighbour;

	LIST_FOREACH (neighbour, &interface->neighbours, link)
		if (neighbour->usable)
			review_leaf_tables(hosts, neighbour, leaf);
}

void host_routes_review_table(struct host_routes *hosts, struct table *table)
{
	for (int family = 0; family < 2; family++)
		review_under(hosts, &(struct image_prefix){ .family = family }, table);
}

void host_routes_leave_table(struct host_routes *hosts, struct table *table)
{
	struct host_route *host, *next;

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
