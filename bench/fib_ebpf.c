// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_structure.h"

#include "bench/dir24.h"

#include <errno.h>
#include <stdlib.h>

// The other structures that eBPF programs look up in: the kernel's LPM_TRIE, and DIR-24-8 in an array.

struct fib_ebpf {
	struct fib_structure base;
	struct dir24 *dir24;
};

static struct fib_ebpf *fib_ebpf(struct fib_structure *structure)
{
	return (struct fib_ebpf *)structure;
}

static int fib_ebpf_open(const struct fib_bed *bed, const struct fib_structure_kind *kind,
			 struct fib_ebpf **ret_ebpf)
{
	struct fib_ebpf *ebpf = calloc(1, sizeof(*ebpf));

	if (!ebpf)
		return -ENOMEM;
	ebpf->base.kind = kind;
	ebpf->base.bed = bed;
	*ret_ebpf = ebpf;
	return 0;
}

static void fib_ebpf_close(struct fib_structure *structure)
{
	dir24_free(fib_ebpf(structure)->dir24);
	free(structure);
}

static int fib_trie_open(const struct fib_bed *bed, struct fib_structure **ret_structure)
{
	return fib_ebpf_open(bed, &fib_trie, (struct fib_ebpf **)ret_structure);
}

static int fib_trie_announce(struct fib_structure *structure, const struct table_route *route)
{
	return lookup_trie_set(structure->bed->lookup, route);
}

static int fib_trie_withdraw(struct fib_structure *structure, const struct table_route *route)
{
	int err = lookup_trie_delete(structure->bed->lookup, route);

	return err == -ENOENT ? 0 : err;
}

static void fib_trie_memory(struct fib_structure *structure, struct fib_memory *ret_memory)
{
	ret_memory->lookup = lookup_trie_bytes(structure->bed->lookup, structure->bed->family);
	ret_memory->all = ret_memory->lookup;
}

static int fib_dir24_open(const struct fib_bed *bed, struct fib_structure **ret_structure)
{
	struct fib_ebpf *ebpf;
	int err = fib_ebpf_open(bed, &fib_dir24, &ebpf);

	if (err < 0)
		return err;
	err = dir24_new(lookup_dir(bed->lookup), &ebpf->dir24);
	if (err < 0)
		free(ebpf);
	else
		*ret_structure = &ebpf->base;
	return err;
}

static int fib_dir24_announce(struct fib_structure *structure, const struct table_route *route)
{
	return dir24_set(fib_ebpf(structure)->dir24, route);
}

static int fib_dir24_withdraw(struct fib_structure *structure, const struct table_route *route)
{
	int err = dir24_delete(fib_ebpf(structure)->dir24, route);

	return err == -ENOENT ? 0 : err;
}

static void fib_dir24_memory(struct fib_structure *structure, struct fib_memory *ret_memory)
{
	ret_memory->lookup = dir24_lookup_bytes(fib_ebpf(structure)->dir24);
	ret_memory->all = dir24_bytes(fib_ebpf(structure)->dir24);
}

const struct fib_structure_kind fib_trie = {
	.name = "LPM_TRIE",
	.ebpf = true,
	.open = fib_trie_open,
	.announce = fib_trie_announce,
	.withdraw = fib_trie_withdraw,
	.memory = fib_trie_memory,
	.close = fib_ebpf_close,
};

const struct fib_structure_kind fib_dir24 = {
	.name = "DIR-24-8 in a BPF map",
	.ebpf = true,
	.open = fib_dir24_open,
	.announce = fib_dir24_announce,
	.withdraw = fib_dir24_withdraw,
	.memory = fib_dir24_memory,
	.close = fib_ebpf_close,
};
