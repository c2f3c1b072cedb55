// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <jansson.h>

// Versions of DPDK, which figures of what is built with it depend on: of the plugin of penstock, and of each
// program of DPDK's that ran.

// Keeps the version that a program told when it started with the word -v; `program` must outlive all.
void dpdk_version_note(const char *program, const char *told);

// Adds what is known to an object: "dpdk" (of the plugin; null: there is none) and names of programs.
void dpdk_version_add(json_t *object);
