// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Prints an array of JSON objects as columns as wide as their contents.
 */
#pragma once

#include <stdio.h>

#include <jansson.h>

struct table_column {
	const char *title;
	const char *key; /* of the objects; missing and null print as "-" */
};

/* `columns` end with a NULL title. Numbers are set to the right. An empty array prints nothing. */
void table_print(FILE *to, const struct table_column *columns, json_t *rows);
