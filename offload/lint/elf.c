// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Read by hand: libbpf opens only what it would load, and trusts it, while here the objects of interest are
 * those that will not load.
 */
#include "offload/lint/elf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_LIMIT 4096
#define SYMBOL_LIMIT  (1u << 20)

struct file {
	const char *label;
	const uint8_t *bytes;
	size_t size;
	struct why *why;
};

/* Whether `count` things of `each` bytes lie within `size` from `offset`. */
static bool lies_within(uint64_t size, uint64_t offset, uint64_t count, uint64_t each)
{
	return offset <= size && (!count || count <= (size - offset) / each);
}

/* A string of a table, NULL if it does not end there. */
static const char *string_at(const struct elf_section *table, uint64_t offset)
{
	if (!table->data || offset >= table->size || table->data[table->size - 1])
		return NULL;
	return (const char *)table->data + offset;
}

static int refuse(const struct file *file, const char *what)
{
	return why_set(file->why, EINVAL, "%s: %s", file->label, what);
}

static int check_header(const struct file *file, Elf64_Ehdr *ret)
{
	Elf64_Ehdr header;

	if (file->size < sizeof(header) || memcmp(file->bytes, ELFMAG, SELFMAG) != 0)
		return refuse(file, "not an ELF object; compile with: clang -target bpf -mcpu=v3 -O2 -g -c");
	memcpy(&header, file->bytes, sizeof(header));
	if (header.e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(file, "big-endian; compile with: clang -target bpf");
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_BPF || header.e_type != ET_REL)
		return refuse(file, "not a BPF object; compile with: clang -target bpf -mcpu=v3 -O2 -g -c");
	if (header.e_shentsize != sizeof(Elf64_Shdr) || !header.e_shnum || header.e_shnum > SECTION_LIMIT ||
	    header.e_shstrndx >= header.e_shnum ||
	    !lies_within(file->size, header.e_shoff, header.e_shnum, sizeof(Elf64_Shdr)))
		return refuse(file, "damaged: the table of sections does not fit in the file");
	*ret = header;
	return 0;
}

static Elf64_Shdr header_of(const struct file *file, const Elf64_Ehdr *header, uint32_t index)
{
	Elf64_Shdr section;

	memcpy(&section, file->bytes + header->e_shoff + index * sizeof(section), sizeof(section));
	return section;
}

static int read_sections(const struct file *file, const Elf64_Ehdr *header, struct elf *elf)
{
	elf->sections = calloc(header->e_shnum, sizeof(*elf->sections));
	if (!elf->sections)
		return why_set(file->why, ENOMEM, "%s: out of memory", file->label);
	elf->section_count = header->e_shnum;
	for (uint32_t i = 0; i < elf->section_count; i++) {
		Elf64_Shdr from = header_of(file, header, i);
		struct elf_section *section = &elf->sections[i];
		bool inside = i && from.sh_type != SHT_NOBITS && from.sh_type != SHT_NULL;

		if (inside && !lies_within(file->size, from.sh_offset, from.sh_size, 1))
			return refuse(file, "damaged: a section ends behind the end of the file");
		*section = (struct elf_section){ .name = "",
						 .type = from.sh_type,
						 .link = from.sh_link,
						 .info = from.sh_info,
						 .flags = from.sh_flags,
						 .size = from.sh_size,
						 .data = inside ? file->bytes + from.sh_offset : NULL };
		if (!inside && from.sh_type != SHT_NOBITS)
			section->size = 0;
	}
	for (uint32_t i = 1; i < elf->section_count; i++) {
		uint32_t name = header_of(file, header, i).sh_name;

		elf->sections[i].name = string_at(&elf->sections[header->e_shstrndx], name);
		if (!elf->sections[i].name)
			return refuse(file, "damaged: a section has no name");
	}
	return 0;
}

