// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The kernel's neighbours: their link addresses go to the fib, and those that matter are kept alive, because
 * the kernel sees none of the packets that penstock forwards and would let them age.
 *
 *   gateways       are made "managed" (Linux 5.16): the kernel resolves them and keeps them so by itself. It
 * forgets them when the link goes down, so they are asked for again. Kernels without that get a push
 *                  (NTF_USE: as if a packet had been sent) whenever the entry is stale, failed or missing.
 *   others         whose entry has become stale get a push, as traffic through the kernel would give them:
 * about one probe in half a minute each, and at most NEIGHBOURHOOD_PUSHES a second together.
 *
 * Entries of others (permanent, without ARP, externally learnt) are never touched. What was made here carries
 * NEIGHBOURHOOD_PROTOCOL, so that a daemon that follows one that crashed knows it, and is taken back at the
 * end.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/fib.h"
#include "host/mirror/links.h"
#include "host/mirror/neighbour_message.h"

struct errands;
struct neighbourhood;
struct netlink_socket;

#define NEIGHBOURHOOD_PROTOCOL 112 /* as in `ip neighbour`: proto 112 */
#define NEIGHBOURHOOD_PUSHES   100

/* `requests` is borrowed: requests go out there by errands, which are freed first; answers to them are not
 * waited for. managed: the kernel can. */
int neighbourhood_new(struct fib *fib, const struct links *links, struct netlink_socket *requests,
		      bool managed, struct errands *errands, struct neighbourhood **ret);
/* NULL is fine. */
void neighbourhood_free(struct neighbourhood *neighbourhood);
/* Takes back in the kernel what was made here: what did not exist before is removed, the rest is let go. */
void neighbourhood_undo(struct neighbourhood *neighbourhood);

/* Follows a message. -ENOMEM: the neighbour is unknown, its packets go to the kernel. */
int neighbourhood_apply(struct neighbourhood *neighbourhood, const struct neighbour_message *message);
void neighbourhood_sync_begin(struct neighbourhood *neighbourhood);
void neighbourhood_sync_end(struct neighbourhood *neighbourhood);
void neighbourhood_link_removed(struct neighbourhood *neighbourhood, __u32 ifindex);

/* Sends what is due: to be called every second, and when gateways or links have changed. now: ms. True: there
 * is more than should be sent at once; call again in some ms. */
bool neighbourhood_tend(struct neighbourhood *neighbourhood, __u64 now);

struct neighbourhood_stats {
	__u32 known, usable, gateways, kept; /* kept: made or managed by us */
	__u64 pushes, failures;              /* failures: requests that could not be sent */
};
void neighbourhood_stats(const struct neighbourhood *neighbourhood, struct neighbourhood_stats *ret);
