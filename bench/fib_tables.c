// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_tables.h"

#include "bench/fib_structure.h"
#include "bench/workload/table_generate.h"
#include "bench/workload/table_read.h"

#include <err.h>
#include <errno.h>
#include <string.h>

static int fib_tables_append(struct fib_tables *tables, const struct table *from)
{
	int err = 0;

	for (size_t i = 0; err >= 0 && i < from->count; i++)
		err = table_append(tables->all, &from->routes[i]);
	return err;
}

// Takes the default route out and raises next hops, in place.
static int fib_tables_sift(struct table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		struct table_route route = table->routes[i];

		if (!route.len)
			continue;
		if (route.nexthop > FIB_NEXTHOP_MAX - FIB_NEXTHOP_MIN + 1) {
			warnx("bench fib: next hop %u: the structures take ids from 1 to %u", route.nexthop,
			      FIB_NEXTHOP_MAX - FIB_NEXTHOP_MIN + 1);
			return -ERANGE;
		}
		route.nexthop += FIB_NEXTHOP_MIN - 1;
		table->routes[kept++] = route;
	}
	if (kept < table->count)
		warnx("bench fib: the default route is left out: not all structures hold it in their tables");
	table->count = kept;
	return 0;
}

int fib_tables_open(struct fib_tables *tables)
{
	memset(tables, 0, sizeof(*tables));
	tables->all = table_new();
	tables->gateways = gateways_new();
	return tables->all && tables->gateways ? 0 : -ENOMEM;
}

int fib_tables_read(struct fib_tables *tables, const char *path)
{
	struct stream_error error;
	int err = table_read(path, tables->gateways, tables->all, &error);

	if (err < 0)
		warnx("bench fib: %s", error.text);
	return err;
}

int fib_tables_generate(struct fib_tables *tables, size_t routes)
{
	struct table_generate_options options = TABLE_GENERATE_FULL;
	struct table *table;
	int err;

	if (routes) {
		options.ipv6 = routes * options.ipv6 / options.ipv4;
		options.ipv4 = routes;
	}
	err = table_generate(&options, &table);
	if (err >= 0) {
		err = fib_tables_append(tables, table);
		table_free(table);
	}
	if (err < 0)
		warnx("bench fib: cannot make a table of %zu routes: %s", options.ipv4, strerror(-err));
	tables->generated = true;
	return err;
}

int fib_tables_finish(struct fib_tables *tables)
{
	int err = table_sort(tables->all);

	for (unsigned int i = 0; err >= 0 && i < 2; i++) {
		err = table_select(tables->all, i ? AF_INET6 : AF_INET, &tables->of_family[i]);
		if (err >= 0)
			err = fib_tables_sift(tables->of_family[i]);
	}
	table_free(tables->all);
	tables->all = NULL;
	return err;
}

void fib_tables_close(struct fib_tables *tables)
{
	table_free(tables->all);
	gateways_free(tables->gateways);
	for (unsigned int i = 0; i < 2; i++)
		table_free(tables->of_family[i]);
}

const struct table *fib_tables_of(const struct fib_tables *tables, __u8 family)
{
	return tables->of_family[family == AF_INET6];
}
