// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/addresses.h"

#include "bench/workload/random.h"
#include "bench/workload/zipf.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// SPACE picks a number below the count of covered addresses. The routes that no other covers are disjoint;
// ends[] holds for each the number of addresses up to its end, so that a binary search finds the route.

struct addresses_span {
	__u64 end;  // covered addresses up to the end of this route
	__u32 last; // its last address
};

struct addresses {
	enum addresses_kind kind;
	const struct table_route *routes; // those of the family
	size_t count;
	unsigned int bytes; // per address
	struct random random;
	struct addresses_span *spans; // SPACE, and REPEATED for IPv4
	size_t span_count;
	__u8 *destinations; // ZIPF
	struct zipf *zipf;
	size_t next; // SEQUENTIAL
	__u8 repeated[16];
	unsigned int repeats; // left of it
};

static void addresses_within(struct addresses *a, size_t i, __u8 *to)
{
	const struct table_route *route = &a->routes[i];
	unsigned int byte = route->len / 8;

	memcpy(to, route->addr, a->bytes);
	if (byte == a->bytes)
		return;
	to[byte] |= random_next(&a->random) & 0xff >> route->len % 8;
	if (byte + 1 < a->bytes)
		random_bytes(&a->random, to + byte + 1, a->bytes - byte - 1);
}

static void addresses_of_prefix(struct addresses *a, __u8 *to)
{
	addresses_within(a, random_below(&a->random, a->count), to);
}

static void addresses_of_space(struct addresses *a, __u8 *to)
{
	__u64 pick = random_below(&a->random, a->spans[a->span_count - 1].end);
	size_t low = 0, high = a->span_count - 1;
	__u32 addr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (a->spans[middle].end > pick)
			high = middle;
		else
			low = middle + 1;
	}
	addr = htobe32(a->spans[low].last - (a->spans[low].end - 1 - pick));
	memcpy(to, &addr, sizeof(addr));
}

static void addresses_uniform(struct addresses *a, __u8 *to)
{
	if (a->spans)
		addresses_of_space(a, to);
	else
		addresses_of_prefix(a, to);
}

static void addresses_one(struct addresses *a, __u8 *to)
{
	switch (a->kind) {
	case ADDRESSES_SPACE:
		addresses_of_space(a, to);
		break;
	case ADDRESSES_PREFIXES:
		addresses_of_prefix(a, to);
		break;
	case ADDRESSES_ZIPF:
		memcpy(to, a->destinations + (size_t)zipf_rank(a->zipf, random_next(&a->random)) * a->bytes,
		       a->bytes);
		break;
	case ADDRESSES_REPEATED:
		if (!a->repeats) {
			addresses_uniform(a, a->repeated);
			a->repeats = ADDRESSES_REPEATS;
		}
		a->repeats--;
		memcpy(to, a->repeated, a->bytes);
		break;
	case ADDRESSES_SEQUENTIAL:
		addresses_within(a, a->next, to);
		a->next = (a->next + 1) % a->count;
		break;
	}
}

static int addresses_add_spans(struct addresses *a)
{
	__u64 end = 0;

	a->spans = calloc(a->count, sizeof(*a->spans));
	if (!a->spans)
		return -ENOMEM;
	for (size_t i = 0; i < a->count; i++) {
		__u64 size = 1ull << (32 - a->routes[i].len);
		__u32 addr;

		memcpy(&addr, a->routes[i].addr, sizeof(addr));
		addr = be32toh(addr);
		if (a->span_count && addr <= a->spans[a->span_count - 1].last)
			continue; // covered
		end += size;
		a->spans[a->span_count++] = (struct addresses_span){ end, addr + (size - 1) };
	}
	return 0;
}

static int addresses_add_destinations(struct addresses *a, __u32 count)
{
	a->zipf = zipf_new(count);
	a->destinations = calloc(count, a->bytes);
	if (!a->zipf || !a->destinations)
		return -ENOMEM;
	for (__u32 i = 0; i < count; i++)
		addresses_of_prefix(a, a->destinations + (size_t)i * a->bytes);
	return 0;
}

static int addresses_prepare(struct addresses *a, const struct addresses_options *options)
{
	bool ipv4 = options->family == AF_INET;

	switch (a->kind) {
	case ADDRESSES_SPACE:
		return ipv4 ? addresses_add_spans(a) : -EINVAL;
	case ADDRESSES_REPEATED:
		return ipv4 ? addresses_add_spans(a) : 0;
	case ADDRESSES_ZIPF:
		return options->destinations ? addresses_add_destinations(a, options->destinations) : -EINVAL;
	case ADDRESSES_SEQUENTIAL:
		a->next = random_below(&a->random, a->count);
		return 0;
	case ADDRESSES_PREFIXES:
		return 0;
	}
	return -EINVAL;
}

static void addresses_select(struct addresses *a, const struct table *table, __u8 family)
{
	size_t first = 0, end;

	while (first < table->count && table->routes[first].family != family)
		first++;
	for (end = first; end < table->count && table->routes[end].family == family;)
		end++;
	a->routes = table->routes + first;
	a->count = end - first;
	a->bytes = table_width(family) / 8;
}

int addresses_new(const struct table *table, const struct addresses_options *options,
		  struct addresses **ret_addresses)
{
	struct addresses *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	assert(table_is_sorted(table));
	a->kind = options->kind;
	random_seed(&a->random, options->seed);
	addresses_select(a, table, options->family);
	r = a->count ? addresses_prepare(a, options) : -ENOENT;
	if (r < 0)
		addresses_free(a);
	else
		*ret_addresses = a;
	return r;
}

void addresses_free(struct addresses *addresses)
{
	if (!addresses)
		return;
	zipf_free(addresses->zipf);
	free(addresses->destinations);
	free(addresses->spans);
	free(addresses);
}

void addresses_fill(struct addresses *addresses, void *to, size_t count)
{
	__u8 *bytes = to;

	for (size_t i = 0; i < count; i++)
		addresses_one(addresses, bytes + i * addresses->bytes);
}
