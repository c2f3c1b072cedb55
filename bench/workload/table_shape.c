// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/table_shape.h"

#include <errno.h>
#include <string.h>

// Routing tables come about by division: a registry divides its space among networks, these divide theirs
// among sites and customers, and announce some of the parts. So a table is described as a branching process
// over the binary tree of prefixes: given that there are routes below a node, what are its two children? The
// answer is counted per level, and apart for nodes that a route covers and for those whose sibling is empty
// (space that is used little tends to stay so further down). That gives the histogram of lengths, the
// nesting, the clustering and the empty space of the table at once. Runs of /24s (blocks announced piece by
// piece) are too regular for independent choices at each level; nodes with nothing but all their leaves are
// therefore kinds of their own and not divided further.

struct measure {
	struct table_shape *shape;
	const struct table_route *routes;
};

static bool measure_bit(const struct table_route *route, unsigned int bit)
{
	return route->addr[bit / 8] >> (7 - bit % 8) & 1;
}

// Returns the end of the routes within [i, end) that are in the left half of their node of this level.
static size_t measure_half(const struct measure *m, size_t i, size_t end, unsigned int level)
{
	while (i < end) {
		size_t middle = i + (end - i) / 2;

		if (measure_bit(&m->routes[middle], level))
			end = middle;
		else
			i = middle + 1;
	}
	return end;
}

static bool measure_is_full(const struct measure *m, size_t i, size_t end, unsigned int level)
{
	if (end - i != (size_t)1 << (m->shape->leaf - level))
		return false;
	for (; i < end; i++)
		if (m->routes[i].len != m->shape->leaf)
			return false;
	return true;
}

// Counts the node of this level that holds the routes [i, end), and all below; returns its kind.
static enum table_shape_node measure_node(const struct measure *m, size_t i, size_t end, unsigned int level,
					  unsigned int context)
{
	bool route = i < end && m->routes[i].len == level;
	enum table_shape_node left, right;
	unsigned int covered;
	size_t half;

	i += route;
	if (i == end)
		return route ? SHAPE_ROUTE : SHAPE_EMPTY;
	if (measure_is_full(m, i, end, level))
		return route ? SHAPE_ROUTE_FULL : SHAPE_FULL;
	if (route)
		context |= SHAPE_COVERED;
	covered = context & SHAPE_COVERED;
	half = measure_half(m, i, end, level);
	left = measure_node(m, i, half, level + 1, half == end ? covered | SHAPE_ALONE : covered);
	right = measure_node(m, half, end, level + 1, half == i ? covered | SHAPE_ALONE : covered);
	m->shape->pairs[level - m->shape->root][context][left * SHAPE_NODES + right]++;
	return route ? SHAPE_ROUTE_BELOW : SHAPE_BELOW;
}

static unsigned int measure_root_of(const struct table_shape *shape, const struct table_route *route)
{
	return (route->addr[0] << 8 | route->addr[1]) >> (16 - shape->root);
}

static int measure_select(const struct table *table, const struct table_shape *shape,
			  struct table **ret_table)
{
	struct table *selected = table_new();
	int r = selected ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < table->count; i++) {
		const struct table_route *route = &table->routes[i];

		if (route->family == shape->family && route->len >= shape->root && route->len <= shape->leaf)
			r = table_append(selected, route);
	}
	if (r < 0)
		table_free(selected);
	else
		*ret_table = selected;
	return r;
}

int table_shape_measure(const struct table *table, __u8 family, struct table_shape *ret_shape)
{
	struct measure m = { .shape = ret_shape };
	struct table *selected;
	int r;

	memset(ret_shape, 0, sizeof(*ret_shape));
	ret_shape->family = family;
	ret_shape->root = family == AF_INET6 ? 16 : 8;
	ret_shape->leaf = family == AF_INET6 ? 48 : 24;
	r = measure_select(table, ret_shape, &selected);
	if (r < 0)
		return r;
	m.routes = selected->routes;
	for (size_t i = 0, end; i < selected->count; i = end) {
		unsigned int root = measure_root_of(ret_shape, &selected->routes[i]);

		for (end = i; end < selected->count; end++)
			if (measure_root_of(ret_shape, &selected->routes[end]) != root)
				break;
		ret_shape->roots[measure_node(&m, i, end, ret_shape->root, 0)]++;
	}
	table_free(selected);
	return 0;
}
