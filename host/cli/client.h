// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Talks to the daemon over its unix socket.
 */
#pragma once

#include <jansson.h>

#include "host/why.h"

/* name NULL: the daemon of our network namespace. 0 and a document, or a negative errno and what went wrong,
 * be it the daemon's own words. */
int client_get(const char *name, const char *path, json_t **ret, struct why *why);
int client_post(const char *name, const char *path, json_t **ret, struct why *why);

/* Text as part of a query: what could be taken for something else becomes %XX. Cut where ret is full. */
void client_escape(const char *text, char *ret, size_t size);
