// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/prefix.h"
#include "bench/workload/table_read.h"
#include "bench/workload/updates_trace.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Feeds the readers of tables and traces. They may refuse, but not crash, leak or hand out a route that is no
// route; and a refusal has one line of text.

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_route(const struct table_route *route)
{
	struct table_route copy = *route;

	check(route->family == AF_INET || route->family == AF_INET6);
	check(route->len <= table_width(route->family));
	check(route->nexthop <= TABLE_NEXTHOP_MAX);
	prefix_clear_host_bits(copy.addr, copy.len, table_width(copy.family));
	check(!memcmp(copy.addr, route->addr, sizeof(copy.addr)));
}

static void check_error(const struct stream_error *error)
{
	check(error->text[0] && strlen(error->text) < sizeof(error->text) && !strchr(error->text, '\n'));
}

static void read_table(const uint8_t *data, size_t size)
{
	struct stream_error error = { "" };
	struct table *table = table_new();
	struct stream *stream;
	int r = stream_open_memory("table", data, size, &error, &stream);

	if (r >= 0) {
		r = table_read_stream(stream, NULL, table);
		stream_close(stream);
	}
	if (r < 0)
		check_error(&error);
	check(r < 0 ? !table->count : table->count > 0);
	for (size_t i = 0; i < table->count; i++) {
		check_route(&table->routes[i]);
		check(table->routes[i].nexthop > 0);
	}
	check(table_sort(table) == 0 && table_is_sorted(table));
	table_free(table);
}

static void read_trace(const uint8_t *data, size_t size)
{
	struct stream_error error = { "" };
	struct updates *updates = NULL;
	struct update update;
	struct stream *stream;
	double last = 0;
	int r = stream_open_memory("trace", data, size, &error, &stream);

	if (r >= 0)
		r = updates_trace_start(stream, NULL, &updates);
	while (r >= 0) {
		r = updates_next(updates, &update);
		if (r <= 0)
			break;
		check_route(&update.route);
		check(update.withdraw == !update.route.nexthop);
		check(update.seconds >= last);
		last = update.seconds;
	}
	if (r < 0)
		check_error(&error);
	updates_free(updates);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_table(data, size);
	read_trace(data, size);
	return 0;
}
