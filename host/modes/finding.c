// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/finding.h"

#include <stdarg.h>
#include <stdio.h>

void finding_add(struct findings *findings, enum finding_weight weight, const char *object,
		 const char *format, ...)
{
	struct finding *finding;
	va_list arguments;

	if (findings->count++ >= findings->limit)
		return;
	finding = &findings->list[findings->count - 1];
	*finding = (struct finding){ .weight = weight };
	snprintf(finding->object, sizeof(finding->object), "%s", object);
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
}

void finding_fix(struct findings *findings, const char *format, ...)
{
	struct finding *finding;
	va_list arguments;

	if (!findings->count || findings->count > findings->limit)
		return;
	finding = &findings->list[findings->count - 1];
	va_start(arguments, format);
	vsnprintf(finding->fix, sizeof(finding->fix), format, arguments);
	va_end(arguments);
}

unsigned int finding_listed(const struct findings *findings)
{
	return findings->count < findings->limit ? findings->count : findings->limit;
}

const char *finding_weight_name(enum finding_weight weight)
{
	switch (weight) {
	case FINDING_WRONG:
		return "wrong";
	case FINDING_SUSPICIOUS:
		return "suspicious";
	case FINDING_HINT:
		return "hint";
	}
	return "?";
}
