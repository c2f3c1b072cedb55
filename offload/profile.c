// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/profile.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct profile profiles[PROFILE_COUNT] = {
	{ .name = "open",
#define X(name, open, shipped, text) .name = open,
	  NFP_LIMITS(X)
#undef X
	},
	{ .name = "shipped",
#define X(name, open, shipped, text) .name = shipped,
	  NFP_LIMITS(X)
#undef X
	},
};

static unsigned int *limit_of(struct profile *profile, const char *word)
{
#define X(name, open, shipped, text)                                                                         \
	if (strcmp(word, #name) == 0)                                                                        \
		return &profile->name;
	NFP_LIMITS(X)
#undef X
	return NULL;
}

/* One line of a file: a limit, or nothing. */
static int read_line(char *line, struct profile *profile)
{
	char *rest, *word, *value, *end;
	unsigned long long number;
	unsigned int *limit;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, " \t\r\n", &rest);
	if (!word)
		return 0;
	limit = limit_of(profile, word);
	value = strtok_r(NULL, " \t\r\n", &rest);
	if (!limit || !value || strtok_r(NULL, " \t\r\n", &rest))
		return -EINVAL;
	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno || *end || *value < '0' || *value > '9' || number > UINT32_MAX)
		return -EINVAL;
	*limit = (unsigned int)number;
	return 0;
}

static int read_file(FILE *file, const char *path, struct profile *profile, struct why *why)
{
	char line[256];

	for (int number = 1; fgets(line, sizeof(line), file); number++) {
		int error = read_line(line, profile);

		if (error)
			return why_set(why, -error,
				       "%s:%d: expected a limit and a number, such as 'entries 2048000'; "
				       "penstock offload profiles lists the limits",
				       path, number);
	}
	return ferror(file) ? why_set(why, EIO, "%s: cannot be read", path) : 0;
}

int profile_find(const char *name, struct profile *ret_profile, struct why *why)
{
	struct profile profile = profiles[0];
	FILE *file;
	int error;

	for (int i = 0; i < PROFILE_COUNT; i++)
		if (strcmp(profiles[i].name, name) == 0) {
			*ret_profile = profiles[i];
			return 0;
		}
	file = fopen(name, "re");
	if (!file)
		return why_set(why, errno, "profile '%s': neither open nor shipped, nor a file: %s", name,
			       strerror(errno));
	snprintf(profile.name, sizeof(profile.name), "%s", name);
	error = read_file(file, name, &profile, why);
	fclose(file);
	if (!error)
		*ret_profile = profile;
	return error;
}
