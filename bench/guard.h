// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <sys/types.h>

#include "bench/port.h"

// A process that removes named network namespaces, what daemons of penstock left of theirs there, and files,
// and brings ports home that were lent to the namespaces, once its owner ends, however the owner ends,
// SIGKILL included. If it was killed, its children may still write files while they end: the guard looks for
// them until there are no more.

#define GUARD_NAMES     4
#define GUARD_PORTS     4
#define GUARD_LEAVINGS  4
#define GUARD_NAME_SIZE 48
#define GUARD_PATH_SIZE 96

struct guard {
	// Set by the owner before guard_start(); empty: none.
	char names[GUARD_NAMES][GUARD_NAME_SIZE]; // of namespaces
	char file[GUARD_NAME_SIZE];
	char leavings[GUARD_LEAVINGS][GUARD_PATH_SIZE]; // patterns of files, and of folders with all in them
	char directory[GUARD_NAME_SIZE];                // as of guard_directory(); "": none
	struct port ports[GUARD_PORTS];                 // name "": none
	unsigned int port_names[GUARD_PORTS];           // whose namespace they are lent to
	int home;                                       // descriptor of the namespace that ports come from
	pid_t pid;
	int socket;
};

// Starts the guard; nothing can end it any more but a SIGKILL of its own. Call it before anything is made
// that it is to remove, and before any thread is started.
int guard_start(struct guard *guard);

// Makes a directory for files of root's only, which goes with the rest: guard->directory. Fine when there is
// one.
int guard_directory(struct guard *guard);

// Lets the guard do its work and waits until all is gone.
void guard_end(struct guard *guard);
