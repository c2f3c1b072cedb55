// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/mrt.h"

#include <errno.h>
#include <stdlib.h>

#define MRT_HEADER_SIZE 12
// The record of a prefix seen by a thousand peers has some 100 KB.
#define MRT_RECORD_MAX  (4u << 20)

struct mrt {
	struct stream *stream;
	__u64 count;
	__u8 *body;
	size_t room;
};

static int mrt_reserve(struct mrt *mrt, size_t size)
{
	__u8 *body;

	if (size <= mrt->room)
		return 0;
	body = realloc(mrt->body, size);
	if (!body)
		return stream_fail(mrt->stream, -ENOMEM, "no memory for a record of %zu bytes", size);
	mrt->body = body;
	mrt->room = size;
	return 0;
}

static int mrt_header(struct mrt *mrt, struct mrt_record *record, __u32 *length)
{
	__u8 header[MRT_HEADER_SIZE];
	struct wire wire = { header, sizeof(header) };
	__u32 seconds;
	int r;

	stream_mark(mrt->stream);
	r = stream_bytes(mrt->stream, header, sizeof(header));
	if (r <= 0)
		return r;
	mrt->count++;
	wire_u32(&wire, &seconds);
	wire_u16(&wire, &record->type);
	wire_u16(&wire, &record->subtype);
	wire_u32(&wire, length);
	record->seconds = seconds;
	return *length <= MRT_RECORD_MAX ? 1 : mrt_bad(mrt, "its length is over 4 MB");
}

static int mrt_microseconds(struct mrt *mrt, struct mrt_record *record)
{
	__u32 microseconds;

	if (record->type != MRT_BGP4MP_ET)
		return 1;
	if (!wire_u32(&record->body, &microseconds))
		return mrt_bad(mrt, "its microseconds are missing");
	record->type = MRT_BGP4MP;
	record->seconds += microseconds * 1e-6;
	return 1;
}

bool mrt_is(const __u8 *bytes, size_t count)
{
	if (count < MRT_HEADER_SIZE || bytes[4])
		return false;
	switch (bytes[5]) {
	case MRT_TABLE_DUMP:
	case MRT_TABLE_DUMP_V2:
	case MRT_BGP4MP:
	case MRT_BGP4MP_ET:
		return true;
	default:
		return false;
	}
}

struct mrt *mrt_new(struct stream *stream)
{
	struct mrt *mrt = calloc(1, sizeof(*mrt));

	if (mrt)
		mrt->stream = stream;
	return mrt;
}

void mrt_free(struct mrt *mrt)
{
	if (!mrt)
		return;
	free(mrt->body);
	free(mrt);
}

int mrt_next(struct mrt *mrt, struct mrt_record *ret_record)
{
	struct mrt_record record;
	__u32 length;
	int r;

	r = mrt_header(mrt, &record, &length);
	if (r <= 0)
		return r;
	r = mrt_reserve(mrt, length);
	if (r < 0)
		return r;
	r = length ? stream_bytes(mrt->stream, mrt->body, length) : 1;
	if (r == 0)
		return mrt_bad(mrt, "its body is missing");
	if (r < 0)
		return r;
	record.body = (struct wire){ mrt->body, length };
	r = mrt_microseconds(mrt, &record);
	if (r > 0)
		*ret_record = record;
	return r;
}

int mrt_bad(struct mrt *mrt, const char *cause)
{
	return stream_fail(mrt->stream, -EBADMSG, "MRT record %llu: %s; the file is damaged, copy it again",
			   mrt->count, cause);
}
