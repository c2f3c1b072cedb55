// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT (16u * 1024 * 1024)
#define MAP_LIMIT  4096

#define PROGRAM_LIMIT     256
#define INSTRUCTION_LIMIT (1u << 18)

/* Relocations of BPF objects; <elf.h> has them under older names. */
enum { RELOCATION_LOAD = 1, RELOCATION_CALL = 10 };

/* struct bpf_map_def, as a variable of the section "maps" */
struct old_map {
	uint32_t type, key_size, value_size, max_entries, flags;
};

static int out_of_memory(const struct object *object, struct why *why)
{
	return why_set(why, ENOMEM, "%s: out of memory", object->label);
}

static bool is_code(const struct elf_section *section)
{
	return section->type == SHT_PROGBITS && section->flags & SHF_EXECINSTR && section->size;
}

static bool is_dotted(const char *name, const char *stem)
{
	size_t length = strlen(stem);

	return strncmp(name, stem, length) == 0 && (!name[length] || name[length] == '.');
}

static int read_types(struct object *object, struct why *why)
{
	const struct elf_section *section = &object->elf.sections[elf_find(&object->elf, ".BTF")];
	const struct elf_section *more = &object->elf.sections[elf_find(&object->elf, ".BTF.ext")];

	if (section->data && types_open(section->data, section->size, &object->types) < 0)
		return why_set(why, EINVAL, "%s: damaged: its types (section .BTF)", object->label);
	lines_open(&object->types, more->data, more->size, &object->lines);
	return 0;
}

static int add_map(struct object *object, struct object_map map, struct why *why)
{
	struct object_map *maps;

	if (object->map_count == MAP_LIMIT)
		return why_set(why, EINVAL, "%s: more than %d maps", object->label, MAP_LIMIT);
	maps = reallocarray(object->maps, object->map_count + 1, sizeof(*maps));
	if (!maps)
		return out_of_memory(object, why);
	object->maps = maps;
	maps[object->map_count++] = map;
	return 0;
}

/* Where a variable stands: compilers leave that open in the types. */
static uint32_t offset_of(const struct object *object, uint32_t section, const char *name)
{
	for (uint32_t i = 0; i < object->elf.symbol_count; i++)
		if (object->elf.symbols[i].section == section &&
		    strcmp(object->elf.symbols[i].name, name) == 0)
			return (uint32_t)object->elf.symbols[i].value;
	return 0;
}

/* Maps described by their types. */
static int read_maps(struct object *object, struct why *why)
{
	uint32_t section = types_section(&object->types, ".maps");
	uint32_t elf_section = elf_find(&object->elf, ".maps");
	struct btf_var_secinfo variable;

	if (elf_section && !section)
		return why_set(why, EINVAL, "%s: its maps have no types; compile with -g", object->label);
	for (uint32_t i = 0; types_variable(&object->types, section, i, &variable) == 0; i++) {
		struct object_map map = { .section = elf_section };
		int error;

		if (types_map(&object->types, &variable, &map.name, &map.is) < 0)
			return why_set(why, EINVAL, "%s: variable %u of section .maps is no map",
				       object->label, i + 1);
		map.offset = offset_of(object, elf_section, map.name);
		error = add_map(object, map, why);
		if (error)
			return error;
	}
	return 0;
}

/* Maps as programs of the time of the first NFP cards have them. */
static int read_old_maps(struct object *object, struct why *why)
{
	uint32_t index = elf_find(&object->elf, "maps");
	const struct elf_section *section = &object->elf.sections[index];

	for (uint32_t i = 0; index && i < object->elf.symbol_count; i++) {
		const struct elf_symbol *symbol = &object->elf.symbols[i];
		struct old_map old;
		int error;

		if (symbol->section != index || symbol->type == STT_SECTION)
			continue;
		if (!section->data || symbol->value > section->size ||
		    section->size - symbol->value < sizeof(old))
			return why_set(why, EINVAL, "%s: damaged: map %s", object->label, symbol->name);
		memcpy(&old, section->data + symbol->value, sizeof(old));
		error = add_map(object,
				(struct object_map){ symbol->name,
						     index,
						     (uint32_t)symbol->value,
						     { old.type, old.key_size, old.value_size,
						       old.max_entries, old.flags } },
				why);
		if (error)
			return error;
	}
	return 0;
}

