// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>

// A TAP of the calling thread's namespace that stays when nobody has it open, so that its addresses and
// routes do.

// Makes one. -ENOENT: this kernel has no TAPs.
int tap_make(const char *name);

void tap_remove(const char *name);

// Gives it, or any other link, another MAC.
int tap_set_mac(const char *name, const __u8 mac[6]);
