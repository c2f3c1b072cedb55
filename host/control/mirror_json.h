// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the mirror knows about the kernel, for the API: how far behind it is, and what keeps packets in the
 * kernel.
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>
#include <linux/types.h>

#include "host/why.h"

struct api_request;
struct mirror;

/* New references. */
json_t *mirror_json(const struct mirror *mirror);
json_t *mirror_json_netfilter(const struct mirror *mirror);
/* Why what comes in by the interface stays in the kernel; null: it does not. */
json_t *mirror_json_hold(const struct mirror *mirror, __u32 ifindex);
bool mirror_json_holds(const struct mirror *mirror, __u32 ifindex);

/* GET /v1/rules */
int mirror_json_rules(void *router, const struct api_request *request, json_t **ret, struct why *why);

/* GET /v1/audit: the audit under way or the last one. POST /v1/audit?samples=N begins one. */
int mirror_json_audit(void *router, const struct api_request *request, json_t **ret, struct why *why);
int mirror_json_audit_start(void *router, const struct api_request *request, json_t **ret, struct why *why);
