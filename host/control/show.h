// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Answers of the API about the tables, read from the image.
 */
#pragma once

#include <jansson.h>

#include "host/why.h"

struct api_request;

int show_interfaces(void *router, const struct api_request *request, json_t **ret, struct why *why);
/* ?table=254&family=4&after=PREFIX: a page of routes in the table's order and where the next one begins. */
int show_routes(void *router, const struct api_request *request, json_t **ret, struct why *why);
int show_nexthops(void *router, const struct api_request *request, json_t **ret, struct why *why);
int show_neighbours(void *router, const struct api_request *request, json_t **ret, struct why *why);
/* ?address=ADDRESS[&from=INTERFACE][&table=N|&vrf=NAME] */
int show_lookup(void *router, const struct api_request *request, json_t **ret, struct why *why);
