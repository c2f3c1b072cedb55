// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "offload/lint/instruction.h"
#include "offload/lint/lint.h"
#include "offload/lint/model.h"

// Objects for cards, as somebody may write them who wants the lint to fall: once the input as the file
// itself, once as the instructions of a program in a file that is sound otherwise, with two maps. What is
// found is within the object and the same twice.

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CODE = 1, MAPS, RELOCATIONS, SYMBOLS, STRINGS, SECTIONS };

static const char strings[] = "\0xdp\0maps\0.rel\0.symtab\0.strtab\0program\0first\0second";
enum {
	NAME_CODE = 1,
	NAME_MAPS = 5,
	NAME_RELOCATIONS = 10,
	NAME_SYMBOLS = 15,
	NAME_STRINGS = 23,
	NAME_PROGRAM = 31,
	NAME_FIRST = 39,
	NAME_SECOND = 45
};

static const uint32_t maps[2][5] = { { BPF_MAP_TYPE_ARRAY, 4, 16, 64, 0 },
				     { BPF_MAP_TYPE_HASH, 8, 24, 64, 0 } };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_finding(const struct object *object, const struct finding *finding)
{
	char text[64];

	check(finding->rule < RULE_COUNT && *rule_text(finding->rule) && *rule_remedy(finding->rule));
	if (finding->instruction == FINDING_OBJECT)
		return;
	check(finding->instruction < object->instruction_count);
	check(object_place(object, finding->instruction).file != NULL);
	instruction_write(&object->instructions[finding->instruction], text, sizeof(text));
	check(*text != '\0');
}

static void check_costs(const struct costs *costs)
{
	struct costs_range range;

	for (uint32_t way = 0; way < COSTS_WAYS_OUT; way++) {
		check(costs_range(costs, way, model_cycles, &model_default, model_default.typical, &range) ==
		      0);
		check(!range.found || model_cycles(&range.least, &model_default) <=
					      model_cycles(&range.most, &model_default));
	}
}

static uint32_t lint(const uint8_t *bytes, size_t size, const struct profile *profile)
{
	struct why why = { "" };
	struct lint lint;
	uint32_t count;

	if (lint_memory("object", bytes, size, profile, true, &lint, &why) < 0) {
		check(strncmp(why.text, "object: ", 8) == 0);
		return 0;
	}
	count = lint.findings.count;
	for (uint32_t i = 0; i < count; i++)
		check_finding(lint.object, &lint.findings.list[i]);
	for (uint32_t i = 0; i < lint.program_count; i++)
		check_costs(&lint.programs[i].costs);
	lint_close(&lint);
	return count;
}

static void append(uint8_t *file, size_t *at, Elf64_Shdr *section, const void *bytes, size_t size)
{
	section->sh_offset = *at;
	section->sh_size = size;
	memcpy(file + *at, bytes, size);
	*at += (size + 7) & ~(size_t)7;
}

// A file around instructions; each load of a map refers to one of the two.
static size_t wrap(const struct bpf_insn *code, size_t count, uint8_t *file)
{
	Elf64_Sym symbols[4] = { { 0 },
				 { NAME_PROGRAM, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, CODE, 0, count * 8 },
				 { NAME_FIRST, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0, MAPS, 0, 20 },
				 { NAME_SECOND, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0, MAPS, 20, 20 } };
	Elf64_Shdr sections[SECTIONS] = {
		[CODE] = { NAME_CODE, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0, 0, 0, 0, 0, 8, 0 },
		[MAPS] = { NAME_MAPS, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0, 0, 0, 0, 0, 4, 0 },
		[RELOCATIONS] = { NAME_RELOCATIONS, SHT_REL, 0, 0, 0, 0, SYMBOLS, CODE, 8, 16 },
		[SYMBOLS] = { NAME_SYMBOLS, SHT_SYMTAB, 0, 0, 0, 0, STRINGS, 1, 8, 24 },
		[STRINGS] = { NAME_STRINGS, SHT_STRTAB, 0, 0, 0, 0, 0, 0, 1, 0 },
	};
	Elf64_Rel *relocations = calloc(count + 1, sizeof(*relocations));
	Elf64_Ehdr header = { .e_ident = ELFMAG,
			      .e_type = ET_REL,
			      .e_machine = EM_BPF,
			      .e_shentsize = sizeof(Elf64_Shdr),
			      .e_shnum = SECTIONS,
			      .e_shstrndx = STRINGS };
	size_t at = sizeof(header), loads = 0;

	for (size_t i = 0; i < count; i++)
		if (code[i].code == INSTRUCTION_LOAD_64 && code[i].src_reg == BPF_PSEUDO_MAP_FD)
			relocations[loads++] = (Elf64_Rel){ i * 8, ELF64_R_INFO(2 + (code[i].imm & 1), 1) };
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	append(file, &at, &sections[CODE], code, count * 8);
	append(file, &at, &sections[MAPS], maps, sizeof(maps));
	append(file, &at, &sections[RELOCATIONS], relocations, loads * sizeof(*relocations));
	append(file, &at, &sections[SYMBOLS], symbols, sizeof(symbols));
	append(file, &at, &sections[STRINGS], strings, sizeof(strings));
	header.e_shoff = at;
	memcpy(file, &header, sizeof(header));
	memcpy(file + at, sections, sizeof(sections));
	free(relocations);
	return at + sizeof(sections);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile large = profiles[0];
	struct bpf_insn *code = malloc(size + 8);
	uint8_t *file = calloc(1, 4096 + size * 4);
	size_t length;

	memcpy(code, data, size);
	length = wrap(code, size / 8, file);
	large.update = large.delete = large.perf_event = 1;
	large.program_length = large.stack = large.inline_mtu = UINT16_MAX;
	lint(data, size, &profiles[0]);
	check(lint(file, length, &profiles[0]) == lint(file, length, &profiles[0]));
	lint(file, length, &large);
	free(file);
	free(code);
	return 0;
}
