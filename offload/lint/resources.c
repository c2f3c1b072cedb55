// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/resources.h"

#include <string.h>

static uint32_t round_8(uint32_t bytes)
{
	return bytes > UINT32_MAX - 7 ? UINT32_MAX : (bytes + 7) & ~7u;
}

/* Maps of events stay on the host. */
static bool is_on_card(const struct object_map *map)
{
	return map->is.type != BPF_MAP_TYPE_PERF_EVENT_ARRAY;
}

static void judge_map(const struct object_map *map, const struct profile *profile, struct findings *findings)
{
	uint64_t element = (uint64_t)round_8(map->is.key_size) + round_8(map->is.value_size);

	if (map->is.type > 31 || !(profile->map_types & 1u << map->is.type) ||
	    (map->is.type != BPF_MAP_TYPE_HASH && map->is.type != BPF_MAP_TYPE_ARRAY)) {
		findings_add_object(findings, RULE_map_type, map->name, "type %u", map->is.type);
		return;
	}
	if (map->is.flags)
		findings_add_object(findings, RULE_map_flags, map->name, "map_flags 0x%x", map->is.flags);
	if (map->is.key_size > profile->key)
		findings_add_object(findings, RULE_map_key_size, map->name, "%u bytes, %u fit",
				    map->is.key_size, profile->key);
	else if (map->is.value_size > profile->value)
		findings_add_object(findings, RULE_map_value_size, map->name, "%u bytes, %u fit",
				    map->is.value_size, profile->value);
	else if (element > profile->element)
		findings_add_object(findings, RULE_map_element_size, map->name, "%llu bytes, %u fit",
				    (unsigned long long)element, profile->element);
}

static void judge_maps(const struct object *object, const struct profile *profile, struct findings *findings,
		       struct resources_usage *usage)
{
	for (uint32_t i = 0; i < object->map_count; i++) {
		if (!is_on_card(&object->maps[i]))
			continue;
		judge_map(&object->maps[i], profile, findings);
		usage->maps++;
		usage->entries += object->maps[i].is.max_entries;
	}
	if (usage->maps > profile->maps)
		findings_add_object(findings, RULE_map_count, "all maps", "%u, %u fit", usage->maps,
				    profile->maps);
	if (usage->entries > profile->entries)
		findings_add_object(findings, RULE_map_entries, "all maps", "%llu elements, %u fit",
				    (unsigned long long)usage->entries, profile->entries);
}

/* Global variables, at the first instruction that uses one. */
static void judge_data(const struct object *object, struct findings *findings)
{
	for (uint32_t i = 1; i < object->elf.section_count; i++) {
		const struct elf_section *section = &object->elf.sections[i];
		uint32_t at = 0;

		if (!object_is_data(section))
			continue;
		while (at < object->instruction_count &&
		       (object->references[at].to != OBJECT_DATA || object->references[at].index != i))
			at++;
		if (at < object->instruction_count)
			findings_add(findings, RULE_global_data, at, "section %s%s%s", section->name,
				     *object->references[at].name ? ", variable " : "",
				     object->references[at].name);
		else
			findings_add_object(findings, RULE_global_data, section->name, "%llu bytes",
					    (unsigned long long)section->size);
	}
}

static void judge_relocations(const struct object *object, struct findings *findings)
{
	for (uint32_t i = 0; i < object->instruction_count; i++)
		if (object->references[i].to == OBJECT_UNCERTAIN)
			findings_add(findings, RULE_relocation, i, "type %u, to '%s'",
				     object->references[i].index, object->references[i].name);
}

static void judge_programs(const struct object *object, struct findings *findings)
{
	uint32_t programs = 0;

	for (uint32_t i = 0; i < object->function_count; i++) {
		const struct object_function *function = &object->functions[i];

		if (!function->program)
			continue;
		programs++;
		if (object_is_fragmented(function))
			findings_add(findings, RULE_fragments, function->first, "section %s",
				     function->section);
		else if (!object_is_xdp(function))
			findings_add(findings, RULE_program_type, function->first, "section %s",
				     function->section);
	}
	if (!programs)
		findings_add_object(findings, RULE_program_type, ".text",
				    "functions, but none to begin with");
}

void resources_judge(const struct object *object, const struct profile *profile, struct findings *findings,
		     struct resources_usage *ret)
{
	struct resources_usage usage = { .maps = 0 };

	judge_maps(object, profile, findings, &usage);
	judge_data(object, findings);
	judge_relocations(object, findings);
	judge_programs(object, findings);
	*ret = usage;
}
