// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Puts an instance's constants into its instructions, between opening and loading the object. What the marks
 * look like is said in xdp/baked.h.
 */
#pragma once

#include <linux/types.h>

#include "xdp/baked.h"

struct bpf_program;

struct bake {
	int fd[BAKED_MAX];       /* addresses: the map whose value it is ... */
	__u32 offset[BAKED_MAX]; /* ... and where in it, added to what the program asks for */
	__u32 number[BAKED_MAX]; /* numbers */
};

/* -EBADMSG: a mark of the program is of an unknown kind, or stands in another instruction than it may. */
int bake_program(struct bpf_program *program, const struct bake *bake);
