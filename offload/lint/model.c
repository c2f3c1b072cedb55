// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AROUND 15 /* of what the driver puts around every program, a packet passes */

const struct model model_default = {
#define X(name, default, text) .name = default,
	MODEL_NUMBERS(X)
#undef X
};

static unsigned int *number_of(struct model *model, const char *word, size_t length)
{
#define X(name, default, text)                                                                               \
	if (length == sizeof(#name) - 1 && memcmp(word, #name, length) == 0)                                 \
		return &model->name;
	MODEL_NUMBERS(X)
#undef X
	return NULL;
}

int model_set(struct model *model, const char *word, struct why *why)
{
	size_t length = strcspn(word, "=");
	unsigned int *number = number_of(model, word, length);
	unsigned long value;
	char *end;

	if (!number)
		return why_set(why, EINVAL,
			       "the model has no '%.*s'; penstock offload report shows what it has",
			       (int)length, word);
	value = strtoul(word + length + 1, &end, 10);
	if (!word[length] || end == word + length + 1 || *end || word[length + 1] == '-' || value > 1000000)
		return why_set(why, EINVAL, "'%s': give a number up to 1000000, such as clock=1200", word);
	if (!value && (number == &model->cores || number == &model->threads || number == &model->clock))
		return why_set(why, EINVAL, "'%s': must not be 0", word);
	*number = (unsigned int)value;
	return 0;
}

void model_fit(struct model *model, uint32_t estimate)
{
	model->estimate = estimate;
}

uint64_t model_instructions(const struct model *model, const struct cost *cost)
{
	uint64_t instructions = cost->card + AROUND;

	if (model->length && model->estimate)
		instructions = instructions * model->length / model->estimate;
	return instructions;
}

static uint64_t waiting(const struct model *model, const struct cost *cost)
{
	return (uint64_t)cost->lookups * model->lookup + (uint64_t)cost->values * model->value +
	       (uint64_t)cost->packet * model->packet + (uint64_t)cost->counts * model->count;
}

uint64_t model_cycles(const struct cost *cost, const void *model)
{
	return model_instructions(model, cost) + waiting(model, cost);
}

double model_rate(const struct model *model, const struct cost *cost)
{
	double busy = (double)model_instructions(model, cost);
	double shared = (double)model_cycles(cost, model) / model->threads;

	return (double)model->cores * model->clock * 1e6 / (busy > shared ? busy : shared > 0 ? shared : 1);
}
