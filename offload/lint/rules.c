// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/rules.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *text, *remedy;
	enum rule_verdict verdict;
} rules[RULE_COUNT] = {
#define X(name, verdict, text, remedy) { #name, text, remedy, RULE_##verdict },
	LINT_RULES(X)
#undef X
};

const char *rule_name(enum rule rule)
{
	static char names[RULE_COUNT][24];
	char *name = names[rule];

	if (!*name) {
		snprintf(name, sizeof(names[rule]), "%s", rules[rule].name);
		for (char *at = name; (at = strchr(at, '_')); at++)
			*at = '-';
	}
	return name;
}

const char *rule_text(enum rule rule)
{
	return rules[rule].text;
}

const char *rule_remedy(enum rule rule)
{
	return rules[rule].remedy;
}

enum rule_verdict rule_verdict(enum rule rule)
{
	return rules[rule].verdict;
}
