// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/bake.h"

#include <errno.h>
#include <stdbool.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

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

int bake_program(struct bpf_program *program, const struct bake *bake)
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
