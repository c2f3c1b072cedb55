// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The figures of the router for Prometheus, in its text format: GET /v1/metrics on the unix socket, and GET
 * /metrics on a TCP port if one is configured. Names: penstock_ and base units, _total for counters, _info
 * for what is no number; labels have few values. A family is always named, also while it has no sample.
 */
#pragma once

#include <jansson.h>

#include "host/why.h"

struct api_request;

int metrics_answer(void *router, const struct api_request *request, json_t **ret, struct why *why);
