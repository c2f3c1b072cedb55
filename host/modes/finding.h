// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Something that a person should know or change: what it is about, what is wrong with it, what mends it.
 */
#pragma once

#include <stddef.h>

enum finding_weight {
	FINDING_WRONG,      /* packets are lost or go where they should not, or penstock cannot run */
	FINDING_SUSPICIOUS, /* may be meant; if not, packets take the slow way */
	FINDING_HINT,       /* works, and could be faster */
};

struct finding {
	enum finding_weight weight;
	char object[48]; /* an interface, a sysctl ... */
	char text[220];
	char fix[160]; /* a command, or empty */
};

/* What was found so far; what does not fit is counted only. */
struct findings {
	struct finding *list;
	unsigned int limit, count;
};

/* The fix is added to the last one. */
void finding_add(struct findings *findings, enum finding_weight weight, const char *object,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));
void finding_fix(struct findings *findings, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Those that are in the list. */
unsigned int finding_listed(const struct findings *findings);
const char *finding_weight_name(enum finding_weight weight);
