// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/bake.h"

#include <errno.h>
#include <stdbool.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "host/fib/image_store.h"
#include "xdp/baked.h"
#include "xdp/image.h"

struct bake {
	int fd[BAKED_MAX];       /* addresses: the map whose value it is ... */
	__u32 offset[BAKED_MAX]; /* ... and where in it, added to what the program asks for */
	__u32 number[BAKED_MAX]; /* numbers */
};

static bool is_mark(const struct bpf_insn *insn)
{
	return ((__u32)insn->imm & 0xffff0000) == BAKED_MAGIC;
}

static bool is_address(enum baked what)
{
	return what == BAKED_TABLES || what == BAKED_NODE || what == BAKED_RUN || what == BAKED_INGRESS;
}

/* An instruction that has an immediate operand, which may therefore look like a mark. */
static bool has_immediate(const struct bpf_insn *insn)
{
	__u8 class = BPF_CLASS(insn->code);

	return (class == BPF_ALU || class == BPF_ALU64) && BPF_SRC(insn->code) == BPF_K;
}

static int bake_program(struct bpf_program *program, const struct bake *bake)
{
	/* libbpf hands them out for reading; until it loads them they are ours to finish */
	struct bpf_insn *insn = (struct bpf_insn *)bpf_program__insns(program);
	size_t count = bpf_program__insn_cnt(program);

	for (size_t i = 0; i < count; i++) {
		bool wide = insn[i].code == (BPF_LD | BPF_DW | BPF_IMM);
		enum baked what = insn[i].imm & 0xffff;

		if ((wide || has_immediate(&insn[i])) && is_mark(&insn[i]) && insn[i].src_reg == 0) {
			if (what == 0 || what >= BAKED_MAX || wide != is_address(what))
				return -EBADMSG;
			if (wide) {
				insn[i].src_reg = BPF_PSEUDO_MAP_VALUE;
				insn[i].imm = bake->fd[what];
				insn[i + 1].imm += (__s32)bake->offset[what];
			} else {
				insn[i].imm = (__s32)bake->number[what];
			}
		}
		i += wide;
	}
	return 0;
}

int bake_port(struct bpf_program *program, const struct image_store *store, __u16 port, __u16 queues)
{
	struct bake bake = { 0 };

	bake.fd[BAKED_TABLES] = store->tables_fd;
	bake.fd[BAKED_INGRESS] = store->tables_fd;
	bake.offset[BAKED_INGRESS] = offsetof(struct image_tables, interface[port + 1]);
	bake.fd[BAKED_NODE] = store->node_fd;
	bake.fd[BAKED_RUN] = store->run_fd;
	bake.number[BAKED_PORT] = port;
	bake.number[BAKED_NODE_MASK] = store->node_chunks * NODE_CHUNK_WORDS - 1;
	bake.number[BAKED_RUN_MASK] = store->run_cells - 1;
	bake.number[BAKED_LEAF_MASK] = 2 * store->run_cells - 1;
	bake.number[BAKED_QUEUES] = queues;
	return bake_program(program, &bake);
}
