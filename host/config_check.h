// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Whether a YAML document is a configuration. libcyaml, which reads it afterwards, knows the same fields, but
 * says neither the line nor what is allowed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cyaml/cyaml.h>

#include "host/why.h"

#define CONFIG_PORT_LIMIT   256 /* IMAGE_PORTS */
#define CONFIG_PATH_LIMIT   200
#define CONFIG_DEVICE_LIMIT 200 /* characters, also of the EAL's words */
#define CONFIG_CPU_LIMIT    64  /* workers, and CPUs that they are bound to */

#define CONFIG_DEVICE_WORDS "dpdk: and a device as DPDK names it, such as dpdk:0000:03:00.0"

/* 1: the document is empty; 0: it is good; else refused: `why` names file, line, key and what is allowed. */
int config_check(const char *label, const void *text, size_t size, const cyaml_schema_field_t *fields,
		 struct why *why);

bool config_is_interface(const char *name);
/* A device that an engine brings: "dpdk:" and what its EAL calls it. */
bool config_is_device(const char *text);
