// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/table.h"
#include "xdp/image.h"

// Addresses to look up, in each form that some structure takes them in.

// As many as a trace in eBPF holds (bench/lookup_layout.h).
#define FIB_STREAM_SIZE (1u << 20)

struct fib_stream {
	const char *name;
	__u8 family;
	__u8 *network;          // packed, 4 or 16 bytes each, network order
	__u32 *address4;        // IPv4, host order
	struct route_key *key6; // IPv6, host order
};

// The kinds that are measured.
#define FIB_STREAMS 4

// Makes number `index` (below FIB_STREAMS) of the streams over a sorted table of one family. -ENOENT,
// -ENOMEM.
int fib_stream_new(const struct table *table, unsigned int index, struct fib_stream **ret_stream);

// Makes one to compare answers with, others for each seed: addresses in prefixes, at their edges and beside
// them, and anywhere; all of them such that the kernel forwards to them where there is a route.
int fib_stream_new_check(const struct table *table, __u64 seed, struct fib_stream **ret_stream);

// Frees it; NULL is fine.
void fib_stream_free(struct fib_stream *stream);

// Writes address number i as text.
void fib_stream_format(const struct fib_stream *stream, size_t i, char text[46]);
