// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * HTTP/1 with JSON answers on a unix socket (libmicrohttpd, run by our event loop, no thread). Whoever may
 * open the socket may read; what changes something is for root and the daemon's own user, by SO_PEERCRED.
 * Requests are limited in size, number and time; bodies are not read: no route takes one, and arguments are
 * words of the path's query. An answer that is a JSON string goes out as plain text. A TCP port serves a few
 * routes for reading.
 *
 *   curl --unix-socket /run/penstock/NAME.sock http://penstock/v1/status
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "host/why.h"

struct api;
struct api_request;
struct loop;

struct api_route {
	const char *path;
	bool writes; /* POST by the owner; else GET by anyone who could connect */
	/* 0 and a body, whose reference is taken over; or a negative errno and `why`. */
	int (*answer)(void *arg, const struct api_request *request, json_t **ret_body, struct why *why);
};

/* Listens. `routes` end with a NULL path and outlive the api. group NULL: root's. */
int api_open(struct loop *loop, const char *socket, const char *group, const struct api_route *routes,
	     void *arg, struct api **ret, struct why *why);
/* Listens on TCP: all may read what `routes` have, and nobody may write. -EINVAL: not an address and port. */
int api_open_tcp(struct loop *loop, const char *endpoint, const struct api_route *routes, void *arg,
		 struct api **ret, struct why *why);
/* Also removes the socket. NULL is fine. */
void api_close(struct api *api);

/* A query argument, decoded; NULL: not given. */
const char *api_argument(const struct api_request *request, const char *name);
