// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the daemon changed on devices, so that it can be undone: offloads of VLAN tags, which hide them from
 * the program. Kept in a file too, so that the next daemon undoes it when this one is killed.
 */
#pragma once

#include <linux/types.h>

#include "host/why.h"

struct changes;

/* Reads what a predecessor left to undo. */
int changes_open(const char *path, struct changes **ret, struct why *why);
/* What is left to undo stays in the file; there is none if nothing is. NULL is fine. */
void changes_close(struct changes *changes);
/* Turns rxvlan off and remembers that it was on. */
int changes_rxvlan_off(struct changes *changes, const char *interface, __u32 ifindex, struct why *why);
/* The same for txvlan of the other end of a veth. */
int changes_txvlan_off(struct changes *changes, const char *interface, __u32 ifindex, struct why *why);
/* Undoes what was done to this interface; one that is gone is forgotten. */
void changes_undo(struct changes *changes, __u32 ifindex);
/* Undoes what was done to interfaces that the callback does not want kept. */
void changes_sweep(struct changes *changes, int (*keep)(void *arg, __u32 ifindex), void *arg);
void changes_undo_all(struct changes *changes);
