// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Loads an object onto a device, as its driver would have it, and takes it off again.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/*
 * What the interface's driver says about the object, as a document:
 *
 *   object, accepted      the path; whether all of it was taken
 *   step, error           where it ended, and the system's word for it: load, attach; or without an answer of
 * the driver: open, device, time words                 lines of the driver programs              name, bpf
 * and nfp: instructions before and after translation maps                  name, type, key, value: bytes,
 * entries
 *
 * `attach`: the program is attached for a moment, too. Needs root.
 */
json_t *device_load(const char *path, const char *interface, bool attach);
