// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Which daemon this is. There is one per network namespace; its name is the namespace's inode number or the
 * one it was given. In /run/penstock:
 *
 *   net-INODE.lock   locked by the daemon of that namespace; holds "PID NAME"
 *   NAME.lock        the same for the name, if it was given one
 *   NAME.sock        its API
 *   NAME.changes     what it changed on devices and has to undo
 */
#pragma once

#include <sys/types.h>

#include "host/why.h"

#define INSTANCE_DIRECTORY "/run/penstock"

struct instance;

/* Takes the locks. -EBUSY: another daemon has this namespace or this name; `why` says its pid. */
int instance_claim(const char *name, struct instance **ret, struct why *why);
/* Gives up the locks and removes the files. NULL is fine. */
void instance_release(struct instance *instance);

const char *instance_name(const struct instance *instance);
const char *instance_socket(const struct instance *instance);
const char *instance_changes(const struct instance *instance);

/* For the command: the socket of the daemon with this name, or, if NULL, of our namespace. -ENOENT: none. */
int instance_find(const char *name, char *ret_path, size_t size, struct why *why);
