// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A port as JSON: what it does, why, and what it could do.
 */
#pragma once

#include <jansson.h>

struct gate;
struct mirror;

/* A new reference. */
json_t *port_json(struct mirror *mirror, const struct gate *gate);
