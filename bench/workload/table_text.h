// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/gateways.h"
#include "bench/workload/stream.h"
#include "bench/workload/table.h"

// Appends the routes of a text table: "PREFIX ID" per line, or what "ip route" prints. Empty lines and lines
// that start with # are skipped. The error is in the stream's error text.
int table_text_read(struct stream *stream, struct gateways *gateways, struct table *table);
