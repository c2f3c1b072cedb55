// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What the lint reads in objects is what libbpf reads there; damaged ones are refused, or judged, and nothing
 * falls. PENSTOCK_TEST_OBJECTS names the objects, with ":" between. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "offload/lint/lint.h"

#define SEED    1
#define DAMAGED 60 /* of each object */

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

static const struct object_map *map_of(const struct object *object, const char *name)
{
	for (uint32_t i = 0; i < object->map_count; i++)
		if (strcmp(object->maps[i].name, name) == 0)
			return &object->maps[i];
	return NULL;
}

static void compare_maps(const struct object *object, struct bpf_object *other)
{
	uint32_t count = 0;
	struct bpf_map *map;

	bpf_object__for_each_map (map, other) {
		const struct object_map *ours = map_of(object, bpf_map__name(map));

		if (bpf_map__is_internal(map)) /* of global variables */
			continue;
		count++;
		cr_assert(ours, "%s: no map %s", object->label, bpf_map__name(map));
		cr_assert_eq(ours->is.type, bpf_map__type(map), "%s: %s", object->label, ours->name);
		cr_assert_eq(ours->is.key_size, bpf_map__key_size(map), "%s: %s", object->label, ours->name);
		cr_assert_eq(ours->is.value_size, bpf_map__value_size(map), "%s: %s", object->label,
			     ours->name);
		cr_assert_eq(ours->is.max_entries, bpf_map__max_entries(map), "%s: %s", object->label,
			     ours->name);
		cr_assert_eq(ours->is.flags, bpf_map__map_flags(map), "%s: %s", object->label, ours->name);
	}
	cr_assert_eq(count, object->map_count, "%s: %u maps, not %u", object->label, object->map_count,
		     count);
}

static const struct object_function *program_of(const struct object *object, const char *name)
{
	for (uint32_t i = 0; i < object->function_count; i++)
		if (object->functions[i].program && strcmp(object->functions[i].name, name) == 0)
			return &object->functions[i];
	return NULL;
}

static void compare_programs(const struct object *object, struct bpf_object *other)
{
	struct bpf_program *program;
	uint32_t count = 0;

	bpf_object__for_each_program (program, other) {
		const struct object_function *ours = program_of(object, bpf_program__name(program));

		count++;
		cr_assert(ours, "%s: no program %s", object->label, bpf_program__name(program));
		cr_assert_str_eq(ours->section + (ours->section[0] == '?'),
				 bpf_program__section_name(program));
		cr_assert_eq(ours->count, bpf_program__insn_cnt(program), "%s: %s", object->label,
			     ours->name);
		cr_assert_arr_eq(&object->instructions[ours->first], bpf_program__insns(program),
				 ours->count * sizeof(struct bpf_insn));
		cr_assert_eq(object_is_xdp(ours), bpf_program__type(program) == BPF_PROG_TYPE_XDP);
	}
	for (uint32_t i = 0; i < object->function_count; i++)
		count -= object->functions[i].program;
	cr_assert_eq(count, 0, "%s: programs that libbpf does not have", object->label);
}

static void compare_object(const char *path)
{
	struct bpf_object *other = bpf_object__open_file(path, NULL);
	struct object *object;
	struct why why = { "" };

	cr_assert_eq(object_load(path, &object, &why), 0, "%s", why.text);
	if (libbpf_get_error(other)) { /* it refuses some; ours are to be judged all the same */
		object_free(object);
		return;
	}
	compare_maps(object, other);
	compare_programs(object, other);
	bpf_object__close(other);
	object_free(object);
}

static size_t read_object(const char *path, uint8_t *bytes, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t size;

	cr_assert(file, "%s", path);
	size = fread(bytes, 1, room, file);
	fclose(file);
	return size;
}

/* Bytes overwritten here and there, mostly in what says where things are, or the end cut off. */
static void damage_object(const char *path)
{
	static uint8_t whole[1 << 20], part[1 << 20];
	size_t size = read_object(path, whole, sizeof(whole));
	struct why why;
	struct lint lint;

	for (int i = 0; i < DAMAGED; i++) {
		size_t length = rand() % 4 ? size : (size_t)rand() % size;

		memcpy(part, whole, length);
		for (int k = rand() % 8; k >= 0 && length; k--)
			part[(size_t)rand() % length] = (uint8_t)(rand() % 3 ? rand() : -(rand() % 2));
		why.text[0] = '\0';
		if (lint_memory("damaged", part, length, &profiles[0], true, &lint, &why) == 0)
			lint_close(&lint);
		else
			cr_assert_eq(strncmp(why.text, "damaged: ", 9), 0, "seed %d: '%s'", SEED, why.text);
	}
}

static void for_each(void (*visit)(const char *path), unsigned int every)
{
	const char *list = getenv("PENSTOCK_TEST_OBJECTS");
	char *copy, *rest, *path;
	unsigned int number = 0;

	if (!list)
		cr_skip_test("PENSTOCK_TEST_OBJECTS names no objects");
	copy = strdup(list);
	for (path = strtok_r(copy, ":", &rest); path; path = strtok_r(NULL, ":", &rest))
		if (number++ % every == 0)
			visit(path);
	free(copy);
}

Test(lint_object, reads_what_libbpf_reads)
{
	libbpf_set_print(silent);
	for_each(compare_object, 1);
}

Test(lint_object, damaged)
{
	srand(SEED);
	for_each(damage_object, 10);
}
