// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * An image with a card that follows it, and addresses that are asked for on the card between any two writes:
 * each answer must be that from before the changes or that from after.
 */
#pragma once

#include "tests/unit/card_device.h"
#include "tests/unit/image_model.h"

#define CARD_BED_SEED   20261130
#define CARD_BED_PROBES 48
#define CARD_BED_VRFS   2

/* An address whose answer is watched while the card is written. */
struct card_probe {
	__u16 vrf;
	__u8 family;
	__u8 address[16];
	__u32 before, after;
};

struct card_bed {
	struct image_model *model;
	struct card_sizes sizes;
	struct card_device *device;
	struct card *card;
	struct card_probe probe[CARD_BED_PROBES];
	unsigned probes;
	bool late;          /* the image does not wait any more: what could not be read punts */
	__u64 looks, punts; /* answers that were looked at; that were the kernel's meanwhile */
};

struct card_bed *card_bed_new(__u64 seed, __u32 elements, __u64 delay);
void card_bed_free(struct card_bed *bed);

/* Looks at all probes; the device calls it between any two writes, with the bed. */
void card_bed_look(void *arg, const struct card_device *device);
/* The image's program forwards, or is held. */
void card_bed_release(struct card_bed *bed, bool held);
/* A next hop that forwards, told apart by its MAC. It is made before the first route leads to it. */
void card_bed_hop(struct card_bed *bed, __u32 leaf);
/* An address of the prefix is a probe from now on, whose answer now is that from before. */
void card_bed_watch(struct card_bed *bed, const struct image_prefix *prefix);
/* Draws so many changes of routes; what they change is probed, and as much beside it. */
void card_bed_change(struct card_bed *bed, unsigned count);
/* All prefixes of the pool have a route. */
void card_bed_load(struct card_bed *bed);
/* Until the card needs no more passes; errors end it. */
int card_bed_pass(struct card_bed *bed);
/* The card's answers are right; returns how many are TABLE_FULL for want of room. */
__u32 card_bed_compare(struct card_bed *bed);
/* The card forwards. */
bool card_bed_live(const struct card_bed *bed);
