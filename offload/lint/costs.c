// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/costs.h"

#include <errno.h>
#include <stdlib.h>

enum mark { NEW, BEGUN, DONE };

/* What is known of a node while the graph is searched. */
struct reach {
	uint32_t first, next; /* edges from it: all, and the one to look at next */
	uint32_t end;
	enum mark mark;
	bool reaches, open;
	struct cost least, most;
	uint64_t with; /* bit k: there is a path with k lookups at least */
};

struct search {
	const struct costs *costs;
	const struct costs_edge *edges; /* in the order of where they come from */
	struct reach *reach;
	costs_weight weight;
	const void *model;
	uint32_t lookups;
	struct cost *with; /* for each node: the cheapest path with 0 to `lookups` lookups at least */
};

static struct cost sum(const struct cost *a, const struct cost *b)
{
	return (struct cost){ a->instructions + b->instructions,
			      a->card + b->card,
			      a->lookups + b->lookups,
			      a->values + b->values,
			      a->counts + b->counts,
			      a->packet + b->packet };
}

static uint64_t weigh(const struct search *search, const struct cost *cost)
{
	return search->weight(cost, search->model);
}

static struct cost *with(const struct search *search, uint32_t node, uint32_t lookups)
{
	return &search->with[(size_t)node * (search->lookups + 1) + lookups];
}

static void take_over_with(struct search *search, uint32_t node, const struct costs_edge *edge)
{
	struct reach *from = &search->reach[node];

	for (uint32_t k = 0; k <= search->lookups; k++) {
		uint32_t left = k > edge->cost.lookups ? k - edge->cost.lookups : 0;
		struct cost *here = with(search, node, k), cost;

		if (!(search->reach[edge->to].with & 1ull << left))
			continue;
		cost = sum(&edge->cost, with(search, edge->to, left));
		if (!(from->with & 1ull << k) || weigh(search, &cost) < weigh(search, here))
			*here = cost;
		from->with |= 1ull << k;
	}
}

/* Takes over what a node that is done says about its end of an edge. */
static void take_over(struct search *search, uint32_t node, const struct costs_edge *edge)
{
	struct reach *from = &search->reach[node];
	const struct reach *to = &search->reach[edge->to];
	struct cost least, most;

	if (to->mark == BEGUN) { /* back to where we come from */
		from->open = true;
		return;
	}
	if (!to->reaches)
		return;
	least = sum(&edge->cost, &to->least);
	most = sum(&edge->cost, &to->most);
	if (!from->reaches || weigh(search, &least) < weigh(search, &from->least))
		from->least = least;
	if (!from->reaches || weigh(search, &most) > weigh(search, &from->most))
		from->most = most;
	from->reaches = true;
	from->open = from->open || to->open;
	take_over_with(search, node, edge);
}

/* Depth first; `stack` has room for all nodes. */
static void run(struct search *search, uint32_t *stack)
{
	uint32_t depth = 1;

	stack[0] = COSTS_WAYS_OUT;
	search->reach[COSTS_WAYS_OUT].mark = BEGUN;
	while (depth) {
		struct reach *at = &search->reach[stack[depth - 1]];
		const struct costs_edge *edge = &search->edges[at->next];

		if (at->next == at->end) {
			at->mark = DONE;
			depth--;
		} else if (search->reach[edge->to].mark == NEW) {
			search->reach[edge->to].mark = BEGUN;
			stack[depth++] = edge->to;
		} else {
			take_over(search, stack[depth - 1], edge);
			at->next++;
		}
	}
}

static int by_from(const void *a, const void *b)
{
	const struct costs_edge *left = a, *right = b;

	return left->from < right->from ? -1 : left->from > right->from;
}

static void prepare(struct search *search, uint32_t way_out)
{
	const struct costs *costs = search->costs;
	uint32_t at = 0;

	for (uint32_t node = 0; node < costs->node_count; node++) {
		struct reach *reach = &search->reach[node];

		reach->first = reach->next = at;
		while (at < costs->edge_count && search->edges[at].from == node)
			at++;
		reach->end = at;
	}
	search->reach[way_out].reaches = true;
	search->reach[way_out].with = 1;
}

void costs_open(struct costs *ret)
{
	*ret = (struct costs){ .node_count = COSTS_WAYS_OUT };
}

void costs_close(struct costs *costs)
{
	free(costs->edges);
	costs_open(costs);
}

uint32_t costs_node(struct costs *costs)
{
	return costs->node_count++;
}

int costs_add(struct costs *costs, uint32_t from, uint32_t to, const struct cost *cost)
{
	if (costs->edge_count == costs->edge_room) {
		uint32_t room = costs->edge_room ? costs->edge_room * 2 : 256;
		struct costs_edge *edges = reallocarray(costs->edges, room, sizeof(*edges));

		if (!edges)
			return -ENOMEM;
		costs->edges = edges;
		costs->edge_room = room;
	}
	costs->edges[costs->edge_count++] = (struct costs_edge){ from, to, *cost };
	return 0;
}

static bool open_search(struct search *search, uint32_t nodes)
{
	search->reach = calloc(nodes, sizeof(*search->reach));
	search->with = calloc((size_t)nodes * (search->lookups + 1), sizeof(*search->with));
	return search->reach && search->with;
}

static void close_search(struct search *search)
{
	free(search->reach);
	free(search->with);
}

int costs_range(const struct costs *costs, uint32_t way_out, costs_weight weight, const void *model,
		uint32_t lookups, struct costs_range *ret)
{
	struct search search = { .costs = costs,
				 .edges = costs->edges,
				 .weight = weight,
				 .model = model,
				 .lookups = lookups > COSTS_LOOKUPS ? COSTS_LOOKUPS : lookups };
	uint32_t *stack = calloc(costs->node_count, sizeof(*stack));
	const struct reach *begin;

	if (!stack || costs->node_count <= COSTS_WAYS_OUT || !open_search(&search, costs->node_count)) {
		close_search(&search);
		free(stack);
		return -ENOMEM;
	}
	qsort(costs->edges, costs->edge_count, sizeof(*costs->edges), by_from);
	prepare(&search, way_out);
	run(&search, stack);
	begin = &search.reach[COSTS_WAYS_OUT];
	*ret = (struct costs_range){ begin->reaches,
				     begin->open,
				     begin->least,
				     begin->most,
				     begin->with >> search.lookups & 1,
				     *with(&search, COSTS_WAYS_OUT, search.lookups) };
	close_search(&search);
	free(stack);
	return 0;
}
