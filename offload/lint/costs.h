// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the paths through a program cost, from its first instruction to each way out.
 *
 * A graph: the places where states are kept (paths.h) are its nodes, what is executed between two of them is
 * an edge. Loops whose rounds are known exactly are unrolled in it; another is walked once, and said to be
 * open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cost {
	uint32_t instructions; /* of BPF */
	uint32_t card;         /* of the card's, by translation.h */
	uint32_t lookups;      /* helper functions on maps */
	uint32_t values;       /* loads from map values */
	uint32_t counts;       /* atomic additions */
	uint32_t packet;       /* loads and stores of the packet */
};

enum { COSTS_WAYS_OUT = 4 }; /* XDP_ABORTED to XDP_TX; what is worse is taken for ABORTED, as the card does */

struct costs_edge {
	uint32_t from, to; /* nodes; below COSTS_WAYS_OUT, a way out */
	struct cost cost;
};

struct costs {
	struct costs_edge *edges;
	uint32_t edge_count, edge_room, node_count;
};

/* Cycles that a cost takes; what is dearest and what is cheapest depends on it. */
typedef uint64_t (*costs_weight)(const struct cost *cost, const void *model);

enum { COSTS_LOOKUPS = 63 }; /* more need not be asked for */

struct costs_range {
	bool found, open; /* open: there is a loop without a known end on the way */
	struct cost least, most;
	bool typical_found;
	struct cost typical; /* the least with so many lookups at least */
};

void costs_open(struct costs *ret);
void costs_close(struct costs *costs);
/* A new node. The first is where the program begins. */
uint32_t costs_node(struct costs *costs);
/* -ENOMEM */
int costs_add(struct costs *costs, uint32_t from, uint32_t to, const struct cost *cost);
/* The cheapest and the dearest path from the first node to a way out, and the cheapest with so many lookups.
 * -ENOMEM */
int costs_range(const struct costs *costs, uint32_t way_out, costs_weight weight, const void *model,
		uint32_t lookups, struct costs_range *ret);
