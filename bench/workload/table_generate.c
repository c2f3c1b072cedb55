// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/table_generate.h"

#include "bench/workload/prefix.h"
#include "bench/workload/random.h"
#include "bench/workload/table_shape.h"
#include "bench/workload/zipf.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Walks the tree of prefixes from the roots down and draws the children of each node with the chances of the
// shape (table_shape.c). Every draw is a hash of seed and node, not the next of a sequence; so the size can
// be set by one number: tilt multiplies the chance of a pair of children by tilt^weight, the weight being
// about the number of routes it brings, and with the same draws a larger tilt gives a larger table. The tilt
// that gives just over the wanted number is searched, the excess removed at random.
//
// Next hops follow the networks that hold the space: a node keeps the next hop of its parent or, with a
// certain chance, belongs to somebody else and draws its own. So neighbours, and routes and what covers them,
// mostly agree. Some allocations belong to providers who hand out small pieces to networks with a next hop of
// their own, most do not.

#define GENERATE_LONG_SHARE 400 // one route of so many is longer than the leaves
#define GENERATE_STEPS      24  // halvings in the search for the tilt, at most
#define GENERATE_EXCESS     500 // it ends when less than one route of so many is too much

// How space changes hands.
struct generate_change {
	__u8 allocation; // nodes up to this length that no route covers always do: registries allocate about
			 // so much
	double share;    // of the nodes of length allocation that are mixed
	double mixed, calm; // chances of each node (of each leaf within a full block) in the mixed ones, in
			    // the others
};

// Chosen so that next hops make as many intervals as the origins of public tables do, each origin with one of
// 500 next hops (IPv4 0.405 intervals per route, 12 % of all /19s holding more than one; IPv6 0.54).
static const struct generate_change generate_change_ipv4 = { 16, 0.36, 0.45, 0.002 };
static const struct generate_change generate_change_ipv6 = { 32, 0.06, 0.2, 0.001 };

// What a draw decides; part of its hash.
enum generate_draw { DRAW_ROOT, DRAW_PAIR, DRAW_MIXED, DRAW_CHANGE, DRAW_NEXTHOP };

// A node of the tree as a number, the first address bit on top: the leaves of both families end within 64
// bits.
struct generate_node {
	__u64 addr;
	__u8 len;
	__u8 kind;    // enum table_shape_node
	__u8 context; // SHAPE_COVERED, SHAPE_ALONE
	bool mixed;
	__u32 nexthop; // of whoever holds it
};

struct generate {
	const struct table_shape *shape;
	const struct generate_change *change;
	const struct zipf *nexthops;
	__u64 seed;
	__u8 pairs[SHAPE_PAIRS]; // lighter ones first: then a draw moves to a heavier pair when the tilt
				 // grows
	double chances[SHAPE_LEVELS][SHAPE_CONTEXTS][SHAPE_PAIRS]; // cumulative, in the order of pairs
	double root_chances[SHAPE_NODES];                          // cumulative
	size_t count, limit; // routes so far; the walk stops above limit
	struct table *table; // NULL: only count
	int error;
};

static unsigned int generate_weight(unsigned int pair)
{
	static const __u8 weights[SHAPE_NODES] = { 0, 1, 1, 1, 2, 2 };

	return weights[pair / SHAPE_NODES] + weights[pair % SHAPE_NODES];
}

static void generate_sort_pairs(struct generate *g)
{
	unsigned int n = 0;

	for (unsigned int weight = 0; n < SHAPE_PAIRS; weight++)
		for (unsigned int pair = 0; pair < SHAPE_PAIRS; pair++)
			if (generate_weight(pair) == weight)
				g->pairs[n++] = pair;
}

// Makes weights cumulative chances.
static void generate_accumulate(double *weights, unsigned int count)
{
	for (unsigned int i = 1; i < count; i++)
		weights[i] += weights[i - 1];
	for (unsigned int i = 0; i < count; i++)
		weights[i] /= weights[count - 1];
}

