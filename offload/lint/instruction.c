// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/instruction.h"

#include <stdio.h>

static const char *const alu_signs[16] = { "+=",  "-=", "*=", "/=", "|=", "&=",  "<<=",
					   ">>=", "",   "%=", "^=", "=",  "s>>=" };
static const char *const jump_signs[16] = { "",    "==", ">", ">=", "&",  "!=", "s>",
					    "s>=", "",   "",  "<",  "<=", "s<", "s<=" };
static const char *const sizes[4] = { "u32", "u16", "u8", "u64" };

static const char *size_of(const struct bpf_insn *instruction)
{
	return sizes[BPF_SIZE(instruction->code) >> 3];
}

/* "r1", "w1", or the constant */
static void write_operand(const struct bpf_insn *instruction, char letter, char *text, size_t size)
{
	if (instruction_has_register(instruction))
		snprintf(text, size, "%c%d", letter, instruction->src_reg);
	else
		snprintf(text, size, "%d", instruction->imm);
}

static void write_alu(const struct bpf_insn *instruction, char *text, size_t size)
{
	char letter = BPF_CLASS(instruction->code) == BPF_ALU64 ? 'r' : 'w';
	uint8_t operation = BPF_OP(instruction->code);
	const char *sign = "";
	char operand[16];

	if (operation == BPF_END) {
		const char *name = letter == 'r' ? "bswap" : instruction->code & BPF_TO_BE ? "be" : "le";

		snprintf(text, size, "r%d = %s%d r%d", instruction->dst_reg, name, instruction->imm,
			 instruction->dst_reg);
		return;
	}
	if (operation == BPF_NEG) {
		snprintf(text, size, "%c%d = -%c%d", letter, instruction->dst_reg, letter,
			 instruction->dst_reg);
		return;
	}
	write_operand(instruction, letter, operand, sizeof(operand));
	if (instruction->off && (operation == BPF_DIV || operation == BPF_MOD))
		sign = "s";
	if (instruction->off && operation == BPF_MOV)
		snprintf(text, size, "%c%d = (s%d)%s", letter, instruction->dst_reg, instruction->off,
			 operand);
	else
		snprintf(text, size, "%c%d %s%s %s", letter, instruction->dst_reg, sign,
			 alu_signs[operation >> 4] ? alu_signs[operation >> 4] : "?=", operand);
}

static void write_jump(const struct bpf_insn *instruction, char *text, size_t size)
{
	char letter = BPF_CLASS(instruction->code) == BPF_JMP ? 'r' : 'w';
	const char *sign = jump_signs[BPF_OP(instruction->code) >> 4];
	char operand[16];
	int32_t far;

	if (instruction->code == INSTRUCTION_EXIT) {
		snprintf(text, size, "exit");
	} else if (instruction->code == INSTRUCTION_CALL) {
		if (instruction->src_reg == BPF_PSEUDO_CALL)
			snprintf(text, size, "call pc%+d", instruction->imm);
		else
			snprintf(text, size, "call %s%d", instruction->src_reg ? "kernel function " : "#",
				 instruction->imm);
	} else if (instruction_is_jump(instruction, &far)) {
		snprintf(text, size, "goto%s pc%+d", letter == 'w' ? "l" : "", far);
	} else if (sign && *sign) {
		write_operand(instruction, letter, operand, sizeof(operand));
		snprintf(text, size, "if %c%d %s %s goto pc%+d", letter, instruction->dst_reg, sign, operand,
			 instruction->off);
	} else {
		snprintf(text, size, "opcode 0x%02x", instruction->code);
	}
}

static void write_memory(const struct bpf_insn *instruction, char *text, size_t size)
{
	uint8_t class = BPF_CLASS(instruction->code), mode = BPF_MODE(instruction->code);

	if (class == BPF_LDX && (mode == BPF_MEM || mode == INSTRUCTION_MEMSX))
		snprintf(text, size, "r%d = *(%s *)(r%d %+d)", instruction->dst_reg,
			 mode == BPF_MEM ? size_of(instruction) : "signed", instruction->src_reg,
			 instruction->off);
	else if (class == BPF_STX && mode == BPF_MEM)
		snprintf(text, size, "*(%s *)(r%d %+d) = r%d", size_of(instruction), instruction->dst_reg,
			 instruction->off, instruction->src_reg);
	else if (class == BPF_ST && mode == BPF_MEM)
		snprintf(text, size, "*(%s *)(r%d %+d) = %d", size_of(instruction), instruction->dst_reg,
			 instruction->off, instruction->imm);
	else if (class == BPF_STX && mode == BPF_ATOMIC)
		snprintf(text, size, "lock *(%s *)(r%d %+d), r%d, operation 0x%x", size_of(instruction),
			 instruction->dst_reg, instruction->off, instruction->src_reg, instruction->imm);
	else if (instruction->code == INSTRUCTION_LOAD_64)
		snprintf(text, size, "r%d = 0x%x ll", instruction->dst_reg, instruction->imm);
	else
		snprintf(text, size, "opcode 0x%02x", instruction->code);
}

bool instruction_is_alu(const struct bpf_insn *instruction)
{
	return BPF_CLASS(instruction->code) == BPF_ALU || BPF_CLASS(instruction->code) == BPF_ALU64;
}

bool instruction_is_load(const struct bpf_insn *instruction)
{
	return (instruction->code & 0xe7) == (BPF_LDX | BPF_MEM);
}

bool instruction_is_store(const struct bpf_insn *instruction)
{
	return (instruction->code & 0xe7) == (BPF_STX | BPF_MEM);
}

bool instruction_is_atomic(const struct bpf_insn *instruction)
{
	return instruction->code == (BPF_STX | BPF_ATOMIC | BPF_W) ||
	       instruction->code == (BPF_STX | BPF_ATOMIC | BPF_DW);
}

bool instruction_is_conditional(const struct bpf_insn *instruction)
{
	uint8_t class = BPF_CLASS(instruction->code), operation = BPF_OP(instruction->code);

	return (class == BPF_JMP || class == BPF_JMP32) && operation != BPF_JA && operation != BPF_CALL &&
	       operation != BPF_EXIT && operation <= BPF_JSLE;
}

bool instruction_is_jump(const struct bpf_insn *instruction, int32_t *ret)
{
	if (instruction->code != (BPF_JMP | BPF_JA) && instruction->code != (BPF_JMP32 | BPF_JA))
		return false;
	*ret = BPF_CLASS(instruction->code) == BPF_JMP ? instruction->off : instruction->imm;
	return true;
}

unsigned int instruction_bytes(const struct bpf_insn *instruction)
{
	static const unsigned int bytes[4] = { 4, 2, 1, 8 };

	return bytes[BPF_SIZE(instruction->code) >> 3];
}

bool instruction_has_register(const struct bpf_insn *instruction)
{
	return BPF_SRC(instruction->code) == BPF_X;
}

void instruction_write(const struct bpf_insn *instruction, char *text, size_t size)
{
	switch (BPF_CLASS(instruction->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		write_alu(instruction, text, size);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		write_jump(instruction, text, size);
		break;
	default:
		write_memory(instruction, text, size);
	}
}
