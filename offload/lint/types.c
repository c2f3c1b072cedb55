// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Records of struct btf_type follow each other, each with what its kind adds; types_open() finds where each
 * begins. Types refer to each other by number, in hostile objects also in circles: chains are followed DEPTH
 * steps, sizes end at SIZE_LIMIT.
 *
 * A map is a struct whose members are pointers: __uint(name, N) is a pointer to an array of N, __type(name,
 * T) one to T.
 */
#include "offload/lint/types.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH      32
#define SIZE_LIMIT (1u << 30)

static uint32_t kind_of(const struct btf_type *type)
{
	return BTF_INFO_KIND(type->info);
}

/* Bytes behind the struct btf_type; -EINVAL: not a kind that is known. */
static int64_t extra_size(const struct btf_type *type)
{
	uint64_t count = BTF_INFO_VLEN(type->info);

	switch (kind_of(type)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return (int64_t)(count * sizeof(struct btf_member));
	case BTF_KIND_ENUM:
		return (int64_t)(count * sizeof(struct btf_enum));
	case BTF_KIND_ENUM64:
		return (int64_t)(count * sizeof(struct btf_enum64));
	case BTF_KIND_FUNC_PROTO:
		return (int64_t)(count * sizeof(struct btf_param));
	case BTF_KIND_DATASEC:
		return (int64_t)(count * sizeof(struct btf_var_secinfo));
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -EINVAL;
	}
}

static bool read_type(const struct types *types, uint32_t id, struct btf_type *ret)
{
	if (!id || id >= types->count)
		return false;
	memcpy(ret, types->records + types->offset[id], sizeof(*ret));
	return true;
}

/* What stands behind the record of type `id`, part `index` of `size` bytes. It does stand there. */
static void read_extra(const struct types *types, uint32_t id, uint32_t index, void *ret, size_t size)
{
	memcpy(ret, types->records + types->offset[id] + sizeof(struct btf_type) + index * size, size);
}

/* Finds where records begin; with `types->offset` NULL it only counts them. Returns the count with void. */
static int64_t walk(struct types *types)
{
	uint64_t at = 0;
	uint32_t count = 1;

	while (at < types->records_size) {
		struct btf_type type;
		int64_t extra;

		if (types->records_size - at < sizeof(type))
			return -EINVAL;
		memcpy(&type, types->records + at, sizeof(type));
		extra = extra_size(&type);
		if (extra < 0 || (uint64_t)extra > types->records_size - at - sizeof(type))
			return -EINVAL;
		if (types->offset)
			types->offset[count] = (uint32_t)at;
		count++;
		at += sizeof(type) + (uint64_t)extra;
	}
	return count;
}

/* Follows typedefs and qualifiers. Returns 0 if that leads nowhere. */
static uint32_t skip(const struct types *types, uint32_t id, struct btf_type *ret)
{
	for (int i = 0; i < DEPTH; i++) {
		if (!read_type(types, id, ret))
			return 0;
		switch (kind_of(ret)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = ret->type;
			break;
		default:
			return id;
		}
	}
	return 0;
}

static int64_t size_of(const struct types *types, uint32_t id)
{
	uint64_t times = 1;
	struct btf_array array;
	struct btf_type type;

	for (int i = 0; i < DEPTH; i++) {
		id = skip(types, id, &type);
		switch (id ? kind_of(&type) : BTF_KIND_UNKN) {
		case BTF_KIND_ARRAY:
			read_extra(types, id, 0, &array, sizeof(array));
			times *= array.nelems;
			if (times > SIZE_LIMIT)
				return -EINVAL;
			id = array.type;
			break;
		case BTF_KIND_PTR:
			return (int64_t)(times * 8);
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			times *= type.size;
			return times > SIZE_LIMIT ? -EINVAL : (int64_t)times;
		default:
			return -EINVAL;
		}
	}
	return -EINVAL;
}

/* __uint(name, N) */
static int read_number(const struct types *types, uint32_t id, uint32_t *ret)
{
	struct btf_array array;
	struct btf_type type;

	id = skip(types, id, &type);
	if (!id || kind_of(&type) != BTF_KIND_PTR)
		return -EINVAL;
	id = skip(types, type.type, &type);
	if (!id || kind_of(&type) != BTF_KIND_ARRAY)
		return -EINVAL;
	read_extra(types, id, 0, &array, sizeof(array));
	*ret = array.nelems;
	return 0;
}

