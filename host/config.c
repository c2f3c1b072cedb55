// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The cyaml schema below is the one table of keys. cyaml fills the structs from it; check_*() walk the same
 * schema beside the parsed document first, because cyaml itself cannot say line, key and allowed values in
 * one sentence.
 */
#include "host/config.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cyaml/cyaml.h>
#include <yaml.h>

#include "host/endpoint.h"

#define FILE_LIMIT     (1024 * 1024)
#define PORT_LIMIT     256 /* IMAGE_PORTS */
#define PATH_LIMIT     200
#define NAME_LIMIT     31
#define ENDPOINT_LIMIT 60
#define DEVICE_LIMIT   200 /* characters, also of the EAL's words */

#define STALE_AFTER  5
#define AFXDP_FRAMES 32768
#define CPU_LIMIT    64 /* workers, and CPUs that they are bound to */
#define CPU_HIGHEST  1023

#define DEVICE_WORDS "dpdk: and a device as DPDK names it, such as dpdk:0000:03:00.0"

static const cyaml_strval_t modes[] = {
	{ "auto", CONFIG_MODE_AUTO },       { "native", CONFIG_MODE_NATIVE },
	{ "generic", CONFIG_MODE_GENERIC }, { "afxdp", CONFIG_MODE_AFXDP },
	{ "offload", CONFIG_MODE_OFFLOAD }, { "kernel", CONFIG_MODE_KERNEL },
	{ "dpdk", CONFIG_MODE_DPDK },
};

static const cyaml_strval_t tags[] = {
	{ "auto", CONFIG_TAGS_AUTO },
	{ "in-frame", CONFIG_TAGS_IN_FRAME },
};

static const cyaml_strval_t netfilters[] = {
	{ "respect", CONFIG_NETFILTER_RESPECT },
	{ "bypass", CONFIG_NETFILTER_BYPASS },
};

static const cyaml_strval_t levels[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
};

static const cyaml_strval_t calibrates[] = {
	{ "no", CONFIG_CALIBRATE_NO },
	{ "yes", CONFIG_CALIBRATE_YES },
};

static const cyaml_strval_t hooks[] = {
	{ "auto", CONFIG_HOOK_AUTO },
	{ "generic", CONFIG_HOOK_GENERIC },
};

static const cyaml_strval_t polls[] = {
	{ "adaptive", CONFIG_POLL_ADAPTIVE },
	{ "busy", CONFIG_POLL_BUSY },
};

static const cyaml_strval_t formats[] = {
	{ "auto", LOG_FORMAT_AUTO },
	{ "text", LOG_FORMAT_TEXT },
	{ "json", LOG_FORMAT_JSON },
};

#define OPTIONAL (CYAML_FLAG_OPTIONAL)
#define CHOICE   (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)
#define TEXT     (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)

static const cyaml_schema_field_t port_fields[] = {
	CYAML_FIELD_STRING_PTR("interface", CYAML_FLAG_POINTER, struct config_port, interface, 1,
			       IFNAMSIZ - 1),
	CYAML_FIELD_STRING_PTR("device", TEXT, struct config_port, device, 1, DEVICE_LIMIT),
	CYAML_FIELD_ENUM("mode", CHOICE, struct config_port, mode, modes, CYAML_ARRAY_LEN(modes)),
	CYAML_FIELD_ENUM("tags", CHOICE, struct config_port, tags, tags, CYAML_ARRAY_LEN(tags)),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t port_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_port, port_fields),
};

