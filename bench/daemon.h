// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <jansson.h>

#include "bench/lane.h"

// penstock itself as a child process: this very binary as `penstock run` in the router's namespace of a lane.

struct daemon;

struct daemon_plan {
	const char *mode;     // that the ports shall run in
	const char *asked;    // what the configuration says for that, NULL: the same
	const char *lines;    // further ones of the configuration, NULL: none
	const char *ports[3]; // what `penstock run` is told; the first two NULL: r0 and r1
};

// Asks what `penstock plan -j` says of r0 and r1, without a daemon; the caller gives the document back. -EIO
// without an answer.
int daemon_ask_plan(const struct lane *lane, json_t **ret_plan);

// Starts it on r0 and r1 in a mode ("native", "generic") and returns once it forwards; its configuration is
// written to the path config and stays there. Tells on stderr why it does not forward, with what it logged.
// -EINTR once *stop is set.
int daemon_start(const struct lane *lane, const char *config, const char *mode,
		 const volatile sig_atomic_t *stop, struct daemon **ret_daemon);

// The same by a plan.
int daemon_start_with(const struct lane *lane, const char *config, const struct daemon_plan *plan,
		      const volatile sig_atomic_t *stop, struct daemon **ret_daemon);

// Returns its process id.
pid_t daemon_pid(const struct daemon *daemon);

// Asks it for what `penstock status -j` prints; the caller gives the document back. -EIO without an answer.
int daemon_status(const struct daemon *daemon, json_t **ret_status);

// Takes its ports to another mode and returns once they run in it. -EIO: it refuses.
int daemon_mode(struct daemon *daemon, const char *mode);

// Stops it by SIGTERM and waits for its end; NULL is fine.
void daemon_stop(struct daemon *daemon);
