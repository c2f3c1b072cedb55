// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * How long a card takes for a path: a model, and no measurement. A core works on one packet per thread; while
 * one waits for memory, the others compute. Hence
 *
 *     packets a second = cores * clock / max(instructions, (instructions + waiting) / threads)
 *
 * With one thread that is cores * clock / (instructions + waiting).
 *
 * X(name, default, "what it is")
 */
#pragma once

#include <stdint.h>

#include "host/why.h"
#include "offload/lint/costs.h"

/* clang-format off */
#define MODEL_NUMBERS(X)                                                                                     \
	X(cores,     50,  "cores that run programs")                                                         \
	X(threads,   4,   "packets that a core works on at once")                                            \
	X(clock,     800, "MHz")                                                                             \
	X(length,    0,   "of the whole program on the card, as the driver says; 0: as estimated") \
	X(lookup,    500, "cycles of waiting for map_lookup_elem")                                           \
	X(value,     150, "cycles of waiting for a load from a map value")                                   \
	X(packet,    50,  "cycles of waiting for a load or store of the packet")                             \
	X(count,     10,  "cycles of waiting for an atomic addition, which nobody waits for the end of")             \
	X(typical,   8,   "lookups that a typical packet makes at least")                                    \
	X(root,      524288, "elements of an image for the root of a full IPv4 table,")                      \
	X(ipv4,      221, "for 1000 routes of IPv4 that are spread as the Internet's,")                      \
	X(ipv6,      1927, "and for 1000 of IPv6")
/* clang-format on */

struct model {
#define X(name, default, text) unsigned int name;
	MODEL_NUMBERS(X)
#undef X
	uint32_t estimate; /* of `length` */
};

extern const struct model model_default;

/* Takes "name=number". -EINVAL, and why. */
int model_set(struct model *model, const char *word, struct why *why);
/* What was estimated for the whole program that `length` is of. */
void model_fit(struct model *model, uint32_t estimate);
/* The card's instructions of a path, and the cycles from a packet's begin to its end; a costs_weight. */
uint64_t model_instructions(const struct model *model, const struct cost *cost);
uint64_t model_cycles(const struct cost *cost, const void *model);
/* Packets a second if all take this path. */
double model_rate(const struct model *model, const struct cost *cost);
