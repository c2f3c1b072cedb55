// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/fib/fib.h"
#include "host/fib/image_store.h"

/* Four times the largest tables of 2026: 32 MB of nodes, 16 MB of runs. */
#define DEFAULT_NODE_CHUNKS (1u << 19)
#define DEFAULT_RUN_CELLS   (1u << 22)

/* The verifier lets a variable offset into a value go to 2^29. */
#define MOST_BYTES   (1u << 29)
#define LEAST_CHUNKS (1u << 8)
#define LEAST_CELLS  (2u * IMAGE_NEXTHOPS)
#define CHUNK_BYTES  (NODE_CHUNK_WORDS * sizeof(__u64))

static int sizes(const struct fib_limits *limits, struct image_store *store)
{
	__u32 chunks = limits && limits->node_chunks ? limits->node_chunks : DEFAULT_NODE_CHUNKS;
	__u32 cells = limits && limits->run_cells ? limits->run_cells : DEFAULT_RUN_CELLS;

	if (chunks & (chunks - 1) || cells & (cells - 1))
		return -EINVAL;
	if (chunks < LEAST_CHUNKS || chunks > MOST_BYTES / CHUNK_BYTES)
		return -EINVAL;
	if (cells < LEAST_CELLS || cells > MOST_BYTES / sizeof(__u32))
		return -EINVAL;
	store->node_chunks = chunks;
	store->run_cells = cells;
	return 0;
}

static int store_new(const struct fib_limits *limits, struct image_store **ret)
{
	struct image_store *store = calloc(1, sizeof(*store));
	int error;

	if (!store)
		return -ENOMEM;
	error = sizes(limits, store);
	if (error < 0) {
		free(store);
		return error;
	}
	store->node_fd = store->run_fd = store->tables_fd = -1;
	*ret = store;
	return 0;
}

static size_t page_round(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static int map_memory(size_t size, void **ret)
{
	void *memory = mmap(NULL, page_round(size), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	/* Fewer TLB misses where the system grants it. */
	madvise(memory, page_round(size), MADV_HUGEPAGE);
	*ret = memory;
	return 0;
}

static int map_bpf(const char *name, size_t size, int *ret_fd, void **ret)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	void *memory;
	int fd;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), size, 1, &options);
	if (fd < 0)
		return -errno;
	memory = mmap(NULL, page_round(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		int error = -errno;

		close(fd);
		return error;
	}
	*ret_fd = fd;
	*ret = memory;
	return 0;
}

static void unmap(void *memory, size_t size, int fd)
{
	if (memory)
		munmap(memory, page_round(size));
	if (fd >= 0)
		close(fd);
}

size_t image_store_node_size(const struct image_store *store)
{
	return store->node_chunks * CHUNK_BYTES;
}

size_t image_store_run_size(const struct image_store *store)
{
	return store->run_cells * sizeof(__u32);
}

int image_store_memory(const struct fib_limits *limits, struct image_store **ret)
{
	struct image_store *store;
	int error = store_new(limits, &store);

	if (error < 0)
		return error;
	error = map_memory(image_store_node_size(store), (void **)&store->node);
	if (error == 0)
		error = map_memory(image_store_run_size(store), (void **)&store->run);
	if (error == 0)
		error = map_memory(sizeof(*store->tables), (void **)&store->tables);
	if (error < 0) {
		image_store_free(store);
		return error;
	}
	*ret = store;
	return 0;
}

int image_store_maps(const struct fib_limits *limits, struct image_store **ret)
{
	struct image_store *store;
	int error = store_new(limits, &store);

	if (error < 0)
		return error;
	error = map_bpf("node", image_store_node_size(store), &store->node_fd, (void **)&store->node);
	if (error == 0)
		error = map_bpf("run", image_store_run_size(store), &store->run_fd, (void **)&store->run);
	if (error == 0)
		error = map_bpf("tables", sizeof(*store->tables), &store->tables_fd, (void **)&store->tables);
	if (error < 0) {
		image_store_free(store);
		return error;
	}
	*ret = store;
	return 0;
}

void image_store_free(struct image_store *store)
{
	if (!store)
		return;
	unmap(store->node, image_store_node_size(store), store->node_fd);
	unmap(store->run, image_store_run_size(store), store->run_fd);
	unmap(store->tables, sizeof(*store->tables), store->tables_fd);
	free(store);
}
