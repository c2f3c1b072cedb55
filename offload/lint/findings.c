// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LIMIT 1000

static struct finding *append(struct findings *findings)
{
	struct finding *list;

	if (findings->count == LIMIT) {
		findings->left_out++;
		return NULL;
	}
	list = reallocarray(findings->list, findings->count + 1, sizeof(*list));
	if (!list) {
		findings->left_out++;
		return NULL;
	}
	findings->list = list;
	return &list[findings->count++];
}

int findings_open(uint32_t instruction_count, struct findings *ret)
{
	uint64_t *seen = calloc(instruction_count, sizeof(*seen));

	if (!seen)
		return -ENOMEM;
	*ret = (struct findings){ .seen = seen, .instruction_count = instruction_count };
	return 0;
}

void findings_close(struct findings *findings)
{
	free(findings->list);
	free(findings->seen);
	*findings = (struct findings){ .count = 0 };
}

void findings_add(struct findings *findings, enum rule rule, uint32_t instruction, const char *detail, ...)
{
	struct finding *finding;
	va_list arguments;

	if (findings->seen[instruction] & 1ull << rule)
		return;
	findings->seen[instruction] |= 1ull << rule;
	finding = append(findings);
	if (!finding)
		return;
	*finding = (struct finding){ .rule = rule, .instruction = instruction };
	va_start(arguments, detail);
	vsnprintf(finding->detail, sizeof(finding->detail), detail, arguments);
	va_end(arguments);
}

void findings_add_object(struct findings *findings, enum rule rule, const char *subject, const char *detail,
			 ...)
{
	struct finding *finding = append(findings);
	va_list arguments;

	if (!finding)
		return;
	*finding = (struct finding){ .rule = rule, .instruction = FINDING_OBJECT };
	snprintf(finding->subject, sizeof(finding->subject), "%s", subject);
	va_start(arguments, detail);
	vsnprintf(finding->detail, sizeof(finding->detail), detail, arguments);
	va_end(arguments);
}

static int compare(const void *a, const void *b)
{
	const struct finding *left = a, *right = b;
	uint32_t l = left->instruction + 1, r = right->instruction + 1; /* the object becomes 0 */

	if (l != r)
		return l < r ? -1 : 1;
	return left->rule < right->rule ? -1 : left->rule > right->rule;
}

void findings_sort(struct findings *findings)
{
	if (findings->count)
		qsort(findings->list, findings->count, sizeof(*findings->list), compare);
}

bool findings_has(const struct findings *findings, enum rule rule)
{
	for (uint32_t i = 0; i < findings->count; i++)
		if (findings->list[i].rule == rule)
			return true;
	return false;
}
