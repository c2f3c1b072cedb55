// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A decision as JSON, for `plan -j` and `status -j`. New references.
 */
#pragma once

#include <jansson.h>

struct decision;
struct probe;

json_t *decision_json_probe(const struct probe *probe);
/* All modes, best first, each with why. */
json_t *decision_json_options(const struct decision *decision);
/* Where packets go, in that order. */
json_t *decision_json_tiers(const struct decision *decision);
