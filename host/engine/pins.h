// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What outlives the daemon, in the BPF file system:
 *
 *   BPFFS/penstock/v1/NAME/maps/{node,run,tables,counters,ports,workers}
 *   BPFFS/penstock/v1/NAME/links/IFINDEX_PORT        one bpf_link for each port; removing it detaches
 *
 * v1 is the version of this layout and of the image. A daemon that finds the pins of a dead one fills new
 * maps, swings each link to a new program, and only then replaces the map pins: packets never meet an empty
 * table. The dead one may have had another version, older or newer: its links are found, too, and move to the
 * directory of their new version as they are swung, one by one; what is left of the other is removed when all
 * ports run. So it may die in between, and whichever version comes next goes on from there.
 */
#pragma once

#include <stddef.h>
#include <linux/types.h>

#include "host/why.h"

struct pins;

/* Makes the directories, 0700, and looks for what other versions left under this name. */
int pins_open(const char *bpffs, const char *name, struct pins **ret, struct why *why);
/* Forgets the pins but leaves them where they are. NULL is fine. */
void pins_close(struct pins *pins);
/* Unlinks all pins and the directory, those of other versions too: a clean end. Links that nobody else holds
 * detach. */
void pins_remove(struct pins *pins);
/* Unlinks what other versions left. */
void pins_forget_others(struct pins *pins);
const char *pins_directory(const struct pins *pins);

/* Pins a map under this name, in place of what was there. */
int pins_map_put(struct pins *pins, const char *name, int fd);
/* The fd of a map that a predecessor left, or -ENOENT. */
int pins_map_get(struct pins *pins, const char *name);

struct pins_link {
	__u32 ifindex;
	__u16 port;
};

int pins_link_put(struct pins *pins, struct pins_link link, int fd);
/* Any link for the interface: its fd and the port it served. -ENOENT. */
int pins_link_get(struct pins *pins, __u32 ifindex, __u16 *ret_port);
/* Id of the program that a pinned link holds on the interface; 0: none. */
__u32 pins_link_program(struct pins *pins, __u32 ifindex);
/* To the directory of our version, if it was in another. */
int pins_link_move(struct pins *pins, struct pins_link from, struct pins_link to);
void pins_link_remove(struct pins *pins, struct pins_link link);
/* Unlinks every link the callback does not want kept. */
void pins_links_sweep(struct pins *pins, int (*keep)(void *arg, struct pins_link link), void *arg);
/* The links that are pinned, at most `size`; returns how many there are. */
size_t pins_links(struct pins *pins, struct pins_link *ret, size_t size);
