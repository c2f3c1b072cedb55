// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What every engine that gets its packets from a hook of the kernel asks first: is it an Ethernet card that
 * nobody else has?
 */
#pragma once

#include <stdbool.h>

struct capability;
struct probe;

/* Returns false after a "no". */
bool place_probe(const struct capability *port, struct probe *ret);