static const cyaml_schema_field_t control_fields[] = {
	CYAML_FIELD_STRING_PTR("group", TEXT, struct config_control, group, 1, NAME_LIMIT),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	CYAML_FIELD_STRING_PTR("listen", TEXT, struct config_metrics, listen, 1, ENDPOINT_LIMIT),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t log_fields[] = {
	CYAML_FIELD_ENUM("level", CHOICE, struct config_log, level, levels, CYAML_ARRAY_LEN(levels)),
	CYAML_FIELD_ENUM("format", CHOICE, struct config_log, format, formats, CYAML_ARRAY_LEN(formats)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t image_fields[] = {
	CYAML_FIELD_UINT("node-chunks", OPTIONAL, struct config_image, node_chunks),
	CYAML_FIELD_UINT("run-cells", OPTIONAL, struct config_image, run_cells),
	CYAML_FIELD_UINT("nexthops", OPTIONAL, struct config_image, nexthops),
	CYAML_FIELD_UINT("buckets", OPTIONAL, struct config_image, buckets),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t dpdk_fields[] = {
	CYAML_FIELD_STRING_PTR("lcores", TEXT, struct config_dpdk, lcores, 1, DEVICE_LIMIT),
	CYAML_FIELD_STRING_PTR("eal", TEXT, struct config_dpdk, eal, 1, DEVICE_LIMIT),
	CYAML_FIELD_UINT("memory", OPTIONAL, struct config_dpdk, memory),
	CYAML_FIELD_UINT("buffers", OPTIONAL, struct config_dpdk, buffers),
	CYAML_FIELD_UINT("mtu", OPTIONAL, struct config_dpdk, mtu),
	CYAML_FIELD_ENUM("poll", CHOICE, struct config_dpdk, poll, polls, CYAML_ARRAY_LEN(polls)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t afxdp_fields[] = {
	CYAML_FIELD_STRING_PTR("cpus", TEXT, struct config_afxdp, cpus, 1, PATH_LIMIT),
	CYAML_FIELD_UINT("workers", OPTIONAL, struct config_afxdp, workers),
	CYAML_FIELD_UINT("frames", OPTIONAL, struct config_afxdp, frames),
	CYAML_FIELD_UINT("busy-poll", OPTIONAL, struct config_afxdp, busy_poll),
	CYAML_FIELD_ENUM("hook", CHOICE, struct config_afxdp, hook, hooks, CYAML_ARRAY_LEN(hooks)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
	CYAML_FIELD_STRING_PTR("name", TEXT, struct config, name, 1, NAME_LIMIT),
	CYAML_FIELD_SEQUENCE_COUNT("ports", TEXT, struct config, ports, port_count, &port_value, 0,
				   PORT_LIMIT),
	CYAML_FIELD_ENUM("mode", CHOICE, struct config, mode, modes, CYAML_ARRAY_LEN(modes)),
	CYAML_FIELD_ENUM("netfilter", CHOICE, struct config, netfilter, netfilters,
			 CYAML_ARRAY_LEN(netfilters)),
	CYAML_FIELD_UINT("stale-after", OPTIONAL, struct config, stale_after),
	CYAML_FIELD_ENUM("calibrate", CHOICE, struct config, calibrate, calibrates,
			 CYAML_ARRAY_LEN(calibrates)),
	CYAML_FIELD_STRING_PTR("bpffs", TEXT, struct config, bpffs, 1, PATH_LIMIT),
	CYAML_FIELD_MAPPING("control", OPTIONAL, struct config, control, control_fields),
	CYAML_FIELD_MAPPING("metrics", OPTIONAL, struct config, metrics, metrics_fields),
	CYAML_FIELD_MAPPING("log", OPTIONAL, struct config, log, log_fields),
	CYAML_FIELD_MAPPING("image", OPTIONAL, struct config, image, image_fields),
	CYAML_FIELD_MAPPING("dpdk", OPTIONAL, struct config, dpdk, dpdk_fields),
	CYAML_FIELD_MAPPING("afxdp", OPTIONAL, struct config, afxdp, afxdp_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t config_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, config_fields),
};

static const cyaml_config_t settings = {
	.mem_fn = cyaml_mem,
	.flags = CYAML_CFG_NO_ALIAS,
	.log_level = CYAML_LOG_ERROR, /* no log_fn: cyaml stays silent */
};

static const struct range {
	const char *key, *unit;
	uint32_t least, most;
	bool power; /* of two */
	bool zero;  /* may be 0: the default */
} ranges[] = {
	{ "stale-after", "seconds", 2, 3600, false, false },
	{ "node-chunks", "chunks", 1 << 12, 1 << 24, true, true },
	{ "run-cells", "cells", 1 << 17, 1 << 28, true, true },
	{ "workers", "threads", 1, CPU_LIMIT, false, true },
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

static bool is_interface_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '/' || *name == ':')
			return false;
	return true;
}

/* A device that an engine brings: "dpdk:" and what its EAL calls it. */
static bool is_device(const char *text)
{
	size_t prefix = strlen(CONFIG_DEVICE_PREFIX), length = strlen(text);

	if (strncmp(text, CONFIG_DEVICE_PREFIX, prefix) != 0 || length == prefix || length > DEVICE_LIMIT)
		return false;
	for (text += prefix; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static bool is_path(const char *path)
{
	return path[0] == '/' && strlen(path) <= PATH_LIMIT && !strstr(path, "/../");
}

static int check_text(const struct check *check, const yaml_node_t *node, const cyaml_schema_field_t *field)
{
	const char *text = node->type == YAML_SCALAR_NODE ? scalar_of(node) : "";
	struct sockaddr_storage address;
	socklen_t size;

	if (strcmp(field->key, "interface") == 0 && !is_interface_name(text))
		return refuse_value(check, node, field->key, "the name of a network interface");
	if (strcmp(field->key, "device") == 0 && !is_device(text))
		return refuse_value(check, node, field->key, DEVICE_WORDS);
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
	if (strcmp(field->key, "cpus") == 0 && config_cpus(text, (int[CPU_LIMIT]){ 0 }, CPU_LIMIT) < 0)
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
	if (node->data.sequence.items.top - node->data.sequence.items.start > PORT_LIMIT)
		return why_set(check->why, EINVAL, "%s:%zu: '%s' holds too many entries; allowed: %d",
			       check->label, line_of(node), field->key, PORT_LIMIT);
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

/* 1: the document is empty, 0: it is good, else refused. */
static int check_document(const char *label, const void *text, size_t size, struct why *why)
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
		result = check_mapping(&check, root, config_fields, "the file");
	yaml_document_delete(&document);
delete_parser:
	yaml_parser_delete(&parser);
	return result;
}

static void fill_defaults(struct config *config)
{
	if (config->mode == CONFIG_MODE_UNSET)
		config->mode = CONFIG_MODE_AUTO;
	if (!config->stale_after)
		config->stale_after = STALE_AFTER;
	if (!config->afxdp.frames)
		config->afxdp.frames = AFXDP_FRAMES;
	if (!config->log.level)
		config->log.level = LOG_LEVEL_INFO;
	for (uint32_t i = 0; i < config->port_count; i++)
		if (config->ports[i].mode == CONFIG_MODE_UNSET) /* a device's engine is given */
			config->ports[i].mode = config->ports[i].device ? CONFIG_MODE_AUTO : config->mode;
}

static bool same_device(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Only one engine can have a device, or none. */
static int check_devices(const struct config *config, const char *label, struct why *why)
{
	for (uint32_t i = 0; i < config->port_count; i++) {
		const struct config_port *port = &config->ports[i];

		if (port->device && port->mode != CONFIG_MODE_UNSET && port->mode != CONFIG_MODE_AUTO &&
		    port->mode != CONFIG_MODE_KERNEL && port->mode != CONFIG_MODE_DPDK)
			return why_set(why, EINVAL,
				       "%s: 'mode' of the device '%s' is '%s'; allowed: auto, dpdk, kernel",
				       label, port->interface, config_mode_name(port->mode));
	}
	return 0;
}

static int check_twins(const struct config *config, const char *label, struct why *why)
{
	for (uint32_t i = 0; i < config->port_count; i++)
		for (uint32_t j = 0; j < i; j++) {
			if (strcmp(config->ports[i].interface, config->ports[j].interface) == 0)
				return why_set(why, EINVAL, "%s: port '%s' is listed twice", label,
					       config->ports[i].interface);
			if (same_device(config->ports[i].device, config->ports[j].device))
				return why_set(why, EINVAL, "%s: device '%s' is listed twice", label,
					       config->ports[i].device);
		}
	return 0;
}

/* The whole file in memory, or a refusal. */
static int read_file(const char *path, char **ret_text, size_t *ret_size, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	char *text;
	ssize_t size;
	int result = 0;

	if (fd < 0)
		return errno == ELOOP
			       ? why_set(why, ELOOP, "%s: is a symbolic link; name the file itself", path)
			       : why_set(why, errno, "%s: cannot open: %s", path, strerror(errno));
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		result = why_set(why, EINVAL, "%s: is not a regular file", path);
	else if (status.st_size > FILE_LIMIT)
		result = why_set(why, EFBIG, "%s: is larger than %d bytes", path, FILE_LIMIT);
	else if ((status.st_mode & (S_IWGRP | S_IWOTH)) || (status.st_uid != 0 && status.st_uid != geteuid()))
		result = why_set(why, EPERM, "%s: others can write to it; chmod go-w and chown root", path);
	if (result < 0)
		goto close_file;
	text = malloc((size_t)status.st_size + 1);
	size = text ? pread(fd, text, (size_t)status.st_size, 0) : -1;
	if (size < 0) {
		free(text);
		result = why_set(why, EIO, "%s: cannot read: %s", path, strerror(errno));
		goto close_file;
	}
	*ret_text = text;
	*ret_size = (size_t)size;
close_file:
	close(fd);
	return result;
}

int config_default(struct config **ret)
{
	return config_parse("default", "{}", 2, ret, NULL);
}

int config_parse(const char *label, const void *text, size_t size, struct config **ret, struct why *why)
{
	struct config *config = NULL;
	cyaml_err_t failure;
	int error = check_document(label, text, size, why);

	if (error < 0)
		return error;
	if (error > 0) {
		text = "{}";
		size = 2;
	}
	failure = cyaml_load_data(text, size, &settings, &config_value, (cyaml_data_t **)&config, NULL);
	if (failure == CYAML_ERR_ALIAS)
		return why_set(why, EINVAL, "%s: uses '&' or '*' references; write the values out", label);
	if (failure != CYAML_OK)
		return why_set(why, EINVAL, "%s: cannot be used: %s", label, cyaml_strerror(failure));
	error = check_twins(config, label, why);
	if (error == 0)
		error = check_devices(config, label, why);
	if (error < 0) {
		config_free(config);
		return error;
	}
	fill_defaults(config);
	*ret = config;
	return 0;
}

int config_load(const char *path, struct config **ret, struct why *why)
{
	char *text = NULL;
	size_t size = 0;
	int error = read_file(path, &text, &size, why);

	if (error < 0)
		return error;
	error = config_parse(path, text, size, ret, why);
	free(text);
	return error;
}

void config_free(struct config *config)
{
	if (config)
		(void)cyaml_free(&settings, &config_value, config, 0);
}

/* The first of dp0, dp1 ... that no port has. */
static void name_device(const struct config *config, char *ret, size_t size)
{
	uint32_t i;

	for (int number = 0; number <= PORT_LIMIT; number++) {
		snprintf(ret, size, "dp%d", number);
		for (i = 0; i < config->port_count && strcmp(config->ports[i].interface, ret) != 0; i++)
			;
		if (i == config->port_count)
			return;
	}
}

/* "INTERFACE", "NAME=DEVICE" or "DEVICE". ret_device NULL: none. */
static int split_port(const struct config *config, const char *text, char *ret_name, const char **ret_device,
		      struct why *why)
{
	const char *equals = strstr(text, "=" CONFIG_DEVICE_PREFIX);
	size_t length = equals ? (size_t)(equals - text) : strlen(text);

	*ret_device = NULL;
	if (strncmp(text, CONFIG_DEVICE_PREFIX, strlen(CONFIG_DEVICE_PREFIX)) == 0)
		*ret_device = text;
	else if (equals)
		*ret_device = equals + 1;
	if (*ret_device && !is_device(*ret_device))
		return why_set(why, EINVAL, "'%.60s' is no device; allowed: " DEVICE_WORDS, text);
	if (*ret_device == text)
		name_device(config, ret_name, IFNAMSIZ);
	else
		snprintf(ret_name, IFNAMSIZ, "%.*s", (int)length, text);
	if (*ret_device != text && (length >= IFNAMSIZ || !is_interface_name(ret_name)))
		return why_set(why, EINVAL, "'%.40s' is not the name of a network interface", text);
	return 0;
}

int config_add_port(struct config *config, const char *text, struct why *why)
{
	struct config_port *ports, port = { .mode = config->mode };
	char name[IFNAMSIZ];
	const char *device;
	int error = split_port(config, text, name, &device, why);

	if (error < 0)
		return error;
	for (uint32_t i = 0; i < config->port_count; i++) {
		if (same_device(config->ports[i].device, device))
			return why_set(why, EINVAL, "device '%s' is listed twice", device);
		if (strcmp(config->ports[i].interface, name) == 0)
			return device ? why_set(why, EINVAL, "port '%s' is listed twice", name) : 0;
	}
	if (config->port_count == PORT_LIMIT)
		return why_set(why, ENOSPC, "more than %d ports", PORT_LIMIT);
	port.interface = strdup(name);
	if (device) {
		port.mode = CONFIG_MODE_AUTO;
		port.device = strdup(device);
	}
	ports = realloc(config->ports, (config->port_count + 1) * sizeof(*ports));
	if (ports)
		config->ports = ports;
	if (!port.interface || (device && !port.device) || !ports) {
		free(port.interface);
		free(port.device);
		return why_set(why, ENOMEM, "out of memory");
	}
	ports[config->port_count++] = port;
	return 0;
}

int config_check_name(const char *name, struct why *why)
{
	size_t length = strlen(name);
	bool digits_only = true;

	for (const char *c = name; *c; c++) {
		bool digit = *c >= '0' && *c <= '9';

		if (!digit && !(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && *c != '-' &&
		    *c != '_')
			length = 0;
		digits_only = digits_only && digit;
	}
	if (length == 0 || length > NAME_LIMIT || digits_only)
		return why_set(
			why, EINVAL,
			"'%.40s' cannot be a name; allowed: at most %d of letters, digits, '-', '_', not "
			"digits alone (these stand for network namespaces)",
			name, NAME_LIMIT);
	return 0;
}

int config_cpus(const char *list, int *ret, int most)
{
	int count = 0;

	for (;;) {
		unsigned long first, last;
		char *end;

		first = last = strtoul(list, &end, 10);
		if (*list < '0' || *list > '9')
			return -EINVAL;
		if (*end == '-') {
			list = end + 1;
			if (*list < '0' || *list > '9')
				return -EINVAL;
			last = strtoul(list, &end, 10);
		}
		if (last > CPU_HIGHEST || first > last || last - first >= (unsigned long)(most - count))
			return -EINVAL;
		while (first <= last)
			ret[count++] = (int)first++;
		if (!*end)
			return count;
		if (*end != ',')
			return -EINVAL;
		list = end + 1;
	}
}

const char *config_mode_name(enum config_mode mode)
{
	for (size_t i = 0; i < CYAML_ARRAY_LEN(modes); i++)
		if (modes[i].val == (int64_t)mode)
			return modes[i].str;
	return "unset";
}

const char *config_mode_find(const char *name)
{
	for (size_t i = 0; i < CYAML_ARRAY_LEN(modes); i++)
		if (strcmp(modes[i].str, name) == 0)
			return modes[i].str;
	return NULL;
}