// Returns the counts of a context, or of a wider one where the shape has seen none.
static const __u32 *generate_counts(const struct table_shape *shape, unsigned int level, unsigned int context)
{
	const __u32 *counts = shape->pairs[level][context];

	for (unsigned int i = 0; i < SHAPE_PAIRS; i++)
		if (counts[i])
			return counts;
	return shape->pairs[level][context & SHAPE_ALONE ? context & ~SHAPE_ALONE : 0];
}

static void generate_tilt_pairs(struct generate *g, unsigned int level, unsigned int context,
				const double *powers)
{
	const __u32 *counts = generate_counts(g->shape, level, context);
	double *chances = g->chances[level][context];

	for (unsigned int i = 0; i < SHAPE_PAIRS; i++)
		chances[i] = counts[g->pairs[i]] * powers[generate_weight(g->pairs[i])];
	generate_accumulate(chances, SHAPE_PAIRS);
}

static void generate_tilt(struct generate *g, double tilt)
{
	double powers[2 * SHAPE_NODES];

	powers[0] = 1;
	for (unsigned int i = 1; i < 2 * SHAPE_NODES; i++)
		powers[i] = powers[i - 1] * tilt;
	for (int level = 0; level < g->shape->leaf - g->shape->root; level++)
		for (unsigned int context = 0; context < SHAPE_CONTEXTS; context++)
			generate_tilt_pairs(g, level, context, powers);
	for (unsigned int i = 0; i < SHAPE_NODES; i++)
		g->root_chances[i] = g->shape->roots[i] * powers[generate_weight(i)];
	generate_accumulate(g->root_chances, SHAPE_NODES);
}

static __u64 generate_draw(const struct generate *g, const struct generate_node *node,
			   enum generate_draw what)
{
	return random_mix(node->addr ^ random_mix(g->seed + node->len * 8 + what));
}

// Returns a number in [0, 1).
static double generate_unit(const struct generate *g, const struct generate_node *node,
			    enum generate_draw what)
{
	return (generate_draw(g, node, what) >> 11) * 0x1p-53;
}

static unsigned int generate_pick(const double *chances, double unit)
{
	unsigned int i = 0;

	while (chances[i] <= unit)
		i++;
	return i;
}

static void generate_route(struct generate *g, const struct generate_node *node)
{
	struct table_route route = { .len = node->len, .family = g->shape->family, .nexthop = node->nexthop };
	__u64 addr = htobe64(node->addr);
	int r;

	g->count++;
	if (!g->table)
		return;
	memcpy(route.addr, &addr, table_width(route.family) == 32 ? 4 : 8);
	r = table_append(g->table, &route);
	if (r < 0)
		g->error = r;
}

// Decides who holds the node.
static void generate_own(const struct generate *g, struct generate_node *node)
{
	const struct generate_change *change = g->change;
	double chance;

	if (!g->table)
		return;
	if (node->len == change->allocation)
		node->mixed = generate_unit(g, node, DRAW_MIXED) < change->share;
	chance = node->mixed ? change->mixed : change->calm;
	if (node->len <= change->allocation && !(node->context & SHAPE_COVERED))
		chance = 1;
	if (generate_unit(g, node, DRAW_CHANGE) < chance)
		node->nexthop = 1 + zipf_rank(g->nexthops, generate_draw(g, node, DRAW_NEXTHOP));
}

// All leaves of the node, one after the other.
static void generate_full(struct generate *g, struct generate_node node)
{
	__u64 leaves = 1ull << (g->shape->leaf - node.len), step = 1ull << (64 - g->shape->leaf);

	if (!g->table) {
		g->count += leaves;
		return;
	}
	node.len = g->shape->leaf;
	for (__u64 i = 0; i < leaves && !g->error; i++, node.addr += step) {
		generate_own(g, &node);
		generate_route(g, &node);
	}
}

static void generate_node(struct generate *g, struct generate_node node);

