// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/gateways.h"
#include "bench/workload/stream.h"
#include "bench/workload/table.h"

// Appends the routes of a text table: "PREFIX ID" per line, or what "ip route" prints. Empty lines and lines
// that start with # are skipped. The error is in the stream's error text.
int table_text_read(struct stream *stream, struct gateways *gateways, struct table *table);

// Appends one route to a table that is being read from stream, telling the cause when it is full.
int table_text_append(struct stream *stream, struct table *table, const struct table_route *route);

// Returns the id of a gateway named in stream, telling the cause when there are too many.
int table_text_gateway(struct stream *stream, struct gateways *gateways, const char *name);
