// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A compiled BPF object as the lint sees it: its maps, its functions, and all instructions in one array with
 * what each refers to. Reads what would never load, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#include "offload/lint/elf.h"
#include "offload/lint/lines.h"
#include "offload/lint/types.h"

struct object_map {
	const char *name;
	uint32_t section, offset; /* where its definition stands */
	struct types_map is;
};

enum object_refers {
	OBJECT_NOTHING,
	OBJECT_MAP,       /* index: of the map */
	OBJECT_DATA,      /* index: of the section with the global variable */
	OBJECT_FUNCTION,  /* index: of the function's first instruction */
	OBJECT_EXTERN,    /* name: something outside of the object */
	OBJECT_UNCERTAIN, /* a relocation that means nothing here; index: its type */
};

struct object_reference {
	enum object_refers to;
	uint32_t index;
	const char *name; /* of the symbol */
};

struct object_function {
	const char *name, *section;
	uint32_t first, count;  /* instructions */
	uint32_t section_first; /* the first instruction of its section */
	bool program;           /* not only called by others */
};

struct object {
	const char *label;
	uint8_t *bytes;
	struct elf elf;
	struct types types;
	struct lines lines;
	struct object_map *maps;
	struct bpf_insn *instructions;
	struct object_reference *references; /* one for each instruction */
	struct object_function *functions;   /* in the order of their instructions */
	uint32_t *section_first;             /* of each section of code: its first instruction */
	uint32_t map_count, instruction_count, function_count;
};

/* Reads an object from a file, or takes it from memory. -EINVAL and others: `why` says, after the label, what
 * is wrong; nothing is returned. */
int object_load(const char *path, struct object **ret, struct why *why);
int object_parse(const char *label, const uint8_t *bytes, size_t size, struct object **ret, struct why *why);
void object_free(struct object *object);

/* The function that has an instruction; every instruction belongs to one. */
const struct object_function *object_function_of(const struct object *object, uint32_t instruction);
struct lines_place object_place(const struct object *object, uint32_t instruction);
/* Whether an instruction calls a function of the object; `ret` is the first instruction of that. */
bool object_calls(const struct object *object, uint32_t instruction, uint32_t *ret);
/* Whether a function writes registers that its caller may count on: r6 to r9. */
bool object_keeps_registers(const struct object *object, const struct object_function *function);
/* By its section: whether a program takes frames in fragments, and whether it is one for XDP on a NIC. */
bool object_is_fragmented(const struct object_function *function);
bool object_is_xdp(const struct object_function *function);
/* Whether a section becomes a map of global variables when the object is loaded. */
bool object_is_data(const struct elf_section *section);
