// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What readers may see while a table changes. Each probe is an address with its answers in the order in which
 * they came to be right; the writer notes a change before it is made and once more when it is done. A reader
 * takes a look at the probe before and after its lookup; then every answer is right that was right at some
 * moment in between.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <linux/types.h>

#define PROBE_HISTORY 64 /* a power of two */

struct image_probe {
	__u16 vrf;
	__u8 family;
	__u8 address[16];
	/* Number of answers so far << 1 | the newest may not be in the image everywhere yet. */
	_Atomic __u32 state;
	_Atomic __u16 answer[PROBE_HISTORY]; /* number n at n % PROBE_HISTORY */
};

/* The first answer. */
void image_probe_init(struct image_probe *probe, __u16 answer);
/* The writer: the answer is going to change; has changed. */
void image_probe_begin(struct image_probe *probe, __u16 answer);
void image_probe_end(struct image_probe *probe);
/* The last answer that was begun. */
__u16 image_probe_newest(const struct image_probe *probe);

/* A reader: before the lookup. */
__u32 image_probe_look(const struct image_probe *probe);

enum image_probe_verdict {
	PROBE_RIGHT,
	PROBE_WRONG,
	PROBE_FORGOTTEN, /* it took so long that the history has been overwritten */
};
/* After the lookup. */
enum image_probe_verdict image_probe_judge(const struct image_probe *probe, __u32 look, __u16 answer);
