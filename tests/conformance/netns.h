// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Network namespaces of a test: made, entered, removed again, also when the test is interrupted.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define NETNS_PATH 64

struct netns {
	char name[32]; // as `ip netns` knows it
	int fd;
};

// Makes an empty namespace called ps-twin-PID-SUFFIX; it is removed when the process exits, whichever way it
// does short of SIGKILL. Negative errno.
int netns_new(const char *suffix, struct netns *ret_netns);

// The path of a file in /tmp called after the namespace, which is removed with it.
void netns_file(const struct netns *netns, const char *suffix, char ret_path[NETNS_PATH]);

// Removes every namespace of this process, and their files.
void netns_remove_all(void);

// Goes into a namespace; netns_leave() goes back. Both end the process if they fail: nothing would be right
// after that.
void netns_enter(const struct netns *netns);
void netns_leave(void);

// Runs a program in a namespace with this text as its input (NULL: none) and waits for it. Returns its exit
// code, or negative errno.
int netns_run(const struct netns *netns, const char *input, const char *const argv[]);

// Starts a program in a namespace; its output goes to the file (NULL: to ours). The process id, or negative
// errno.
pid_t netns_start(const struct netns *netns, const char *log, const char *const argv[]);

// Writes a sysctl, the path being that below /proc/sys with slashes. Negative errno.
int netns_sysctl(const struct netns *netns, const char *path, const char *value);
