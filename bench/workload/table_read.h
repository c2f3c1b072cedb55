// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/gateways.h"
#include "bench/workload/stream.h"
#include "bench/workload/table.h"

// Appends the routes of a file ("-": standard input) to table, as they come: call table_sort() afterwards.
// The file is text ("PREFIX ID" lines, or what "ip route" prints), plain or packed with xz or gzip; its first
// bytes tell. gateways maps named gateways to next-hop ids, so that a table and its update trace can share
// them; NULL: not shared. On failure the table is as before and error names the file, the place, the cause
// and what to do.
int table_read(const char *path, struct gateways *gateways, struct table *table, struct stream_error *error);

// Does the same from an open stream.
int table_read_stream(struct stream *stream, struct gateways *gateways, struct table *table);

// For the readers of each format: appends one route, telling the cause when the table is full.
int table_read_append(struct stream *stream, struct table *table, const struct table_route *route);

// For the readers of each format: returns the id that a gateways_...() call returned, telling the cause of an
// error.
int table_read_gateway(struct stream *stream, int id);
