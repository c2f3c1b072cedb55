// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * One BPF instruction: what kind it is, and how it is written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

/* Encodings newer than the headers of the system. */
#define INSTRUCTION_MEMSX   0x80 /* mode of LDX: sign-extending */
#define INSTRUCTION_LOAD_64 (BPF_LD | BPF_IMM | BPF_DW)
#define INSTRUCTION_CALL    (BPF_JMP | BPF_CALL)
#define INSTRUCTION_EXIT    (BPF_JMP | BPF_EXIT)

bool instruction_is_alu(const struct bpf_insn *instruction);
bool instruction_is_load(const struct bpf_insn *instruction);   /* LDX, zero-extending */
bool instruction_is_store(const struct bpf_insn *instruction);  /* STX */
bool instruction_is_atomic(const struct bpf_insn *instruction); /* 4 or 8 bytes */
bool instruction_is_conditional(const struct bpf_insn *instruction);
/* A jump that is always taken; `ret` is how far, from the next instruction on. */
bool instruction_is_jump(const struct bpf_insn *instruction, int32_t *ret);
/* Bytes that a load, store or atomic touches. */
unsigned int instruction_bytes(const struct bpf_insn *instruction);
/* The second operand: a register, or the constant with its sign. */
bool instruction_has_register(const struct bpf_insn *instruction);

/* Writes it as the kernel's verifier does, nearly. */
void instruction_write(const struct bpf_insn *instruction, char *text, size_t size);