static int read_code(struct object *object, struct why *why)
{
	uint64_t count = 0;
	uint32_t at = 0;

	for (uint32_t i = 1; i < object->elf.section_count; i++)
		if (is_code(&object->elf.sections[i])) {
			if (object->elf.sections[i].size % sizeof(struct bpf_insn))
				return why_set(why, EINVAL,
					       "%s: damaged: section %s ends within an instruction",
					       object->label, object->elf.sections[i].name);
			count += object->elf.sections[i].size / sizeof(struct bpf_insn);
		}
	if (!count)
		return why_set(why, EINVAL, "%s: has no program", object->label);
	if (count > INSTRUCTION_LIMIT)
		return why_set(why, EINVAL,
			       "%s: has %llu instructions; at most %u are looked at, a card has room for "
			       "some thousands",
			       object->label, (unsigned long long)count, INSTRUCTION_LIMIT);
	object->instructions = calloc(count, sizeof(*object->instructions));
	object->references = calloc(count, sizeof(*object->references));
	object->section_first = calloc(object->elf.section_count, sizeof(*object->section_first));
	if (!object->instructions || !object->references || !object->section_first)
		return out_of_memory(object, why);
	for (uint32_t i = 1; i < object->elf.section_count; i++) {
		const struct elf_section *section = &object->elf.sections[i];

		object->section_first[i] = at;
		if (!is_code(section))
			continue;
		memcpy(&object->instructions[at], section->data, section->size);
		at += (uint32_t)(section->size / sizeof(struct bpf_insn));
	}
	object->instruction_count = (uint32_t)count;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct object_function *left = a, *right = b;

	return left->first < right->first ? -1 : left->first > right->first;
}

/* The function of a symbol, or with none the one a section of code begins with. */
static struct object_function function_of(const struct object *object, uint32_t section,
					  const struct elf_symbol *symbol)
{
	const char *name = object->elf.sections[section].name;

	return (struct object_function){
		.name = symbol ? symbol->name : name,
		.section = name,
		.first = object->section_first[section] + (symbol ? (uint32_t)(symbol->value / 8) : 0),
		.section_first = object->section_first[section],
		.program = strcmp(name, ".text") != 0,
	};
}

/* A function ends where the next begins, or its section. */
static void bound_functions(struct object *object)
{
	uint32_t kept = 0;

	qsort(object->functions, object->function_count, sizeof(*object->functions), by_first);
	for (uint32_t i = 0; i < object->function_count; i++) {
		struct object_function *last = kept ? &object->functions[kept - 1] : NULL;

		if (last && last->first == object->functions[i].first) {
			if (last->name == last->section) /* a name is better than that of the section */
				*last = object->functions[i];
			continue;
		}
		object->functions[kept++] = object->functions[i];
	}
	object->function_count = kept;
	for (uint32_t i = 0; i < kept; i++) {
		uint32_t end = i + 1 < kept ? object->functions[i + 1].first : object->instruction_count;

		object->functions[i].count = end - object->functions[i].first;
	}
}

static int find_functions(struct object *object, struct why *why)
{
	const struct elf *elf = &object->elf;
	uint32_t programs = 0;

	object->functions =
		calloc((size_t)elf->section_count + elf->symbol_count, sizeof(*object->functions));
	if (!object->functions)
		return out_of_memory(object, why);
	for (uint32_t i = 1; i < elf->section_count; i++)
		if (is_code(&elf->sections[i]))
			object->functions[object->function_count++] = function_of(object, i, NULL);
	for (uint32_t i = 0; i < elf->symbol_count; i++) {
		const struct elf_symbol *symbol = &elf->symbols[i];
		const struct elf_section *section;

		if (symbol->type != STT_FUNC || symbol->section >= SHN_LORESERVE)
			continue;
		section = &elf->sections[symbol->section];
		if (!is_code(section))
			continue;
		if (symbol->value % 8 || symbol->value >= section->size)
			return why_set(why, EINVAL, "%s: damaged: function %s", object->label, symbol->name);
		object->functions[object->function_count++] = function_of(object, symbol->section, symbol);
	}
	bound_functions(object);
	for (uint32_t i = 0; i < object->function_count; i++)
		programs += object->functions[i].program;
	if (programs > PROGRAM_LIMIT)
		return why_set(why, EINVAL, "%s: has %u programs; at most %u are looked at", object->label,
			       programs, PROGRAM_LIMIT);
	return 0;
}

