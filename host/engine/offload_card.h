// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A card that forwards for ports, and the thread that keeps it so. The thread makes the card's tables, fills
 * them from the image, and only then attaches the program to the ports; from there on it follows the image,
 * pass by pass (host/fib/card.h), and looks once a second whether all is as it should be. Whatever fails, the
 * program is taken off all ports at once, the tables are given up, and some time later all begins anew. So
 * the loop's thread never waits for a card, and what is behind the card forwards whatever the card does.
 *
 * All calls here are for the loop's thread.
 */
#pragma once

#include "host/engine/engine.h"
#include "host/engine/offload_device.h"

struct offload_card;

/*
 * A card that its ports know by this name. seen: written to, by the thread, when something about a port
 * changed. Takes part in the image's grace from now on. -ENOMEM, or why no thread can be made.
 */
int offload_card_new(const struct engine_context *context, const struct offload_device_ops *ops,
		     const char *name, int seen_fd, struct offload_card **ret);
/* Without ports. Waits for what the card is at. NULL is fine. */
void offload_card_free(struct offload_card *card);
const char *offload_card_name(const struct offload_card *card);

/* The card shall forward for the port; -ENOMEM. */
int offload_card_add(struct offload_card *card, const struct engine_port *port);
/* When this returns it does so no longer. Without such a port: no effect. */
void offload_card_drop(struct offload_card *card, const struct engine_port *port);
/* -ENOENT: no such port. */
int offload_card_state(struct offload_card *card, const struct engine_port *port, struct engine_state *ret);
/* Adds what was counted for a port of this number since the card was made, by all of its programs. */
void offload_card_counters(struct offload_card *card, __u16 port, struct image_counters *ret);
/* Of the card, and of what its program for the port does. */
unsigned int offload_card_facts(struct offload_card *card, const struct engine_port *port,
				struct engine_fact *ret);
/* Calls back for each port. */
void offload_card_each(struct offload_card *card, void (*fn)(void *arg, __u32 ifindex), void *arg);
