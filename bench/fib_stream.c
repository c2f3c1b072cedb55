// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_stream.h"

#include "bench/lookup_layout.h"
#include "bench/workload/addresses.h"
#include "bench/workload/random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIB_STREAM_SEED          1
// Destinations of the zipf stream.
#define FIB_STREAM_DESTINATIONS4 400000
#define FIB_STREAM_DESTINATIONS6 200000
// Draws of an address to compare, before an edge of the table is given up.
#define FIB_STREAM_TRIES         64

_Static_assert(FIB_STREAM_SIZE == LOOKUP_ADDRESSES, "a stream is a trace");

static unsigned int fib_stream_bytes(__u8 family)
{
	return table_width(family) / 8;
}

static struct fib_stream *fib_stream_alloc(const char *name, __u8 family)
{
	struct fib_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->name = name;
	stream->family = family;
	stream->network = calloc(FIB_STREAM_SIZE, fib_stream_bytes(family));
	if (family == AF_INET6)
		stream->key6 = calloc(FIB_STREAM_SIZE, sizeof(*stream->key6));
	else
		stream->address4 = calloc(FIB_STREAM_SIZE, sizeof(*stream->address4));
	if (!stream->network || (!stream->key6 && !stream->address4)) {
		fib_stream_free(stream);
		return NULL;
	}
	return stream;
}

// Fills the other forms from the network's.
static void fib_stream_convert(struct fib_stream *stream)
{
	for (size_t i = 0; i < FIB_STREAM_SIZE; i++) {
		__u64 half[2];
		__u32 word;

		if (stream->family == AF_INET6) {
			memcpy(half, stream->network + 16 * i, 16);
			stream->key6[i].high = __builtin_bswap64(half[0]);
			stream->key6[i].low = __builtin_bswap64(half[1]);
		} else {
			memcpy(&word, stream->network + 4 * i, 4);
			stream->address4[i] = __builtin_bswap32(word);
		}
	}
}

// What Linux never forwards, and what the test bed uses.
static bool fib_stream_is_special(__u8 family, const __u8 *a)
{
	static const __u8 bed6[4] = { 0x20, 0x01, 0x0d, 0xb8 },
			  bed4[3][3] = { { 192, 0, 2 }, { 198, 51, 100 }, { 203, 0, 113 } };

	if (family == AF_INET6)
		return a[0] == 0 || a[0] >= 0xfe || memcmp(a, bed6, sizeof(bed6)) == 0;
	for (unsigned int i = 0; i < 3; i++)
		if (memcmp(a, bed4[i], sizeof(bed4[i])) == 0)
			return true;
	return a[0] == 0 || a[0] == 127 || a[0] >= 224;
}

// One beside: steps the address up or down.
static void fib_stream_step(__u8 *address, unsigned int bytes, bool up)
{
	for (unsigned int i = bytes; i-- > 0;) {
		address[i] += up ? 1 : -1;
		if (address[i] != (up ? 0 : 0xff))
			return;
	}
}

// An eighth anywhere, half at the edges of a route or beside them, the rest inside.
static void fib_stream_draw_one(const struct table *table, struct random *random, __u8 *address)
{
	const struct table_route *route = &table->routes[random_below(random, table->count)];
	unsigned int bytes = fib_stream_bytes(route->family), kind = random_below(random, 8);
	__u8 noise[16];

	random_bytes(random, noise, sizeof(noise));
	memcpy(address, kind ? route->addr : noise, bytes);
	for (unsigned int bit = route->len; kind && bit < bytes * 8; bit++)
		if (kind == 2 || kind == 3 || (kind > 4 && noise[bit / 8] & 0x80 >> bit % 8))
			address[bit / 8] |= 0x80 >> bit % 8;
	if (kind == 3 || kind == 4)
		fib_stream_step(address, bytes, kind == 3);
}

int fib_stream_new(const struct table *table, unsigned int index, struct fib_stream **ret_stream)
{
	static const char *const names[FIB_STREAMS] = { "uniform", "zipf", "repeated", "sequential" };
	static const enum addresses_kind kinds[FIB_STREAMS] = { ADDRESSES_PREFIXES, ADDRESSES_ZIPF,
								ADDRESSES_REPEATED, ADDRESSES_SEQUENTIAL };
	__u8 family = table->count ? table->routes[0].family : AF_INET;
	struct addresses_options options = { .kind = kinds[index],
					     .family = family,
					     .seed = FIB_STREAM_SEED };
	struct addresses *addresses;
	struct fib_stream *stream;
	int err;

	options.destinations = family == AF_INET6 ? FIB_STREAM_DESTINATIONS6 : FIB_STREAM_DESTINATIONS4;
	if (index == 0 && family == AF_INET)
		options.kind = ADDRESSES_SPACE;
	err = addresses_new(table, &options, &addresses);
	if (err < 0)
		return err;
	stream = fib_stream_alloc(names[index], family);
	if (stream) {
		addresses_fill(addresses, stream->network, FIB_STREAM_SIZE);
		fib_stream_convert(stream);
		*ret_stream = stream;
	}
	addresses_free(addresses);
	return stream ? 0 : -ENOMEM;
}

int fib_stream_new_check(const struct table *table, __u64 seed, struct fib_stream **ret_stream)
{
	unsigned int bytes = fib_stream_bytes(table->routes[0].family);
	struct fib_stream *stream = fib_stream_alloc("check", table->routes[0].family);
	struct random random;

	if (!stream)
		return -ENOMEM;
	random_seed(&random, seed);
	for (size_t i = 0; i < FIB_STREAM_SIZE; i++) {
		__u8 *address = stream->network + i * bytes;
		unsigned int tries = 0;

		do
			fib_stream_draw_one(table, &random, address);
		while (fib_stream_is_special(stream->family, address) && ++tries < FIB_STREAM_TRIES);
		if (tries == FIB_STREAM_TRIES) {
			fib_stream_free(stream);
			return -ENOENT;
		}
	}
	fib_stream_convert(stream);
	*ret_stream = stream;
	return 0;
}

void fib_stream_free(struct fib_stream *stream)
{
	if (!stream)
		return;
	free(stream->network);
	free(stream->address4);
	free(stream->key6);
	free(stream);
}

void fib_stream_format(const struct fib_stream *stream, size_t i, char text[46])
{
	inet_ntop(stream->family, stream->network + i * fib_stream_bytes(stream->family), text, 46);
}
