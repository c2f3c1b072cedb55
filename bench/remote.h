// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdio.h>

#include "bench/generate.h"
#include "bench/scenario.h"

// A router between ports that somebody has put cables into, most of all one that is another machine. Nothing
// is sent to that but packets: somebody sets it up.

// Writes the commands that set it up for a scenario, for a shell; IN and OUT stand for its ports, of which a
// router on a stick has but IN.
void remote_commands(FILE *out, const struct topology *topology, const struct scenario *scenario);

// Waits until it answers ARP on tx and forwards to rx, with tags that the sink can see, and learns its MACs
// for lane and generator. Tells on stderr what it waits for; -EINTR once *stop is set.
int remote_wait(struct topology *topology, struct generate *generate, __u8 family,
		const volatile sig_atomic_t *stop);
