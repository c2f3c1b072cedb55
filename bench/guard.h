// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <sys/types.h>

#include "bench/port.h"

// A process that removes named network namespaces, and brings ports home that were lent to them, once its
// owner ends, however the owner ends, SIGKILL included.

#define GUARD_NAMES     4
#define GUARD_PORTS     4
#define GUARD_NAME_SIZE 48

struct guard {
	// Set by the owner before guard_start(); empty: none.
	char names[GUARD_NAMES][GUARD_NAME_SIZE]; // of namespaces
	char file[GUARD_NAME_SIZE];
	char directory[GUARD_NAME_SIZE];      // as of guard_directory(); "": none
	struct port ports[GUARD_PORTS];       // name "": none
	unsigned int port_names[GUARD_PORTS]; // whose namespace they are lent to
	int home;                             // descriptor of the namespace that ports come from
	pid_t pid;
	int pipe;
};

// Starts the guard. Call it before the namespaces are made and before any thread is started.
int guard_start(struct guard *guard);

// Makes a directory for files of root's only, which goes with the rest: guard->directory. Fine when there is
// one.
int guard_directory(struct guard *guard);

// Lets the guard do its work and waits until all is gone.
void guard_end(struct guard *guard);
