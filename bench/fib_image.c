// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_structure.h"

#include "bench/image_search.h"
#include "bench/stopwatch.h"
#include "host/fib/bulk.h"
#include "host/fib/fib.h"
#include "host/fib/grace.h"
#include "host/fib/image_update.h"

#include <errno.h>
#include <stdlib.h>

// Between changes the writer settles what is unfinished, as the daemon does when it has nothing else to do.
#define FIB_IMAGE_SETTLE 64

struct fib_image {
	struct fib_structure base;
	struct image_store *store;
	struct image_store *own; // the store, unless it is the bed's
	struct grace *grace;
	struct image_update *update;
	struct bulk bulk, bulk_avx2, bulk_plain;
	unsigned int changes;
};

volatile __u32 fib_nothing;

static struct fib_image *fib_image(struct fib_structure *structure)
{
	return (struct fib_image *)structure;
}

static enum image_family fib_image_family(const struct fib_image *image)
{
	return image->base.bed->family == AF_INET6 ? IMAGE_IPV6 : IMAGE_IPV4;
}

static void fib_image_close(struct fib_structure *structure)
{
	struct fib_image *image = fib_image(structure);

	image_update_free(image->update);
	grace_free(image->grace);
	image_store_free(image->own);
	free(image);
}

static void fib_image_set_bulk(struct bulk *bulk, const struct image_store *store, enum bulk_way way)
{
	if (bulk_way_works(way))
		bulk_init_way(bulk, store, way);
}

static int fib_image_open(const struct fib_bed *bed, const struct fib_structure_kind *kind,
			  struct image_store *store, struct image_store *own,
			  struct fib_structure **ret_structure)
{
	struct fib_image *image = calloc(1, sizeof(*image));
	int err;

	if (!image) {
		image_store_free(own);
		return -ENOMEM;
	}
	image->base.kind = kind;
	image->base.bed = bed;
	image->store = store;
	image->own = own;
	err = grace_new(&image->grace);
	if (err >= 0)
		err = image_update_new(store, image->grace, &image->update);
	if (err >= 0)
		err = image_update_open(image->update, 0, false);
	if (err < 0) {
		fib_image_close(&image->base);
		return err;
	}
	bulk_init(&image->bulk, store);
	fib_image_set_bulk(&image->bulk_avx2, store, BULK_AVX2);
	fib_image_set_bulk(&image->bulk_plain, store, BULK_PLAIN);
	*ret_structure = &image->base;
	return 0;
}

static int fib_image_memory_open(const struct fib_bed *bed, struct fib_structure **ret_structure)
{
	struct image_store *store;
	int err = image_store_memory(NULL, &store);

	return err < 0 ? err : fib_image_open(bed, &fib_image_memory, store, store, ret_structure);
}

static int fib_image_maps_open(const struct fib_bed *bed, struct fib_structure **ret_structure)
{
	return fib_image_open(bed, &fib_image_maps, bed->maps, NULL, ret_structure);
}

static struct image_prefix fib_image_prefix(const struct fib_image *image, const struct table_route *route)
{
	return (struct image_prefix){ .family = fib_image_family(image),
				      .layer = PREFIX_ROUTE,
				      .length = route->len,
				      .key = prefix_key(route->addr, table_width(route->family),
							route->len) };
}

static void fib_image_finish(struct fib_image *image)
{
	while (image_update_busy(image->update))
		image_update_settle(image->update);
	if (image->store == image->base.bed->maps)
		lookup_roots(image->base.bed->lookup, 0);
}

static int fib_image_load(struct fib_structure *structure, const struct table *table)
{
	struct fib_image *image = fib_image(structure);
	__u64 began;
	__u16 old;
	int err = 0;

	image_update_begin(image->update, 0);
	for (size_t i = 0; err >= 0 && i < table->count; i++) {
		struct image_prefix prefix = fib_image_prefix(image, &table->routes[i]);

		err = image_update_set(image->update, &prefix, table->routes[i].nexthop, &old);
	}
	began = stopwatch_cpu();
	image_update_end(image->update, 0);
	fib_image_finish(image);
	structure->build_seconds = (stopwatch_cpu() - began) / 1e9;
	return err;
}