static void generate_child(struct generate *g, struct generate_node child, unsigned int kind,
			   unsigned int sibling)
{
	child.kind = kind;
	child.context &= ~SHAPE_ALONE;
	if (sibling == SHAPE_EMPTY)
		child.context |= SHAPE_ALONE;
	generate_node(g, child);
}

static void generate_children(struct generate *g, struct generate_node node)
{
	const double *chances = g->chances[node.len - g->shape->root][node.context];
	unsigned int pair = g->pairs[generate_pick(chances, generate_unit(g, &node, DRAW_PAIR))];
	unsigned int left = pair / SHAPE_NODES, right = pair % SHAPE_NODES;

	node.len++;
	generate_child(g, node, left, right);
	node.addr |= 1ull << (64 - node.len);
	generate_child(g, node, right, left);
}

// The depth of the recursion is at most leaf - root.
static void generate_node(struct generate *g, struct generate_node node)
{
	if (node.kind == SHAPE_EMPTY || g->count > g->limit || g->error)
		return;
	generate_own(g, &node);
	if (node.kind == SHAPE_ROUTE || node.kind == SHAPE_ROUTE_BELOW || node.kind == SHAPE_ROUTE_FULL) {
		generate_route(g, &node);
		node.context |= SHAPE_COVERED;
	}
	if (node.kind == SHAPE_FULL || node.kind == SHAPE_ROUTE_FULL)
		generate_full(g, node);
	else if (node.kind != SHAPE_ROUTE)
		generate_children(g, node);
}

