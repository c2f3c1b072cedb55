// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/gateways.h"
#include "bench/workload/stream.h"
#include "bench/workload/table.h"

// Appends the unicast routes of an MRT TABLE_DUMP_V2 file, each with the next hop of the best entry: as a
// router with all the peers of the collector would choose, the shortest AS path, then the first peer. The
// error is in the stream's error.
int table_mrt_read(struct stream *stream, struct gateways *gateways, struct table *table);
