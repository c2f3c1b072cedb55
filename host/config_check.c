// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/config_check.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <yaml.h>

#include "host/config.h"
#include "host/endpoint.h"

static const struct range {
	const char *key, *unit;
	uint32_t least, most;
	bool power; /* of two */
	bool zero;  /* may be 0: the default */
} ranges[] = {
	{ "stale-after", "seconds", 2, 3600, false, false },
	{ "node-chunks", "chunks", 1 << 12, 1 << 24, true, true },
	{ "run-cells", "cells", 1 << 17, 1 << 28, true, true },
	{ "workers", "threads", 1, CONFIG_CPU_LIMIT, false, true },
	{ "frames", "frames of 2 KiB", 1 << 12, 1 << 20, true, true },
	{ "busy-poll", "microseconds", 1, 10000, false, true },
	{ "nexthops", "next hops", 128, 1 << 16, false, true },
	{ "buckets", "buckets", 64, 1 << 20, false, true },
	{ "memory", "MiB", 64, 1 << 20, false, true },
	{ "buffers", "frames", 1 << 10, 1 << 24, false, true },
	{ "mtu", "bytes", 1280, 16000, false, true },
};

/* What the checks below look at: one file, its text parsed, and where refusals go. */
struct check {
	const char *label;
	yaml_document_t *document;
	struct why *why;
};

static size_t line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

static const char *scalar_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static void append(char *text, size_t size, const char *word)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, "%s%s", length ? ", " : "", word);
}

static int refuse_key(const struct check *check, const yaml_node_t *key, const cyaml_schema_field_t *fields)
{
	char allowed[200] = "";

	for (; fields->key; fields++)
		append(allowed, sizeof(allowed), fields->key);
	return why_set(check->why, EINVAL, "%s:%zu: unknown key '%.40s'; allowed here: %s", check->label,
		       line_of(key), key->type == YAML_SCALAR_NODE ? scalar_of(key) : "(not a word)",
		       allowed);
}

static int refuse_value(const struct check *check, const yaml_node_t *node, const char *key,
			const char *allowed)
{
	if (node->type != YAML_SCALAR_NODE)
		return why_set(check->why, EINVAL, "%s:%zu: '%s' holds a list or a mapping; allowed: %s",
			       check->label, line_of(node), key, allowed);
	return why_set(check->why, EINVAL, "%s:%zu: '%s' is '%.60s'; allowed: %s", check->label,
		       line_of(node), key, scalar_of(node), allowed);
}

static int check_choice(const struct check *check, const yaml_node_t *node, const cyaml_schema_field_t *field)
{
	char allowed[100] = "";

	for (uint32_t i = 0; i < field->value.enumeration.count; i++) {
		const char *word = field->value.enumeration.strings[i].str;

		if (node->type == YAML_SCALAR_NODE && strcmp(word, scalar_of(node)) == 0)
			return 0;
		append(allowed, sizeof(allowed), word);
	}
	return refuse_value(check, node, field->key, allowed);
}

static int check_number(const struct check *check, const yaml_node_t *node, const cyaml_schema_field_t *field)
{
	const struct range *range = ranges;
	char allowed[80];
	char *end;

	while (strcmp(range->key, field->key) != 0)
		range++;
	if (node->type == YAML_SCALAR_NODE && scalar_of(node)[0] >= '0' && scalar_of(node)[0] <= '9') {
		unsigned long long number = strtoull(scalar_of(node), &end, 10);

		if (!*end && ((number >= range->least && number <= range->most &&
			       (!range->power || !(number & (number - 1)))) ||
			      (number == 0 && range->zero)))
			return 0;
	}
	snprintf(allowed, sizeof(allowed), "%s%s%u to %u (%s)", range->zero ? "0, or " : "",
		 range->power ? "a power of two, " : "", range->least, range->most, range->unit);
	return refuse_value(check, node, field->key, allowed);
}

bool config_is_interface(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '/' || *name == ':')
			return false;
	return true;
}