static struct object_reference refer_to_map(const struct object *object, uint32_t section, uint64_t offset)
{
	for (uint32_t i = 0; i < object->map_count; i++)
		if (object->maps[i].section == section && object->maps[i].offset == offset)
			return (struct object_reference){ OBJECT_MAP, i, object->maps[i].name };
	return (struct object_reference){ OBJECT_UNCERTAIN, RELOCATION_LOAD, "" };
}

/* What a relocation of an instruction means, as libbpf reads it. */
static struct object_reference refer(const struct object *object, const struct bpf_insn *instruction,
				     const struct elf_relocation *relocation)
{
	const struct elf_symbol *symbol = &object->elf.symbols[relocation->symbol];
	const struct elf_section *section;
	bool load = instruction->code == (BPF_LD | BPF_IMM | BPF_DW);
	bool call = instruction->code == (BPF_JMP | BPF_CALL);

	if (symbol->section == SHN_UNDEF)
		return (struct object_reference){ OBJECT_EXTERN, 0, symbol->name };
	if (symbol->section >= SHN_LORESERVE ||
	    relocation->type != (load ? RELOCATION_LOAD : RELOCATION_CALL) || (!load && !call))
		return (struct object_reference){ OBJECT_UNCERTAIN, relocation->type, symbol->name };
	section = &object->elf.sections[symbol->section];
	if (is_code(section)) {
		int64_t at = (int64_t)(symbol->value / 8) +
			     (call ? (int64_t)instruction->imm + 1 : instruction->imm / 8);

		if (symbol->value < section->size && at >= 0 && (uint64_t)at < section->size / 8)
			return (struct object_reference){ OBJECT_FUNCTION,
							  object->section_first[symbol->section] +
								  (uint32_t)at,
							  symbol->name };
	} else if (load && object_is_data(section)) {
		return (struct object_reference){ OBJECT_DATA, symbol->section, symbol->name };
	} else if (load) {
		uint64_t offset =
			symbol->value + (symbol->type == STT_SECTION ? (uint32_t)instruction->imm : 0);

		return refer_to_map(object, symbol->section, offset);
	}
	return (struct object_reference){ OBJECT_UNCERTAIN, relocation->type, symbol->name };
}

static void resolve_section(struct object *object, const struct elf_section *relocations)
{
	const struct elf_section *target = &object->elf.sections[relocations->info];

	for (uint32_t i = 0; i < elf_relocation_count(relocations); i++) {
		struct elf_relocation relocation = elf_relocation(&object->elf, relocations, i);
		uint32_t at;

		if (relocation.offset >= target->size)
			continue;
		at = object->section_first[relocations->info] + (uint32_t)(relocation.offset / 8);
		object->references[at] = refer(object, &object->instructions[at], &relocation);
	}
}

static void resolve(struct object *object)
{
	for (uint32_t i = 1; i < object->elf.section_count; i++) {
		const struct elf_section *section = &object->elf.sections[i];

		if (elf_relocation_count(section) && is_code(&object->elf.sections[section->info]))
			resolve_section(object, section);
	}
}

static int read_bytes(const char *path, uint8_t **ret, size_t *ret_size, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size = 0;
	struct stat stat;
	uint8_t *bytes;
	ssize_t got;

	if (fd < 0)
		return why_set(why, errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || stat.st_size > FILE_LIMIT) {
		close(fd);
		return why_set(why, EINVAL, "%s: not a file of at most %u MiB", path, FILE_LIMIT >> 20);
	}
	bytes = malloc((size_t)stat.st_size + 1);
	while (bytes && size < (size_t)stat.st_size &&
	       (got = read(fd, bytes + size, (size_t)stat.st_size - size)) > 0)
		size += (size_t)got;
	close(fd);
	if (!bytes)
		return why_set(why, ENOMEM, "%s: out of memory", path);
	*ret = bytes;
	*ret_size = size;
	return 0;
}

