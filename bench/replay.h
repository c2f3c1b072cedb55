// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "bench/workload/table.h"

// The command "penstock bench replay": how many packets a second the program forwards in user space, from
// memory, without any device: the burst loop of the engines there. argv[0] is "replay". Returns the exit
// code: 0, 1 failed, 2 bad usage.
int bench_replay(int argc, char **argv);

// The same for other benches: a router in memory with some routes, and packets to destinations drawn over
// them.
struct replay_subject;
int replay_subject_open(const struct table *routes, bool ipv6, unsigned int packets,
			unsigned int destinations, struct replay_subject **ret_subject);
// Runs for so long, or until *stop is set (-EINTR), and tells what a packet takes.
int replay_subject_run(struct replay_subject *subject, double seconds, const volatile sig_atomic_t *stop,
		       double *ret_ns);
void replay_subject_close(struct replay_subject *subject);
