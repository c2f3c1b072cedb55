// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Puts an instance's constants into its instructions, between opening and loading the object. What the marks
 * look like is said in xdp/baked.h.
 */
#pragma once

#include <linux/types.h>

struct bpf_program;
struct image_store;

/*
 * The constants of the instance for a port of this image, which lies in maps. queues: as in struct
 * engine_port; only the card's program has it. -EBADMSG: a mark of the program
 * is of an unknown kind, or stands in another instruction than it may.
 */
int bake_port(struct bpf_program *program, const struct image_store *store, __u16 port, __u16 queues);
