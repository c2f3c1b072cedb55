// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The facts about a port and about the box, each with its name, in one table: `plan -j` prints them from it,
 * `plan --facts` writes those that differ from an ordinary card as lines "name: value", and the tests of the
 * decision read such lines. So a box that somebody asks about becomes a test by copying.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

struct capability;
struct platform;

enum fact_kind { FACT_TEXT, FACT_BOOL, FACT_U16, FACT_U32, FACT_INT, FACT_U64, FACT_BITS };

struct fact { /* one line of a table */
	const char *name;
	enum fact_kind kind;
	size_t offset, size;
	const char *const *bits; /* names of bits, from the lowest, ends with NULL */
	bool conditional;        /* is not known unless the bool at `known` says so */
	size_t known;
};

/* End with a NULL name. */
extern const struct fact fact_port[];
extern const struct fact fact_platform[];

/* An Ethernet card with carrier and nothing special, and a kernel that tells. */
void fact_default_port(struct capability *ret);
void fact_default_platform(struct platform *ret);

json_t *fact_json(const struct fact *table, const void *object);
/* What differs from `usual`. */
void fact_print(const struct fact *table, const void *object, const void *usual, FILE *stream);
/* Sets one fact. -ENOENT: the table has no such name; -EINVAL: not a value for it. */
int fact_set(const struct fact *table, void *object, const char *name, const char *value);