// The space that registries hand out: IPv4 without 0/8, 10/8, 127/8 and from 224/8 on; IPv6 by the /16s in
// use.
static bool generate_is_public(__u8 family, unsigned int root)
{
	static const struct {
		__u16 first, last;
	} ranges[] = { { 0x2001, 0x2003 }, { 0x2400, 0x240f }, { 0x2600, 0x2607 },
		       { 0x2610, 0x2610 }, { 0x2620, 0x2620 }, { 0x2630, 0x2630 },
		       { 0x2800, 0x2806 }, { 0x2a00, 0x2a14 }, { 0x2c0f, 0x2c0f } };

	if (family == AF_INET)
		return root > 0 && root < 224 && root != 10 && root != 127;
	for (unsigned int i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (root >= ranges[i].first && root <= ranges[i].last)
			return true;
	return false;
}

static void generate_walk(struct generate *g, double tilt)
{
	g->count = 0;
	generate_tilt(g, tilt);
	for (unsigned int i = 0; i < 1u << g->shape->root; i++) {
		struct generate_node node = { .addr = (__u64)i << (64 - g->shape->root),
					      .len = g->shape->root };

		if (!generate_is_public(g->shape->family, i))
			continue;
		node.kind = generate_pick(g->root_chances, generate_unit(g, &node, DRAW_ROOT));
		generate_node(g, node);
	}
}

// Sets ret_tilt to one that gives count routes or few more; -ERANGE when none does.
static int generate_search(struct generate *g, size_t count, double *ret_tilt)
{
	double low = 0x1p-10, high = 0x1p10;
	size_t found;

	g->table = NULL;
	g->limit = count + count / GENERATE_EXCESS;
	generate_walk(g, high);
	if (g->count < count)
		return -ERANGE;
	found = g->count;
	for (unsigned int i = 0; i < GENERATE_STEPS && found > g->limit; i++) {
		double middle = sqrt(low * high);

		generate_walk(g, middle);
		if (g->count < count) {
			low = middle;
		} else {
			high = middle;
			found = g->count;
		}
	}
	*ret_tilt = high;
	return 0;
}

// Removes all but count of the routes from first on; each has the same chance to stay.
static void generate_thin(struct table *table, size_t first, size_t count, __u64 seed)
{
	size_t kept = first, left = table->count - first;
	struct random r;

	random_seed(&r, seed);
	for (size_t i = first; i < table->count; i++, left--)
		if (random_below(&r, left) < count) {
			table->routes[kept++] = table->routes[i];
			count--;
		}
	table->count = kept;
}

static __u8 generate_long_len(struct random *r, __u8 family)
{
	static const __u8 ipv4[] = { 25, 26, 27, 28, 29, 30, 31, 32, 32, 32, 32, 32, 32, 32, 32, 32 };
	static const __u8 ipv6[] = { 49, 50, 52, 56, 56, 56, 60, 64, 64, 64, 64, 64, 112, 126, 127, 128 };

	return (family == AF_INET ? ipv4 : ipv6)[random_below(r, 16)];
}

// A route longer than the leaves, somewhere within a random one of the count routes from first on.
static struct table_route generate_long(const struct generate *g, struct random *r, size_t first,
					size_t count)
{
	struct table_route route = g->table->routes[first + random_below(r, count)];
	__u8 cover = route.len, host[16];

	route.len = generate_long_len(r, route.family);
	random_bytes(r, host, sizeof(host));
	for (unsigned int i = 0; i < 16u; i++)
		if (i >= cover / 8u)
			route.addr[i] |= i == cover / 8u ? host[i] & 0xff >> cover % 8 : host[i];
	prefix_clear_host_bits(route.addr, route.len, table_width(route.family));
	if (route.family == AF_INET)
		memset(route.addr + 4, 0, sizeof(route.addr) - 4);
	if (random_below(r, 2))
		route.nexthop = 1 + zipf_rank(g->nexthops, random_next(r));
	return route;
}

// Adds count of them, in the few cases of equal ones until they are all there. The table stays sorted.
static int generate_longs(struct generate *g, size_t first, size_t count)
{
	size_t routes = g->table->count - first, want = g->table->count + count;
	struct random r;

	random_seed(&r, g->seed + 1);
	while (g->table->count < want && routes) {
		int error = 0;

		for (size_t i = g->table->count; i < want && !error; i++) {
			struct table_route route = generate_long(g, &r, first, routes);

			error = table_append(g->table, &route);
		}
		if (!error)
			error = table_sort(g->table);
		if (error)
			return error;
	}
	return 0;
}

static int generate_family(struct generate *g, size_t count, struct table *table)
{
	size_t first = table->count, longs = count / GENERATE_LONG_SHARE;
	double tilt;
	int r;

	if (!count)
		return 0;
	generate_sort_pairs(g);
	r = generate_search(g, count - longs, &tilt);
	if (r < 0)
		return r;
	g->table = table;
	g->limit = TABLE_ROUTES_MAX;
	generate_walk(g, tilt);
	if (g->error)
		return g->error;
	generate_thin(table, first, count - longs, g->seed);
	return generate_longs(g, first, longs);
}

static int generate_both(const struct table_generate_options *options, const struct zipf *nexthops,
			 struct table *table)
{
	struct generate ipv4 = { .shape = &table_shape_ipv4,
				 .change = &generate_change_ipv4,
				 .nexthops = nexthops,
				 .seed = random_mix(options->seed) };
	struct generate ipv6 = { .shape = &table_shape_ipv6,
				 .change = &generate_change_ipv6,
				 .nexthops = nexthops,
				 .seed = random_mix(options->seed + 1) };
	int r = generate_family(&ipv4, options->ipv4, table);

	return r < 0 ? r : generate_family(&ipv6, options->ipv6, table);
}

int table_generate(const struct table_generate_options *options, struct table **ret_table)
{
	struct table *table;
	struct zipf *nexthops;
	int r = -ENOMEM;

	if (!options->nexthops || options->nexthops > TABLE_NEXTHOP_MAX)
		return -ERANGE;
	table = table_new();
	nexthops = zipf_new(options->nexthops);
	if (table && nexthops)
		r = generate_both(options, nexthops, table);
	zipf_free(nexthops);
	if (r < 0)
		table_free(table);
	else
		*ret_table = table;
	return r;
}