/* __type(name, T) */
static int read_size(const struct types *types, uint32_t id, uint32_t *ret)
{
	struct btf_type type;
	int64_t size;

	id = skip(types, id, &type);
	if (!id || kind_of(&type) != BTF_KIND_PTR)
		return -EINVAL;
	size = size_of(types, type.type);
	if (size < 0)
		return -EINVAL;
	*ret = (uint32_t)size;
	return 0;
}

static int read_member(const struct types *types, const struct btf_member *member, struct types_map *map)
{
	const char *name = types_string(types, member->name_off);

	if (strcmp(name, "type") == 0)
		return read_number(types, member->type, &map->type);
	if (strcmp(name, "max_entries") == 0)
		return read_number(types, member->type, &map->max_entries);
	if (strcmp(name, "map_flags") == 0)
		return read_number(types, member->type, &map->flags);
	if (strcmp(name, "key_size") == 0)
		return read_number(types, member->type, &map->key_size);
	if (strcmp(name, "value_size") == 0)
		return read_number(types, member->type, &map->value_size);
	if (strcmp(name, "key") == 0)
		return read_size(types, member->type, &map->key_size);
	if (strcmp(name, "value") == 0)
		return read_size(types, member->type, &map->value_size);
	return 0; /* pinning, values, map_extra: nothing to the card, beyond the type */
}

int types_open(const uint8_t *bytes, size_t size, struct types *ret)
{
	struct types types = { .count = 0 };
	struct btf_header header;
	int64_t count;

	if (size < sizeof(header))
		return -EINVAL;
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != BTF_MAGIC || header.hdr_len < sizeof(header) || header.hdr_len > size)
		return -EINVAL;
	bytes += header.hdr_len;
	size -= header.hdr_len;
	if (header.type_off > size || header.type_len > size - header.type_off || header.str_off > size ||
	    header.str_len > size - header.str_off || !header.str_len ||
	    bytes[header.str_off + header.str_len - 1])
		return -EINVAL;
	types.records = bytes + header.type_off;
	types.records_size = header.type_len;
	types.strings = bytes + header.str_off;
	types.strings_size = header.str_len;
	count = walk(&types);
	if (count < 0)
		return (int)count;
	types.offset = calloc((size_t)count, sizeof(*types.offset));
	if (!types.offset)
		return -ENOMEM;
	types.count = (uint32_t)count;
	walk(&types);
	*ret = types;
	return 0;
}

void types_close(struct types *types)
{
	free(types->offset);
	*types = (struct types){ .count = 0 };
}

const char *types_string(const struct types *types, uint32_t offset)
{
	return offset < types->strings_size ? (const char *)types->strings + offset : "";
}

uint32_t types_section(const struct types *types, const char *name)
{
	struct btf_type type;

	for (uint32_t id = 1; id < types->count; id++)
		if (read_type(types, id, &type) && kind_of(&type) == BTF_KIND_DATASEC &&
		    strcmp(types_string(types, type.name_off), name) == 0)
			return id;
	return 0;
}

int types_variable(const struct types *types, uint32_t section, uint32_t index, struct btf_var_secinfo *ret)
{
	struct btf_type type;

	if (!read_type(types, section, &type) || index >= BTF_INFO_VLEN(type.info))
		return -ENOENT;
	read_extra(types, section, index, ret, sizeof(*ret));
	return 0;
}

int types_map(const struct types *types, const struct btf_var_secinfo *variable, const char **ret_name,
	      struct types_map *ret)
{
	struct types_map map = { .type = 0 };
	struct btf_type type;
	uint32_t id;

	if (!read_type(types, variable->type, &type) || kind_of(&type) != BTF_KIND_VAR)
		return -EINVAL;
	*ret_name = types_string(types, type.name_off);
	id = skip(types, type.type, &type);
	if (!id || kind_of(&type) != BTF_KIND_STRUCT)
		return -EINVAL;
	for (uint32_t i = 0; i < BTF_INFO_VLEN(type.info); i++) {
		struct btf_member member;

		read_extra(types, id, i, &member, sizeof(member));
		if (read_member(types, &member, &map) < 0)
			return -EINVAL;
	}
	*ret = map;
	return 0;
}