/* Takes the bytes, also on failure. */
static int parse(const char *label, uint8_t *bytes, size_t size, struct object **ret, struct why *why)
{
	struct object *object = calloc(1, sizeof(*object));
	int error;

	if (!object) {
		free(bytes);
		return why_set(why, ENOMEM, "%s: out of memory", label);
	}
	object->label = label;
	object->bytes = bytes;
	error = elf_open(label, bytes, size, &object->elf, why);
	if (!error)
		error = read_types(object, why);
	if (!error)
		error = read_maps(object, why);
	if (!error)
		error = read_old_maps(object, why);
	if (!error)
		error = read_code(object, why);
	if (!error)
		error = find_functions(object, why);
	if (error) {
		object_free(object);
		return error;
	}
	resolve(object);
	*ret = object;
	return 0;
}

int object_load(const char *path, struct object **ret, struct why *why)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	int error = read_bytes(path, &bytes, &size, why);

	return error ? error : parse(path, bytes, size, ret, why);
}

int object_parse(const char *label, const uint8_t *bytes, size_t size, struct object **ret, struct why *why)
{
	uint8_t *copy;

	if (size > FILE_LIMIT)
		return why_set(why, EINVAL, "%s: more than %u MiB", label, FILE_LIMIT >> 20);
	copy = malloc(size + 1);
	if (!copy)
		return why_set(why, ENOMEM, "%s: out of memory", label);
	memcpy(copy, bytes, size);
	return parse(label, copy, size, ret, why);
}

void object_free(struct object *object)
{
	if (!object)
		return;
	elf_close(&object->elf);
	types_close(&object->types);
	free(object->maps);
	free(object->instructions);
	free(object->references);
	free(object->functions);
	free(object->section_first);
	free(object->bytes);
	free(object);
}

const struct object_function *object_function_of(const struct object *object, uint32_t instruction)
{
	uint32_t low = 0, high = object->function_count;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (object->functions[middle].first <= instruction)
			low = middle;
		else
			high = middle;
	}
	return &object->functions[low];
}

struct lines_place object_place(const struct object *object, uint32_t instruction)
{
	const struct object_function *function = object_function_of(object, instruction);

	return lines_find(&object->lines, function->section, (instruction - function->section_first) * 8);
}

bool object_calls(const struct object *object, uint32_t instruction, uint32_t *ret)
{
	const struct object_reference *reference = &object->references[instruction];
	const struct bpf_insn *call = &object->instructions[instruction];
	int64_t function = (int64_t)instruction + 1 + call->imm;

	if (call->code != (BPF_JMP | BPF_CALL) || call->src_reg != BPF_PSEUDO_CALL ||
	    reference->to == OBJECT_EXTERN)
		return false;
	if (reference->to == OBJECT_FUNCTION)
		function = reference->index;
	if (function < 0 || function >= object->instruction_count)
		return false;
	*ret = (uint32_t)function;
	return true;
}

bool object_keeps_registers(const struct object *object, const struct object_function *function)
{
	for (uint32_t i = function->first; i < function->first + function->count; i++)
		if (object->instructions[i].dst_reg >= 6 && object->instructions[i].dst_reg <= 9)
			return true;
	return false;
}

/* What a program is for; a "?" in front says that it is not loaded unless asked for. */
static const char *kind_of(const struct object_function *function)
{
	return function->section + (function->section[0] == '?');
}

bool object_is_fragmented(const struct object_function *function)
{
	return strncmp(kind_of(function), "xdp.frags", 9) == 0;
}

bool object_is_xdp(const struct object_function *function)
{
	const char *name = kind_of(function);

	if (strncmp(name, "xdp", 3) != 0)
		return false;
	/* "xdp/NAME", but not the kinds that run behind a redirect */
	return !name[3] || object_is_fragmented(function) ||
	       (name[3] == '/' && strncmp(name, "xdp/devmap", 10) != 0 &&
		strncmp(name, "xdp/cpumap", 10) != 0);
}

bool object_is_data(const struct elf_section *section)
{
	if (!section->size || !(section->flags & SHF_ALLOC))
		return false;
	if (section->type == SHT_NOBITS)
		return strcmp(section->name, ".bss") == 0;
	return section->type == SHT_PROGBITS &&
	       (is_dotted(section->name, ".data") || is_dotted(section->name, ".rodata"));
}