static void fib_image_changed(struct fib_image *image)
{
	if (++image->changes % FIB_IMAGE_SETTLE == 0)
		image_update_settle(image->update);
	fib_image_finish(image);
}

static int fib_image_announce(struct fib_structure *structure, const struct table_route *route)
{
	struct fib_image *image = fib_image(structure);
	struct image_prefix prefix = fib_image_prefix(image, route);
	__u16 old;
	int err = image_update_set(image->update, &prefix, route->nexthop, &old);

	fib_image_changed(image);
	return err;
}

static int fib_image_withdraw(struct fib_structure *structure, const struct table_route *route)
{
	struct fib_image *image = fib_image(structure);
	struct image_prefix prefix = fib_image_prefix(image, route);

	image_update_delete(image->update, &prefix);
	fib_image_changed(image);
	return 0;
}

static void fib_image_memory_of(struct fib_structure *structure, struct fib_memory *ret_memory)
{
	struct fib_image *image = fib_image(structure);
	const struct prefix_tree *tree = image_update_tree(image->update, 0, fib_image_family(image));
	struct image_usage usage;

	while (image_update_settle(image->update))
		;
	image_update_usage(image->update, &usage);
	ret_memory->lookup = usage.bytes;
	ret_memory->all = usage.bytes + prefix_tree_bytes(tree);
}

void fib_image_one_by_one(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
			  union fib_results *results)
{
	const struct image_store *store = fib_image(structure)->store;

	if (stream->family == AF_INET6)
		image_search6(store, store->tables->vrf, stream->key6 + at, FIB_BURST, results->nexthop);
	else
		image_search4(store, store->tables->vrf, stream->address4 + at, FIB_BURST, results->nexthop);
}

void fib_image_chain(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		     union fib_results *results)
{
	const struct image_store *store = fib_image(structure)->store;
	__u32 last = results->nexthop[FIB_BURST - 1];

	if (stream->family == AF_INET6)
		image_search_chain6(store, store->tables->vrf, stream->key6 + at, FIB_BURST, fib_nothing,
				    last, results->nexthop);
	else
		image_search_chain4(store, store->tables->vrf, stream->address4 + at, FIB_BURST, fib_nothing,
				    last, results->nexthop);
}

static void fib_image_bulk_with(const struct bulk *bulk, const struct fib_image *image,
				const struct fib_stream *stream, size_t at, union fib_results *results)
{
	const struct image_vrf *vrf = image->store->tables->vrf;

	if (stream->family == AF_INET6)
		bulk_lookup6(bulk, vrf, stream->key6 + at, FIB_BURST, results->nexthop);
	else
		bulk_lookup4(bulk, vrf, stream->address4 + at, FIB_BURST, results->nexthop);
}

void fib_image_bulk(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		    union fib_results *results)
{
	struct fib_image *image = fib_image(structure);

	fib_image_bulk_with(&image->bulk, image, stream, at, results);
}

void fib_image_bulk_avx2(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
			 union fib_results *results)
{
	struct fib_image *image = fib_image(structure);

	fib_image_bulk_with(&image->bulk_avx2, image, stream, at, results);
}

void fib_image_bulk_plain(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
			  union fib_results *results)
{
	struct fib_image *image = fib_image(structure);

	fib_image_bulk_with(&image->bulk_plain, image, stream, at, results);
}

const struct fib_structure_kind fib_image_memory = {
	.name = "image in memory",
	.open = fib_image_memory_open,
	.load = fib_image_load,
	.announce = fib_image_announce,
	.withdraw = fib_image_withdraw,
	.memory = fib_image_memory_of,
	.close = fib_image_close,
};

const struct fib_structure_kind fib_image_maps = {
	.name = "image in BPF maps",
	.ebpf = true,
	.open = fib_image_maps_open,
	.load = fib_image_load,
	.announce = fib_image_announce,
	.withdraw = fib_image_withdraw,
	.memory = fib_image_memory_of,
	.close = fib_image_close,
};
