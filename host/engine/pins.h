// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What outlives the daemon, in the BPF file system:
 *
 *   BPFFS/penstock/v1/NAME/maps/{node,run,tables,counters,ports,workers}
 *   BPFFS/penstock/v1/NAME/links/IFINDEX_PORT        one bpf_link for each port; removing it detaches
 *
 * v1 is the version of this layout and of the image. A daemon that finds the pins of a dead one fills new
 * maps, swings each link to a new program, and only then replaces the map pins: packets never meet an empty
 * table.
 */
#pragma once

#include <stddef.h>
#include <linux/types.h>

#include "host/why.h"

struct pins;

/* Makes the directories, 0700. */
int pins_open(const char *bpffs, const char *name, struct pins **ret, struct why *why);
/* Forgets the pins but leaves them where they are. NULL is fine. */
void pins_close(struct pins *pins);
/* Unlinks all pins and the directory: a clean end. Links that nobody else holds detach. */
void pins_remove(struct pins *pins);
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
int pins_link_move(struct pins *pins, struct pins_link from, struct pins_link to);
void pins_link_remove(struct pins *pins, struct pins_link link);
/* Unlinks every link the callback does not want kept. */
void pins_links_sweep(struct pins *pins, int (*keep)(void *arg, struct pins_link link), void *arg);
/* The links that are pinned, at most `size`; returns how many there are. */
size_t pins_links(struct pins *pins, struct pins_link *ret, size_t size);
