// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/lookup.h"
#include "bench/lookup.skel.h"
#include "bench/lookup_layout.h"

// The same object loaded with each set of its constants.
enum lookup_variant { LOOKUP_INDEPENDENT, LOOKUP_DEPENDENT, LOOKUP_RECORD, LOOKUP_VARIANTS };

struct lookup {
	const struct image_store *store;
	struct lookup_bpf *variant[LOOKUP_VARIANTS];
	void *trace;
	__u32 *results;
	struct lookup_dir *dir;
	__u32 dir_groups;
};

static struct bpf_program *program_of(const struct lookup *lookup, enum lookup_variant variant,
				      enum lookup_structure structure, __u8 family)
{
	const struct lookup_bpf *skeleton = lookup->variant[variant];
	bool ipv6 = family == AF_INET6;

	switch (structure) {
	case LOOKUP_NOTHING:
		return ipv6 ? skeleton->progs.lookup_nothing6 : skeleton->progs.lookup_nothing4;
	case LOOKUP_IMAGE:
		return ipv6 ? skeleton->progs.lookup_image6 : skeleton->progs.lookup_image4;
	case LOOKUP_DIR:
		return ipv6 ? NULL : skeleton->progs.lookup_dir4;
	case LOOKUP_TRIE:
		return ipv6 ? skeleton->progs.lookup_trie6 : skeleton->progs.lookup_trie4;
	default:
		return NULL;
	}
}

static void *map_value(const struct bpf_map *map)
{
	void *value =
		mmap(NULL, bpf_map__value_size(map), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return value == MAP_FAILED ? NULL : value;
}

static int share(struct bpf_map *map, const struct bpf_map *other)
{
	return bpf_map__reuse_fd(map, bpf_map__fd(other));
}

static int set_up(struct lookup *lookup, enum lookup_variant variant)
{
	struct lookup_bpf *skeleton = lookup->variant[variant], *first = lookup->variant[0];
	const struct image_store *store = lookup->store;
	int error;

	skeleton->rodata->node_mask = store->node_chunks * NODE_CHUNK_WORDS - 1;
	skeleton->rodata->run_mask = store->run_cells - 1;
	skeleton->rodata->dependent = variant == LOOKUP_DEPENDENT;
	skeleton->rodata->record = variant == LOOKUP_RECORD;
	error = bpf_map__reuse_fd(skeleton->maps.node, store->node_fd);
	if (error == 0)
		error = bpf_map__reuse_fd(skeleton->maps.run, store->run_fd);
	if (error == 0 && variant) {
		error = share(skeleton->maps.trace, first->maps.trace);
		error = error ?: share(skeleton->maps.results, first->maps.results);
		error = error ?: share(skeleton->maps.dir, first->maps.dir);
		error = error ?: share(skeleton->maps.trie4, first->maps.trie4);
		error = error ?: share(skeleton->maps.trie6, first->maps.trie6);
	}
	return error ?: lookup_bpf__load(skeleton);
}

static int dir_insert(struct lookup *lookup, const struct table_route *route)
{
	struct lookup_dir *dir = lookup->dir;
	__u32 address =
		(__u32)route->addr[0] << 24 | route->addr[1] << 16 | route->addr[2] << 8 | route->addr[3];
	__u32 *first = &dir->first[address >> 8], *group;

	if (route->len <= 24) {
		for (__u32 i = 0; i < 1u << (24 - route->len); i++)
			first[i] = route->nexthop;
		return 0;
	}
	if (!(*first & LOOKUP_DIR_GROUP)) {
		if (lookup->dir_groups == LOOKUP_DIR_GROUPS)
			return -ENOSPC;
		group = &dir->group[lookup->dir_groups * 256];
		for (__u32 i = 0; i < 256; i++)
			group[i] = *first;
		*first = LOOKUP_DIR_GROUP | lookup->dir_groups++;
	}
	group = &dir->group[(*first & ~LOOKUP_DIR_GROUP) * 256 + (address & 255)];
	for (__u32 i = 0; i < 1u << (32 - route->len); i++)
		group[i] = route->nexthop;
	return 0;
}

static int trie_insert(const struct lookup *lookup, const struct table_route *route)
{
	const struct lookup_bpf *skeleton = lookup->variant[0];
	struct lookup_key6 key = { .length = route->len };
	struct bpf_map *map = route->family == AF_INET6 ? skeleton->maps.trie6 : skeleton->maps.trie4;

	memcpy(key.address, route->addr, table_width(route->family) / 8);
	return bpf_map_update_elem(bpf_map__fd(map), &key, &route->nexthop, BPF_ANY) < 0 ? -errno : 0;
}

static int run(struct lookup *lookup, enum lookup_variant variant, enum lookup_structure structure,
	       __u8 family, unsigned int batches, __u32 *ret_ns)
{
	const struct bpf_program *program = program_of(lookup, variant, structure, family);
	char frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = batches);

	if (!program)
		return -EOPNOTSUPP;
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) < 0)
		return -errno;
	*ret_ns = options.duration;
	return 0;
}

