// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Answers of the API about the daemon itself: status, counters, the image's fill, versions.
 */
#pragma once

#include <jansson.h>

#include "host/why.h"

struct api_request;

int status_answer(void *router, const struct api_request *request, json_t **ret, struct why *why);
int status_counters(void *router, const struct api_request *request, json_t **ret, struct why *why);
int status_image(void *router, const struct api_request *request, json_t **ret, struct why *why);
int status_version(void *router, const struct api_request *request, json_t **ret, struct why *why);
