// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/lane.h"
#include "bench/recording.h"

// A capture through `penstock replay`, which knows the router's kernel by its tables: no packet is sent. What
// the program forwards is set in ret_out; ret_left says how many packets it leaves to Linux. Tells errors on
// stderr.
int equal_replay(const struct lane *lane, const struct recording *recording, struct recording **ret_out,
		 __u32 *ret_left);
