// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/unit/image_reader.h"
#include "tests/unit/image_reader_layout.h"
#include "tests/unit/image_reader.skel.h"

struct image_kernel_reader {
	struct image_reader_bpf *skeleton;
	struct reader_batch *batch;
};

int image_kernel_reader_new(const struct image_store *store, struct image_kernel_reader **ret)
{
	struct image_kernel_reader *reader = calloc(1, sizeof(*reader));
	struct image_reader_bpf *skeleton = image_reader_bpf__open();
	int error = reader && skeleton ? 0 : -ENOMEM;

	if (error == 0) {
		reader->skeleton = skeleton;
		skeleton->rodata->node_mask = store->node_chunks * NODE_CHUNK_WORDS - 1;
		skeleton->rodata->run_mask = store->run_cells - 1;
		skeleton->rodata->leaf_mask = 2 * store->run_cells - 1;
		error = bpf_map__reuse_fd(skeleton->maps.node, store->node_fd);
	}
	if (error == 0)
		error = bpf_map__reuse_fd(skeleton->maps.run, store->run_fd);
	if (error == 0)
		error = bpf_map__reuse_fd(skeleton->maps.tables, store->tables_fd);
	if (error == 0)
		error = image_reader_bpf__load(skeleton);
	if (error == 0) {
		reader->batch = mmap(NULL, sizeof(*reader->batch), PROT_READ | PROT_WRITE, MAP_SHARED,
				     bpf_map__fd(skeleton->maps.batch), 0);
		error = reader->batch == MAP_FAILED ? -errno : 0;
	}
	if (error < 0) {
		image_reader_bpf__destroy(skeleton);
		free(reader);
		return error;
	}
	*ret = reader;
	return 0;
}

void image_kernel_reader_free(struct image_kernel_reader *reader)
{
	munmap(reader->batch, sizeof(*reader->batch));
	image_reader_bpf__destroy(reader->skeleton);
	free(reader);
}

struct reader_batch *image_kernel_reader_batch(struct image_kernel_reader *reader)
{
	return reader->batch;
}

int image_kernel_reader_run(struct image_kernel_reader *reader)
{
	char frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1);

	return bpf_prog_test_run_opts(bpf_program__fd(reader->skeleton->progs.read_batch), &options) < 0
		       ? -errno
		       : 0;
}
