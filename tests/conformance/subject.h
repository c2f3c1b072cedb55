// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What forwards in the router on trial: the kernel alone ("kernel"), a careless program ("careless": proves
// that the test sees differences), or penstock (the path of the command).
#pragma once

#include <linux/types.h>

#include "tests/conformance/netns.h"
#include "tests/oracle/world.h"

struct subject;

// Starts it for all ports of the world, and waits until it runs on all of them. The mode is penstock's, which
// is also told, if so, to trust that VLAN tags are in the frames. Negative errno, after a message on stderr.
int subject_start(const char *what, const char *mode, bool trust_tags, const struct world *world,
		  const struct netns *router, struct subject **ret_subject);

// Gives it the time to follow a change of the kernel's tables, which took so many milliseconds to make: the
// slower the machine, the longer.
void subject_follow(const struct subject *subject, __u32 change_ms);

// Ends it; NULL is fine. False: it had ended by itself, or did not end cleanly.
bool subject_stop(struct subject *subject);
