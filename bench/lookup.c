// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/lookup.h"

#include "bench/lookup_layout.h" // the skeleton needs it
#include "bench/lookup.skel.h"
#include "bench/netns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

// The same object loaded with each set of its constants.
enum lookup_variant { LOOKUP_INDEPENDENT, LOOKUP_DEPENDENT, LOOKUP_RECORD, LOOKUP_VARIANTS };

struct lookup {
	const struct image_store *store;
	struct lookup_bpf *variant[LOOKUP_VARIANTS];
	void *trace;
	__u32 *results;
	struct lookup_dir *dir;
	int netns; // of the kernel's routes, not owned; -1 without
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
	case LOOKUP_KERNEL:
		return ipv6 ? skeleton->progs.lookup_kernel6 : skeleton->progs.lookup_kernel4;
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
	skeleton->rodata->leaf_mask = 2 * store->run_cells - 1;
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

static int trie_of(const struct lookup *lookup, __u8 family)
{
	const struct lookup_bpf *first = lookup->variant[0];

	return bpf_map__fd(family == AF_INET6 ? first->maps.trie6 : first->maps.trie4);
}

static struct lookup_key6 trie_key(const struct table_route *route)
{
	struct lookup_key6 key = { .length = route->len };

	memcpy(key.address, route->addr, table_width(route->family) / 8);
	return key;
}

static int run_here(const struct bpf_program *program, unsigned int batches)
{
	char frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = batches);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) < 0)
		return -errno;
	return options.retval == XDP_PASS ? 0 : -EIO;
}

static int run(struct lookup *lookup, enum lookup_variant variant, enum lookup_structure structure,
	       __u8 family, unsigned int batches)
{
	const struct bpf_program *program = program_of(lookup, variant, structure, family);
	int home, error;

	if (!program)
		return -EOPNOTSUPP;
	if (structure != LOOKUP_KERNEL)
		return run_here(program, batches);
	error = netns_enter(lookup->netns, &home);
	if (error < 0)
		return error;
	error = run_here(program, batches);
	netns_leave(home);
	return error;
}

int lookup_new(const struct image_store *store, struct lookup **ret_lookup)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	int error = 0;

	if (!lookup)
		return -ENOMEM;
	lookup->store = store;
	lookup->netns = -1;
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

struct lookup_dir *lookup_dir(struct lookup *lookup)
{
	return lookup->dir;
}

int lookup_trie_set(struct lookup *lookup, const struct table_route *route)
{
	struct lookup_key6 key = trie_key(route);

	return bpf_map_update_elem(trie_of(lookup, route->family), &key, &route->nexthop, BPF_ANY) < 0
		       ? -errno
		       : 0;
}

int lookup_trie_delete(struct lookup *lookup, const struct table_route *route)
{
	struct lookup_key6 key = trie_key(route);

	return bpf_map_delete_elem(trie_of(lookup, route->family), &key) < 0 ? -errno : 0;
}

size_t lookup_trie_bytes(const struct lookup *lookup, __u8 family)
{
	char path[64], line[128];
	size_t bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", trie_of(lookup, family));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "memlock: %zu", &bytes);
	if (file)
		fclose(file);
	return bytes;
}

void lookup_kernel(struct lookup *lookup, int netns, __u32 ingress)
{
	lookup->netns = netns;
	for (int i = 0; i < LOOKUP_VARIANTS; i++)
		lookup->variant[i]->bss->ingress = ingress;
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
	       unsigned int batches)
{
	return run(lookup, dependent ? LOOKUP_DEPENDENT : LOOKUP_INDEPENDENT, structure, family, batches);
}

const __u32 *lookup_results(struct lookup *lookup, enum lookup_structure structure, __u8 family)
{
	lookup->variant[LOOKUP_RECORD]->bss->cursor = 0;
	if (run(lookup, LOOKUP_RECORD, structure, family, LOOKUP_ADDRESSES / LOOKUP_BATCH) < 0)
		return NULL;
	return lookup->results;
}
