// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the command line of `penstock run` says, over and beside the configuration file.
 */
#pragma once

#include "host/why.h"

struct config;

struct options {
	const char *config_path; /* NULL: no file */
	const char *name;
	const char *log_level, *log_format;
	char **interfaces; /* ports beside the file's */
	int interface_count;
};

/* The configuration as file and command line have it together. */
int options_configure(const struct options *options, struct config **ret, struct why *why);
