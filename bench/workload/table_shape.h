// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/table.h"

// The shape of a routing table as a random process over the binary tree of prefixes, so that tables of the
// same shape can be drawn. See table_shape.c.

enum table_shape_node {
	SHAPE_EMPTY,       // no route at or below the node
	SHAPE_ROUTE,       // a route at the node, none below
	SHAPE_BELOW,       // routes below only
	SHAPE_ROUTE_BELOW, // both
	SHAPE_FULL,        // every leaf prefix below is a route, nothing else is
	SHAPE_ROUTE_FULL,  // the same, under a route at the node
	SHAPE_NODES
};

#define SHAPE_PAIRS    (SHAPE_NODES * SHAPE_NODES)
#define SHAPE_LEVELS   32
// What is known of a node with routes below, bit by bit: a route covers it; its sibling is empty.
#define SHAPE_COVERED  1
#define SHAPE_ALONE    2
#define SHAPE_CONTEXTS 4

struct table_shape {
	__u8 family;
	__u8 root;                // the tree starts with the nodes of this prefix length
	__u8 leaf;                // and ends with these; longer prefixes are not part of the shape
	__u32 roots[SHAPE_NODES]; // how many nodes of length root are of each kind, empty ones not counted
	// For the nodes of length root + level with routes below, by context: how often the left and right
	// child were of the kinds l and r, at [l * SHAPE_NODES + r].
	__u32 pairs[SHAPE_LEVELS][SHAPE_CONTEXTS][SHAPE_PAIRS];
};

// The shape of public tables; see table_shape_public.c.
extern const struct table_shape table_shape_ipv4, table_shape_ipv6;

// Counts the shape of one family of a sorted table; -ENOMEM.
int table_shape_measure(const struct table *table, __u8 family, struct table_shape *ret_shape);
