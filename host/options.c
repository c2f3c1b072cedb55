// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config.h"

struct choice {
	const char *word;
	int value;
};

static const struct choice levels[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ NULL, 0 },
};

static const struct choice formats[] = {
	{ "auto", LOG_FORMAT_AUTO },
	{ "text", LOG_FORMAT_TEXT },
	{ "json", LOG_FORMAT_JSON },
	{ NULL, 0 },
};

static int find_choice(const char *option, const char *word, const struct choice *choice, int *ret,
		       struct why *why)
{
	char allowed[80] = "";

	for (; choice->word; choice++) {
		size_t length = strlen(allowed);

		if (strcmp(choice->word, word) == 0) {
			*ret = choice->value;
			return 0;
		}
		snprintf(allowed + length, sizeof(allowed) - length, "%s%s", length ? ", " : "",
			 choice->word);
	}
	return why_set(why, EINVAL, "%s is '%.40s'; allowed: %s", option, word, allowed);
}

static int set_log(const struct options *options, struct config *config, struct why *why)
{
	int level = config->log.level, format = config->log.format, error = 0;

	if (options->log_level)
		error = find_choice("--log-level", options->log_level, levels, &level, why);
	if (error == 0 && options->log_format)
		error = find_choice("--log-format", options->log_format, formats, &format, why);
	config->log.level = level;
	config->log.format = format;
	return error;
}

static int set_name(const struct options *options, struct config *config, struct why *why)
{
	int error;
	char *name;

	if (!options->name)
		return 0;
	error = config_check_name(options->name, why);
	if (error < 0)
		return error;
	name = strdup(options->name);
	if (!name)
		return why_set(why, ENOMEM, "out of memory");
	free(config->name);
	config->name = name;
	return 0;
}

int options_configure(const struct options *options, struct config **ret, struct why *why)
{
	struct config *config;
	int error = options->config_path ? config_load(options->config_path, &config, why)
					 : config_default(&config);

	if (error < 0)
		return error;
	error = set_name(options, config, why);
	for (int i = 0; error == 0 && i < options->interface_count; i++)
		error = config_add_port(config, options->interfaces[i], why);
	if (error == 0)
		error = set_log(options, config, why);
	if (error < 0) {
		config_free(config);
		return error;
	}
	*ret = config;
	return 0;
}
