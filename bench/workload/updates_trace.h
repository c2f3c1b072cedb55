// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/gateways.h"
#include "bench/workload/stream.h"
#include "bench/workload/updates.h"

// Reads a trace of updates: text lines "SECONDS a|w PREFIX NEXTHOP" (a next hop is an id or an address; a
// withdrawal needs none), or MRT BGP4MP messages (RFC 6396), those of all peers taken as one; plain or packed
// with xz or gzip. A trace may withdraw what is not there. gateways as in table_read(). Errors are told in
// error, which must live as long.
int updates_trace_open(const char *path, struct gateways *gateways, struct stream_error *error,
		       struct updates **ret_updates);

// Does the same from a stream, which it closes, on failure too.
int updates_trace_start(struct stream *stream, struct gateways *gateways, struct updates **ret_updates);