bool config_is_device(const char *text)
{
	size_t prefix = strlen(CONFIG_DEVICE_PREFIX), length = strlen(text);

	if (strncmp(text, CONFIG_DEVICE_PREFIX, prefix) != 0 || length == prefix ||
	    length > CONFIG_DEVICE_LIMIT)
		return false;
	for (text += prefix; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static bool is_path(const char *path)
{
	return path[0] == '/' && strlen(path) <= CONFIG_PATH_LIMIT && !strstr(path, "/../");
}

static int check_text(const struct check *check, const yaml_node_t *node, const cyaml_schema_field_t *field)
{
	const char *text = node->type == YAML_SCALAR_NODE ? scalar_of(node) : "";
	struct sockaddr_storage address;
	socklen_t size;

	if (strcmp(field->key, "interface") == 0 && !config_is_interface(text))
		return refuse_value(check, node, field->key, "the name of a network interface");
	if (strcmp(field->key, "device") == 0 && !config_is_device(text))
		return refuse_value(check, node, field->key, CONFIG_DEVICE_WORDS);
	if (strcmp(field->key, "lcores") == 0 && strspn(text, "0123456789,-") != strlen(text))
		return refuse_value(check, node, field->key, "numbers of CPUs such as 2,4-5");
	if (strcmp(field->key, "bpffs") == 0 && !is_path(text))
		return refuse_value(check, node, field->key, "an absolute path");
	if (strcmp(field->key, "listen") == 0 && endpoint_parse(text, &address, &size) < 0)
		return refuse_value(check, node, field->key,
				    "an address and a port, such as 127.0.0.1:9477 or [::1]:9477");
	if (strcmp(field->key, "name") == 0 && config_check_name(text, NULL) < 0)
		return refuse_value(check, node, field->key,
				    "at most 31 of letters, digits, '-', '_'; not digits alone");
	if (strcmp(field->key, "cpus") == 0 &&
	    config_cpus(text, (int[CONFIG_CPU_LIMIT]){ 0 }, CONFIG_CPU_LIMIT) < 0)
		return refuse_value(check, node, field->key, "a list of up to 64 CPUs such as 2-5,8");
	if (strlen(text) < field->value.string.min || strlen(text) > field->value.string.max)
		return refuse_value(check, node, field->key, "a name");
	return 0;
}

static int check_mapping(const struct check *check, const yaml_node_t *node,
			 const cyaml_schema_field_t *fields, const char *name);

static int check_list(const struct check *check, const yaml_node_t *node, const cyaml_schema_field_t *field)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return refuse_value(check, node, field->key, "a list, one '- interface: NAME' for each port");
	if (node->data.sequence.items.top - node->data.sequence.items.start > CONFIG_PORT_LIMIT)
		return why_set(check->why, EINVAL, "%s:%zu: '%s' holds too many entries; allowed: %d",
			       check->label, line_of(node), field->key, CONFIG_PORT_LIMIT);
	for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
	     item++) {
		int error = check_mapping(check, yaml_document_get_node(check->document, *item),
					  field->value.sequence.entry->mapping.fields, field->key);

		if (error < 0)
			return error;
	}
	return 0;
}

static int check_value(const struct check *check, const yaml_node_t *node, const cyaml_schema_field_t *field)
{
	switch (field->value.type) {
	case CYAML_ENUM:
		return check_choice(check, node, field);
	case CYAML_UINT:
		return check_number(check, node, field);
	case CYAML_STRING:
		return check_text(check, node, field);
	case CYAML_SEQUENCE:
		return check_list(check, node, field);
	default:
		return check_mapping(check, node, field->value.mapping.fields, field->key);
	}
}

/* Also required keys and keys given twice: `seen` has a bit for each field. */
static int check_mapping(const struct check *check, const yaml_node_t *node,
			 const cyaml_schema_field_t *fields, const char *name)
{
	uint32_t seen = 0;

	if (node->type != YAML_MAPPING_NODE)
		return refuse_value(check, node, name, "'key: value' lines");
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
	     pair++) {
		yaml_node_t *key = yaml_document_get_node(check->document, pair->key);
		const cyaml_schema_field_t *field = fields;
		int error;

		while (field->key &&
		       (key->type != YAML_SCALAR_NODE || strcmp(field->key, scalar_of(key)) != 0))
			field++;
		if (!field->key)
			return refuse_key(check, key, fields);
		if (seen & 1u << (field - fields))
			return why_set(check->why, EINVAL, "%s:%zu: '%s' is given twice; allowed: once",
				       check->label, line_of(key), field->key);
		seen |= 1u << (field - fields);
		error = check_value(check, yaml_document_get_node(check->document, pair->value), field);
		if (error < 0)
			return error;
	}
	for (const cyaml_schema_field_t *field = fields; field->key; field++)
		if (!(field->value.flags & CYAML_FLAG_OPTIONAL) && !(seen & 1u << (field - fields)))
			return why_set(check->why, EINVAL, "%s:%zu: an entry of '%s' lacks its key '%s'",
				       check->label, line_of(node), name, field->key);
	return 0;
}

int config_check(const char *label, const void *text, size_t size, const cyaml_schema_field_t *fields,
		 struct why *why)
{
	yaml_parser_t parser;
	yaml_document_t document;
	struct check check = { label, &document, why };
	yaml_node_t *root;
	int result;

	if (!yaml_parser_initialize(&parser))
		return why_set(why, ENOMEM, "%s: out of memory", label);
	yaml_parser_set_input_string(&parser, text, size);
	if (!yaml_parser_load(&parser, &document)) {
		result = why_set(why, EINVAL, "%s:%zu: not YAML: %s", label, parser.problem_mark.line + 1,
				 parser.problem ? parser.problem : "syntax error");
		goto delete_parser;
	}
	root = yaml_document_get_root_node(&document);
	if (!root || (root->type == YAML_SCALAR_NODE && !*scalar_of(root)))
		result = 1;
	else
		result = check_mapping(&check, root, fields, "the file");
	yaml_document_delete(&document);
delete_parser:
	yaml_parser_delete(&parser);
	return result;
}
