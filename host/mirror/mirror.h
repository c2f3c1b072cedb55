// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Follows the kernel: links, routes, next-hop objects, neighbours, policy rules, netfilter; and keeps the fib
 * equal to what they make of a forwarded packet. It runs in the event loop and adds nothing to the kernel but
 * the keeping of neighbours.
 *
 * Notifications come on one socket, those about neighbours on another (whoever sends packets to addresses
 * that nobody has makes many of these), dumps on a third (resync.h). Those about links come on one of their
 * own, too, that is read at once: nothing is sent to a link that went, however many routes changed before,
 * and whichever CPU the kernel removes the link's routes on (lookout.h). What asks the kernel, dumps,
 * samples, neighbours to be kept, goes by errands (errand.h): the kernel answers most of it only under a lock
 * that it holds for a second where many routes go with a link. Lost notifications (a receive queue was full)
 * lead to dumps of everything, or of the neighbours; what the kernel does without a word to dumps of what it
 * concerns. Meanwhile what is known to be gone, punts.
 *
 * Lag. Netlink messages carry no time. So the mirror puts a marker into its own queue of notifications every
 * MIRROR_PROBE ms: what it waits there, a notification would have waited.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/fib.h"
#include "host/mirror/links.h"
#include "host/mirror/netfilter.h"
#include "host/mirror/neighbourhood.h"
#include "host/mirror/resync.h"
#include "host/mirror/rib.h"
#include "host/mirror/rules.h"
#include "host/why.h"

struct audit;
struct loop;
struct mirror;

#define MIRROR_PROBE  100         /* ms */
#define MIRROR_BUFFER (128 << 20) /* bytes of notifications that may wait; of neighbours an eighth of it */

struct mirror_options {
	struct loop *loop;
	struct fib *fib;
	bool bypass_netfilter; /* forward in spite of netfilter rules; IPsec policies are respected in any
				  case */
	int buffer;            /* bytes, 0: MIRROR_BUFFER */
	__u32 routes;          /* limit per family, 0: RIB's */
	/* Once: all that the kernel had at the start is in the fib. */
	void (*ready)(void *arg);
	/*
	 * Links came, went or changed, or what keeps packets in the kernel (rules, netfilter) is another. Not
	 * if they only went up or down, or got or lost the carrier: whoever then asked the kernel about
	 * devices would wait for its lock, which it holds for a second where many routes go with a link, and
	 * hear of the next link that goes only then.
	 */
	void (*changed)(void *arg);
	void *arg;
};

/* Begins; loop and fib are borrowed. The fib should be held until ready(). */
int mirror_new(const struct mirror_options *options, struct mirror **ret, struct why *why);
/* Takes back what was done to neighbours. The fib stays as it is. NULL is fine. */
void mirror_free(struct mirror *mirror);
void mirror_bypass_netfilter(struct mirror *mirror, bool bypass);
bool mirror_ready(const struct mirror *mirror);
/* Dumps everything again. cause: for the statistics, of static duration. */
void mirror_resync(struct mirror *mirror, const char *cause);

/* --- what it knows --- */

const struct links *mirror_links(const struct mirror *mirror);
const struct rules *mirror_rules(const struct mirror *mirror);
const struct rib *mirror_rib(const struct mirror *mirror);
const struct netfilter_state *mirror_netfilter(const struct mirror *mirror);
/* Why all packets that come in here stay in the kernel, and a line about it; FORWARDED: they do not. */
enum reason mirror_punt(const struct mirror *mirror, const struct link *link, struct why *why);

/* Kernel against image (audit.h). It looks at a few samples all the time once the mirror is ready. */
struct audit *mirror_audit(const struct mirror *mirror);

struct mirror_stats {
	__u64 events;   /* notifications */
	__u64 overruns; /* times that notifications were lost */
	__u64 neighbour_overruns;
	__u64 malformed;
	__u64 silent;             /* sets of routes that the kernel removed without a word */
	__u64 resyncs;            /* times that dumps became necessary after the start */
	const char *resync_cause; /* the last one; NULL: none */
	__u32 resync_ms;          /* from its cause to the end of its last dump */
	bool resyncing;
	__u32 buffer; /* bytes of the receive queue */
	__u32 lag_us; /* of the last probe, or how long one is waiting now if that is longer */
	__u32 lag_max_us;
	__u64 moves; /* away from a CPU that the kernel held while a link's news waited (lookout.h) */
	__u32 links, objects, groups, pathsets;
	struct rib_stats rib;
	struct resync_stats dumps;
	struct neighbourhood_stats neighbours;
	__u32 rules, punting_rules;
};
void mirror_stats(const struct mirror *mirror, struct mirror_stats *ret);
