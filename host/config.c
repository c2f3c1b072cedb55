// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The cyaml schema below is the one table of keys. cyaml fills the structs from it; before it does,
 * config_check() walks the same schema beside the document.
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

#include "host/config_check.h"

#define FILE_LIMIT     (1024 * 1024)
#define NAME_LIMIT     31
#define ENDPOINT_LIMIT 60

#define STALE_AFTER  5
#define AFXDP_FRAMES 32768
#define CPU_HIGHEST  1023

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
	CYAML_FIELD_STRING_PTR("device", TEXT, struct config_port, device, 1, CONFIG_DEVICE_LIMIT),
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
	CYAML_FIELD_STRING_PTR("lcores", TEXT, struct config_dpdk, lcores, 1, CONFIG_DEVICE_LIMIT),
	CYAML_FIELD_STRING_PTR("eal", TEXT, struct config_dpdk, eal, 1, CONFIG_DEVICE_LIMIT),
	CYAML_FIELD_UINT("memory", OPTIONAL, struct config_dpdk, memory),
	CYAML_FIELD_UINT("buffers", OPTIONAL, struct config_dpdk, buffers),
	CYAML_FIELD_UINT("mtu", OPTIONAL, struct config_dpdk, mtu),
	CYAML_FIELD_ENUM("poll", CHOICE, struct config_dpdk, poll, polls, CYAML_ARRAY_LEN(polls)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t afxdp_fields[] = {
	CYAML_FIELD_STRING_PTR("cpus", TEXT, struct config_afxdp, cpus, 1, CONFIG_PATH_LIMIT),
	CYAML_FIELD_UINT("workers", OPTIONAL, struct config_afxdp, workers),
	CYAML_FIELD_UINT("frames", OPTIONAL, struct config_afxdp, frames),
	CYAML_FIELD_UINT("busy-poll", OPTIONAL, struct config_afxdp, busy_poll),
	CYAML_FIELD_ENUM("hook", CHOICE, struct config_afxdp, hook, hooks, CYAML_ARRAY_LEN(hooks)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
	CYAML_FIELD_STRING_PTR("name", TEXT, struct config, name, 1, NAME_LIMIT),
	CYAML_FIELD_SEQUENCE_COUNT("ports", TEXT, struct config, ports, port_count, &port_value, 0,
				   CONFIG_PORT_LIMIT),
	CYAML_FIELD_ENUM("mode", CHOICE, struct config, mode, modes, CYAML_ARRAY_LEN(modes)),
	CYAML_FIELD_ENUM("netfilter", CHOICE, struct config, netfilter, netfilters,
			 CYAML_ARRAY_LEN(netfilters)),
	CYAML_FIELD_UINT("stale-after", OPTIONAL, struct config, stale_after),
	CYAML_FIELD_ENUM("calibrate", CHOICE, struct config, calibrate, calibrates,
			 CYAML_ARRAY_LEN(calibrates)),
	CYAML_FIELD_STRING_PTR("bpffs", TEXT, struct config, bpffs, 1, CONFIG_PATH_LIMIT),
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
	int error = config_check(label, text, size, config_fields, why);

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

	for (int number = 0; number <= CONFIG_PORT_LIMIT; number++) {
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
	if (*ret_device && !config_is_device(*ret_device))
		return why_set(why, EINVAL, "'%.60s' is no device; allowed: " CONFIG_DEVICE_WORDS, text);
	if (*ret_device == text)
		name_device(config, ret_name, IFNAMSIZ);
	else
		snprintf(ret_name, IFNAMSIZ, "%.*s", (int)length, text);
	if (*ret_device != text && (length >= IFNAMSIZ || !config_is_interface(ret_name)))
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
	if (config->port_count == CONFIG_PORT_LIMIT)
		return why_set(why, ENOSPC, "more than %d ports", CONFIG_PORT_LIMIT);
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
