// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// Named network namespaces, kept under /run/netns as iproute2 does, so that `ip netns` and nsenter can look
// in.

// Makes a namespace called name; the caller's thread stays where it was. Sets ret_netns to a descriptor of
// it.
int netns_create(const char *name, int *ret_netns);

// Opens the namespace of that name; returns its descriptor.
int netns_open(const char *name);

// Removes the name; the namespace itself goes with its last user. 0 as well when there is no such name.
int netns_remove(const char *name);

// Moves the calling thread into the namespace; sets ret_home to a descriptor that netns_leave() takes back.
int netns_enter(int netns, int *ret_home);

// Moves the calling thread back home and closes the descriptor.
void netns_leave(int home);
