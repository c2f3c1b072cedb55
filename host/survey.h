// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Looks at all ports for their gates, in an errand: the kernel may be busy, and the loop has other work.
 */
#pragma once

#include <stdbool.h>

#include "host/errand.h"
#include "host/gate.h"

struct gates;
struct survey;

/* All are borrowed; the errands are freed first. done: in the loop, when there is something to read. */
int survey_new(struct errands *errands, const struct gates *gates, const struct gate_place *place,
	       errand_fn *done, void *arg, struct survey **ret);
/* NULL is fine. */
void survey_free(struct survey *survey);
/* Looks at the ports as they are from now on. While somebody looks already, done() is called for that, too,
 * and then another look begins. Without memory nobody looks. */
void survey_begin(struct survey *survey);
/* What is being looked at is not so any more: done() is not called for that, and another look begins. */
void survey_outdate(struct survey *survey);
/* What was seen of the port; NULL: nobody looked at it. */
const struct gate_sight *survey_sight(const struct survey *survey, const char *name);
