// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/table_generate.h"
#include "bench/workload/table_read.h"
#include "bench/workload/table_shape.h"
#include "bench/workload/table_statistics.h"

#include <stdio.h>
#include <string.h>

// table-shape FILE shows a table beside a generated one of the same size; table-shape --constants FILE prints
// its shape as table_shape_public.c holds it.

static void show(const char *what, size_t given, size_t generated)
{
	if (given || generated)
		printf("  %-38s %10zu %10zu %+7.1f %%\n", what, given, generated,
		       given ? 100.0 * ((double)generated - given) / given : 0);
}

static void show_statistics(const struct table_statistics *a, const struct table_statistics *b)
{
	char what[40];

	for (unsigned int len = 0; len <= 128; len++) {
		snprintf(what, sizeof(what), "/%u", len);
		show(what, a->lengths[len], b->lengths[len]);
	}
	for (unsigned int depth = 0; depth < TABLE_DEPTH_MAX; depth++) {
		snprintf(what, sizeof(what), "under %u routes", depth);
		show(what, a->depths[depth], b->depths[depth]);
	}
	show("routes", a->routes, b->routes);
	show("with the next hop of their cover", a->same_as_cover, b->same_as_cover);
	show("intervals", a->intervals, b->intervals);
	show("intervals without route", a->gaps, b->gaps);
	show("runs of /24 (/48) with one next hop", a->leaf_runs, b->leaf_runs);
	show("/24s (/48s) with longer prefixes", a->split_blocks, b->split_blocks);
	show("/19s (/43s) of several intervals", a->mixed_groups, b->mixed_groups);
	show("next hops", a->nexthops, b->nexthops);
}

static int show_family(const struct table *table, const struct table *generated, __u8 family)
{
	struct table_statistics a, b;
	int r = table_statistics(table, family, &a);

	if (r == 0)
		r = table_statistics(generated, family, &b);
	if (r < 0 || !a.routes)
		return r;
	printf("%s                                           given  generated\n",
	       family == AF_INET ? "IPv4" : "IPv6");
	show_statistics(&a, &b);
	return 0;
}

static int show_beside_generated(const struct table *table)
{
	struct table_generate_options options = TABLE_GENERATE_FULL;
	struct table *generated;
	int r;

	options.ipv4 = options.ipv6 = 0;
	for (size_t i = 0; i < table->count; i++)
		(*(table->routes[i].family == AF_INET ? &options.ipv4 : &options.ipv6))++;
	r = table_generate(&options, &generated);
	if (r < 0)
		return r;
	r = show_family(table, generated, AF_INET);
	if (r == 0)
		r = show_family(table, generated, AF_INET6);
	table_free(generated);
	return r;
}

// Prints the numbers without trailing zeros, in lines that fit.
static void print_row(const __u32 *counts, const char *open, const char *close)
{
	unsigned int count = SHAPE_PAIRS, column;

	while (count > 1 && !counts[count - 1])
		count--;
	column = printf("\t\t%s{ ", open) + 14;
	for (unsigned int i = 0; i < count; i++) {
		if (column > 98)
			column = printf("\n\t\t    ") + 13;
		column += printf(i + 1 < count ? "%u, " : "%u }", counts[i]);
	}
	printf("%s\n", close);
}

static int print_constants(const struct table *table, __u8 family)
{
	struct table_shape shape;
	int r = table_shape_measure(table, family, &shape);

	if (r < 0)
		return r;
	printf("const struct table_shape table_shape_%s = {\n", family == AF_INET ? "ipv4" : "ipv6");
	printf("\t.family = %s, .root = %u, .leaf = %u,\n\t.roots = {",
	       family == AF_INET ? "AF_INET" : "AF_INET6", shape.root, shape.leaf);
	for (unsigned int i = 0; i < SHAPE_NODES; i++)
		printf(" %u%s", shape.roots[i], i + 1 < SHAPE_NODES ? "," : " },\n");
	printf("\t.pairs = {\n");
	for (int level = 0; level < shape.leaf - shape.root; level++) {
		printf("\t\t// /%u\n", shape.root + level);
		for (unsigned int i = 0; i < SHAPE_CONTEXTS; i++)
			print_row(shape.pairs[level][i], i ? "  " : "{ ",
				  i + 1 < SHAPE_CONTEXTS ? "," : " },");
	}
	printf("\t},\n};\n");
	return 0;
}

static int print_both(const struct table *table)
{
	int r = print_constants(table, AF_INET);

	return r < 0 ? r : print_constants(table, AF_INET6);
}

int main(int argc, char **argv)
{
	bool constants = argc == 3 && !strcmp(argv[1], "--constants");
	struct table *table = table_new();
	struct stream_error error;
	int r;

	if (!table || (!constants && argc != 2)) {
		fprintf(stderr, "usage: table-shape [--constants] FILE\n");
		return 2;
	}
	r = table_read(argv[argc - 1], NULL, table, &error);
	if (r < 0) {
		fprintf(stderr, "table-shape: %s\n", error.text);
	} else {
		r = table_sort(table);
		if (r == 0)
			r = constants ? print_both(table) : show_beside_generated(table);
		if (r < 0)
			fprintf(stderr, "table-shape: %s\n", strerror(-r));
	}
	table_free(table);
	return r < 0;
}