static int read_symbol(const struct file *file, const struct elf *elf, const struct elf_section *strings,
		       const uint8_t *at, struct elf_symbol *ret)
{
	Elf64_Sym from;

	memcpy(&from, at, sizeof(from));
	*ret = (struct elf_symbol){ .name = string_at(strings, from.st_name),
				    .type = ELF64_ST_TYPE(from.st_info),
				    .bind = ELF64_ST_BIND(from.st_info),
				    .section = from.st_shndx,
				    .value = from.st_value,
				    .size = from.st_size };
	if (!ret->name || (from.st_shndx < SHN_LORESERVE && from.st_shndx >= elf->section_count))
		return refuse(file, "damaged: a symbol without a name or a section");
	return 0;
}

static int read_symbols(const struct file *file, struct elf *elf)
{
	const struct elf_section *table = NULL;
	uint64_t count;

	for (uint32_t i = 1; i < elf->section_count && !table; i++)
		if (elf->sections[i].type == SHT_SYMTAB)
			table = &elf->sections[i];
	if (!table)
		return refuse(file, "has no symbols; give the object that clang wrote, not a stripped one");
	count = table->size / sizeof(Elf64_Sym);
	if (count > SYMBOL_LIMIT || table->link >= elf->section_count)
		return refuse(file, "damaged: the table of symbols");
	elf->symbols = calloc(count + 1, sizeof(*elf->symbols));
	if (!elf->symbols)
		return why_set(file->why, ENOMEM, "%s: out of memory", file->label);
	for (uint64_t i = 0; i < count; i++) {
		int error = read_symbol(file, elf, &elf->sections[table->link],
					table->data + i * sizeof(Elf64_Sym), &elf->symbols[i]);

		if (error)
			return error;
	}
	elf->symbol_count = (uint32_t)count;
	return 0;
}

static int check_relocations(const struct file *file, const struct elf *elf)
{
	for (uint32_t i = 1; i < elf->section_count; i++) {
		const struct elf_section *section = &elf->sections[i];
		uint32_t count = elf_relocation_count(section);

		if (count && section->info >= elf->section_count)
			return refuse(file, "damaged: relocations of a section that does not exist");
		for (uint32_t k = 0; k < count; k++)
			if (elf_relocation(elf, section, k).symbol >= elf->symbol_count)
				return refuse(file, "damaged: a relocation to a symbol that does not exist");
	}
	return 0;
}

uint32_t elf_find(const struct elf *elf, const char *name)
{
	for (uint32_t i = 1; i < elf->section_count; i++)
		if (strcmp(elf->sections[i].name, name) == 0)
			return i;
	return 0;
}

uint32_t elf_relocation_count(const struct elf_section *section)
{
	if (!section->data || (section->type != SHT_REL && section->type != SHT_RELA))
		return 0;
	return (uint32_t)(section->size /
			  (section->type == SHT_RELA ? sizeof(Elf64_Rela) : sizeof(Elf64_Rel)));
}

struct elf_relocation elf_relocation(const struct elf *elf, const struct elf_section *section, uint32_t index)
{
	size_t size = section->type == SHT_RELA ? sizeof(Elf64_Rela) : sizeof(Elf64_Rel);
	Elf64_Rela from = { .r_addend = 0 };

	memcpy(&from, section->data + index * size, size);
	return (struct elf_relocation){ .offset = from.r_offset,
					.type = (uint32_t)ELF64_R_TYPE(from.r_info),
					.symbol = (uint32_t)ELF64_R_SYM(from.r_info),
					.addend = from.r_addend };
}

int elf_open(const char *label, const uint8_t *bytes, size_t size, struct elf *ret, struct why *why)
{
	struct file file = { label, bytes, size, why };
	struct elf elf = { .sections = NULL };
	Elf64_Ehdr header = { .e_shnum = 0 };
	int error = check_header(&file, &header);

	if (!error)
		error = read_sections(&file, &header, &elf);
	if (!error)
		error = read_symbols(&file, &elf);
	if (!error)
		error = check_relocations(&file, &elf);
	if (error)
		elf_close(&elf);
	else
		*ret = elf;
	return error;
}

void elf_close(struct elf *elf)
{
	free(elf->sections);
	free(elf->symbols);
	*elf = (struct elf){ .sections = NULL };
}
