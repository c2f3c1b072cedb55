// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * An object file as clang -target bpf writes it: 64-bit, little-endian, relocatable. Everything in it is
 * checked when it is opened, so that who reads it needs no checks: sections lie within the file, names end,
 * symbols name sections that exist. All points into the bytes given to elf_open(), which must stay.
 */
#pragma once

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "host/why.h"

struct elf_section {
	const char *name;
	uint32_t type, link, info;
	uint64_t flags, size;
	const uint8_t *data; /* NULL: not in the file (SHT_NOBITS) */
};

struct elf_symbol {
	const char *name;
	uint8_t type, bind;
	uint16_t section; /* SHN_UNDEF, an index, or SHN_LORESERVE and above */
	uint64_t value, size;
};

struct elf_relocation {
	uint64_t offset;
	uint32_t type, symbol;
	int64_t addend;
};

struct elf {
	struct elf_section *sections;
	struct elf_symbol *symbols;
	uint32_t section_count, symbol_count;
};

/* Reads the tables. -EINVAL: `why` says, after `label`, what is wrong with the file. */
int elf_open(const char *label, const uint8_t *bytes, size_t size, struct elf *ret, struct why *why);
void elf_close(struct elf *elf);

/* The index of the section of that name, 0: there is none. */
uint32_t elf_find(const struct elf *elf, const char *name);
/* Relocations in a section of type SHT_REL or SHT_RELA, and one of them; its symbol exists. */
uint32_t elf_relocation_count(const struct elf_section *section);
struct elf_relocation elf_relocation(const struct elf *elf, const struct elf_section *section,
				     uint32_t index);