int lookup_new(const struct image_store *store, struct lookup **ret_lookup)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	int error = 0;

	if (!lookup)
		return -ENOMEM;
	lookup->store = store;
	for (int i = 0; i < LOOKUP_VARIANTS && !error; i++) {
		lookup->variant[i] = lookup_bpf__open();
		error = lookup->variant[i] ? set_up(lookup, i) : -errno;
	}
	if (!error) {
		lookup->trace = map_value(lookup->variant[0]->maps.trace);
		lookup->results = map_value(lookup->variant[0]->maps.results);
		lookup->dir = map_value(lookup->variant[0]->maps.dir);
		if (!lookup->trace || !lookup->results || !lookup->dir)
			error = -ENOMEM;
	}
	if (error) {
		lookup_free(lookup);
		return error;
	}
	*ret_lookup = lookup;
	return 0;
}

static void unmap_value(void *value, size_t size)
{
	if (value)
		munmap(value, size);
}

void lookup_free(struct lookup *lookup)
{
	if (!lookup)
		return;
	unmap_value(lookup->trace, sizeof(struct lookup_trace));
	unmap_value(lookup->results, sizeof(struct lookup_results));
	unmap_value(lookup->dir, sizeof(struct lookup_dir));
	for (int i = 0; i < LOOKUP_VARIANTS; i++)
		lookup_bpf__destroy(lookup->variant[i]);
	free(lookup);
}

int lookup_load(struct lookup *lookup, const struct table *table)
{
	int error = 0;

	for (size_t i = 0; i < table->count && !error; i++) {
		if (table->routes[i].family == AF_INET)
			error = dir_insert(lookup, &table->routes[i]);
		error = error ?: trie_insert(lookup, &table->routes[i]);
	}
	return error;
}

void *lookup_trace(struct lookup *lookup)
{
	return lookup->trace;
}

void lookup_roots(struct lookup *lookup, __u16 vrf)
{
	for (int i = 0; i < LOOKUP_VARIANTS; i++)
		memcpy((void *)lookup->variant[i]->bss->root, lookup->store->tables->vrf[vrf].root,
		       sizeof(lookup->variant[i]->bss->root));
}

int lookup_run(struct lookup *lookup, enum lookup_structure structure, __u8 family, bool dependent,
	       unsigned int batches, double *ret_ns)
{
	__u32 ns;
	int error = run(lookup, dependent ? LOOKUP_DEPENDENT : LOOKUP_INDEPENDENT, structure, family, batches,
			&ns);

	if (!error)
		*ret_ns = (double)ns / LOOKUP_BATCH;
	return error;
}

const __u32 *lookup_results(struct lookup *lookup, enum lookup_structure structure, __u8 family)
{
	__u32 ns;

	lookup->variant[LOOKUP_RECORD]->bss->cursor = 0;
	if (run(lookup, LOOKUP_RECORD, structure, family, LOOKUP_ADDRESSES / LOOKUP_BATCH, &ns) < 0)
		return NULL;
	return lookup->results;
}

unsigned int lookup_verified(struct lookup *lookup, enum lookup_structure structure, __u8 family)
{
	const struct bpf_program *program = program_of(lookup, LOOKUP_INDEPENDENT, structure, family);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (!program || bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) < 0)
		return 0;
	return info.verified_insns;
}
