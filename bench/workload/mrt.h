// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/stream.h"
#include "bench/workload/wire.h"

// Reads records of MRT files (RFC 6396), the format of route collectors.

enum mrt_type { MRT_TABLE_DUMP = 12, MRT_TABLE_DUMP_V2 = 13, MRT_BGP4MP = 16, MRT_BGP4MP_ET = 17 };

struct mrt_record {
	double seconds;      // since 1970
	__u16 type, subtype; // BGP4MP_ET comes as BGP4MP
	struct wire body;    // valid until the next record is read
};

struct mrt;

// Do the first bytes of a file look like an MRT record?
bool mrt_is(const __u8 *bytes, size_t count);

// Returns a reader over a stream, or NULL without memory.
struct mrt *mrt_new(struct stream *stream);

// Frees the reader, not the stream; NULL is fine.
void mrt_free(struct mrt *mrt);

// Gets the next record; returns 1, or 0 at the end. The error is in the stream's error text.
int mrt_next(struct mrt *mrt, struct mrt_record *ret_record);

// Tells that the current record is wrong and returns -EBADMSG.
int mrt_bad(struct mrt *mrt, const char *cause);
