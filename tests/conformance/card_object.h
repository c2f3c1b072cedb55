// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The object for the NIC, loaded on this machine, an instance for each port, with tables that host/fib/card.h
// fills.
#pragma once

#include <stdbool.h>
#include <bpf/libbpf.h>

#include "host/fib/card.h"
#include "tests/conformance/runner.h"

#define CARD_OBJECT_PORTS   16
#define CARD_OBJECT_LONGEST 3000 // BPF_PROG_TEST_RUN takes no more in one buffer

struct card_object {
	struct bpf_object *object[CARD_OBJECT_PORTS];
	struct image_counter *counters;
	__u32 ports;
	struct card_sizes sizes;
	bool limited; // there may be too little room
	// That the programs choose from. This machine's kernel takes no program that chooses, so that it is
	// changed: what it passes on it tells by its queue. 0: it is as it is.
	__u16 queues;
};

// Room for all of an image.
extern const struct card_sizes card_object_whole;

// Sizes and queues are set, all else is zero. To be closed on failure, too. -EPERM: not permitted here.
int card_object_open(struct card_object *card, const char *path, const struct image_store *store,
		     __u32 ports);
void card_object_close(struct card_object *card);
int card_object_feed(struct card_object *card, const struct image_store *store);
int card_object_run(struct card_object *card, __u16 port, const __u8 *frame, __u32 length,
		    struct runner_outcome *ret_outcome);
// With queues: the one chosen for a frame, by the reason to choose one; for other reasons any number.
// Negative errno.
int card_object_queue(struct card_object *card, __u16 port, const __u8 *frame, __u32 length,
		      __u8 *ret_reason);
