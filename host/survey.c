// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/gates.h"
#include "host/modes/xdp_features.h"

struct survey {
	struct errands *errands;
	const struct gates *gates;
	const struct gate_place *place;
	struct xdp_features *features; /* the thread's; NULL: the kernel does not tell */
	errand_fn *done;
	void *arg;
	struct errand errand;
	struct gate_sight *sight; /* the thread's while the errand is under way */
	unsigned int count, size;
	bool again, outdated;
};

static void look(void *arg)
{
	struct survey *survey = arg;

	for (unsigned int i = 0; i < survey->count; i++)
		gate_look(&survey->sight[i], survey->features);
}

static bool make_room(struct survey *survey, unsigned int count)
{
	struct gate_sight *larger;

	if (count <= survey->size)
		return true;
	larger = realloc(survey->sight, count * sizeof(*larger));
	if (!larger)
		return false;
	survey->sight = larger;
	survey->size = count;
	return true;
}

static void looked(void *arg)
{
	struct survey *survey = arg;
	bool again = survey->again || survey->outdated;

	if (!survey->outdated)
		survey->done(survey->arg);
	survey->again = survey->outdated = false;
	if (again)
		survey_begin(survey);
}

int survey_new(struct errands *errands, const struct gates *gates, const struct gate_place *place,
	       errand_fn *done, void *arg, struct survey **ret)
{
	struct survey *survey = calloc(1, sizeof(*survey));

	if (!survey)
		return -ENOMEM;
	*survey = (struct survey){ .errands = errands,
				   .gates = gates,
				   .place = place,
				   .done = done,
				   .arg = arg,
				   .errand = { .work = look, .done = looked, .arg = survey } };
	if (place->platform->features)
		(void)xdp_features_open(&survey->features);
	*ret = survey;
	return 0;
}

void survey_free(struct survey *survey)
{
	if (!survey)
		return;
	xdp_features_close(survey->features);
	free(survey->sight);
	free(survey);
}

void survey_begin(struct survey *survey)
{
	const struct gates *gates = survey->gates;

	if (survey->errand.under_way) {
		survey->again = true;
		return;
	}
	if (!make_room(survey, gates->count))
		return;
	for (unsigned int i = 0; i < gates->count; i++)
		gate_ask(&gates->gate[i], survey->place, &survey->sight[i]);
	survey->count = gates->count;
	errand_send(survey->errands, &survey->errand);
}

void survey_outdate(struct survey *survey)
{
	survey->outdated = survey->errand.under_way;
}

const struct gate_sight *survey_sight(const struct survey *survey, const char *name)
{
	for (unsigned int i = 0; i < survey->count; i++)
		if (strcmp(survey->sight[i].name, name) == 0)
			return &survey->sight[i];
	return NULL;
}
