// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The types of an object (section .BTF), as far as definitions of maps need them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/btf.h>

struct types {
	const uint8_t *records, *strings;
	uint32_t *offset; /* of each type's record; type 0 is void */
	uint32_t count, strings_size, records_size;
};

/* What a variable of the section .maps says. What it does not say is 0. */
struct types_map {
	uint32_t type, key_size, value_size, max_entries, flags;
};

/* Reads the table. -EINVAL: it is damaged. Points into `bytes`. */
int types_open(const uint8_t *bytes, size_t size, struct types *ret);
void types_close(struct types *types);

/* A string of the table, "" if there is no such. */
const char *types_string(const struct types *types, uint32_t offset);
/* The section (a BTF_KIND_DATASEC) of that name, 0: there is none. */
uint32_t types_section(const struct types *types, const char *name);
/* The variable `index` of a section. -ENOENT: it has no more. */
int types_variable(const struct types *types, uint32_t section, uint32_t index, struct btf_var_secinfo *ret);
/* Reads a variable of the section .maps. -EINVAL: it is not a definition of a map. */
int types_map(const struct types *types, const struct btf_var_secinfo *variable, const char **ret_name,
	      struct types_map *ret);
