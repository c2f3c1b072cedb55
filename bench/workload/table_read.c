// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/table_read.h"

#include "bench/workload/mrt.h"
#include "bench/workload/table_mrt.h"
#include "bench/workload/table_text.h"

#include <errno.h>

// Text has no 0 byte and no control characters but white space.
static bool table_read_is_text(const __u8 *bytes, int count)
{
	for (int i = 0; i < count; i++)
		if (bytes[i] < ' ' && bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r')
			return false;
	return true;
}

static int table_read_any(struct stream *stream, struct gateways *gateways, struct table *table)
{
	const __u8 *first = NULL;
	int n = stream_peek(stream, 16, &first);

	if (n < 0)
		return n;
	if (mrt_is(first, n))
		return table_mrt_read(stream, gateways, table);
	if (!table_read_is_text(first, n))
		return stream_fail(
			stream, -EPROTONOSUPPORT,
			"is no routing table; give lines 'PREFIX ID' or an MRT dump, plain, xz or gzip");
	return table_text_read(stream, gateways, table);
}

int table_read_append(struct stream *stream, struct table *table, const struct table_route *route)
{
	int r = table_append(table, route);

	if (r == -E2BIG)
		return stream_fail(stream, r, "more than %u routes; split the file", TABLE_ROUTES_MAX);
	return r < 0 ? stream_fail(stream, r, "no memory for its routes") : 0;
}

int table_read_gateway(struct stream *stream, int id)
{
	if (id == -E2BIG)
		return stream_fail(stream, id, "more than %u different gateways; split the file",
				   GATEWAYS_MAX);
	return id < 0 ? stream_fail(stream, id, "no memory for its gateways") : id;
}

int table_read_stream(struct stream *stream, struct gateways *gateways, struct table *table)
{
	struct gateways *own = gateways ? NULL : gateways_new();
	size_t before = table->count;
	int r;

	if (!gateways && !own)
		return stream_fail(stream, -ENOMEM, "no memory to read it");
	r = table_read_any(stream, gateways ? gateways : own, table);
	if (r >= 0 && table->count == before)
		r = stream_fail(stream, -ENODATA,
				"holds no route; give lines 'PREFIX ID' or an MRT TABLE_DUMP_V2");
	if (r < 0)
		table->count = before;
	gateways_free(own);
	return r;
}

int table_read(const char *path, struct gateways *gateways, struct table *table, struct stream_error *error)
{
	struct stream *stream;
	int r = stream_open(path, error, &stream);

	if (r < 0)
		return r;
	r = table_read_stream(stream, gateways, table);
	stream_close(stream);
	return r;
}
