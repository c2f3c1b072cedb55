// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the parts of the mirror share: mirror.c (life, timers, queues), mirror_event.c (what messages change),
 * mirror_dump.c (what dumps are made of).
 */
#pragma once

#include "host/mirror/audit.h"
#include "host/mirror/mirror.h"
#include "host/mirror/netlink_socket.h"
#include "host/mirror/objects.h"
#include "host/mirror/pathset.h"

struct errands;
struct lookout;
struct loop_timer;

struct mirror {
	struct mirror_options options;
	struct netlink_socket *events, *neighbours, *ahead, *questions, *requests;
	struct errands *errands; /* what waits for the kernel's lock */
	struct lookout *lookout; /* over `ahead` */
	struct links *links;
	struct objects *objects;
	struct pathsets *pathsets;
	struct rib *rib;
	struct rules *rules;
	struct neighbourhood *neighbourhood;
	struct netfilter *netfilter;
	struct resync *resync;
	struct audit *audit;
	struct loop_timer *tick, *work, *probe, *suspects, *losses, *tend;
	bool ready;
	bool links_dirty; /* publish before the next wait */
	bool news;        /* tell, too: see mirror_options.changed */
	bool rules_dirty;
	bool events_paused, neighbours_paused; /* not read now: see resync_ops.pause() */
	bool overrun;          /* lost notifications; dumps are wanted when the queue is empty */
	__u32 polled;          /* number of links looked at before the next one */
	__u32 vrf[RIB_TABLES]; /* tables of VRFs, open in the RIB */
	__u32 vrfs;
	/* the probe */
	__u32 probe_value; /* 0: none is under way */
	__u64 probe_sent;  /* us */
	/* the resync under way */
	__u64 resync_began; /* ms, 0: none */
	__u64 first_loss;   /* ms, of those that the dumps to come make up for; 0: none */
	struct mirror_stats stats;
	/* too large for the stack */
	struct route_message route;
	struct nexthop_message nexthop;
	char buffer[NETLINK_READ] __attribute__((aligned(8)));
};

/* A message about anything but a route of a dump. Returns the decoder's or the part's error. */
int mirror_event(struct mirror *mirror, const struct nlmsghdr *message);
/* Looks at the settings of some links that the kernel changes without a word; in turn, a few at a call. */
void mirror_poll_links(struct mirror *mirror);
/* A link was not in a dump of all. */
void mirror_lost_link(struct mirror *mirror, __u32 ifindex);
/* Tells the fib what the messages changed. */
void mirror_publish(struct mirror *mirror);
/* Wants a dump of routes of all open tables. */
void mirror_want_routes(struct mirror *mirror, __u8 family, __u32 ifindex, __u32 delay);
void mirror_want(struct mirror *mirror, enum resync_kind kind, __u8 family, __u32 delay);
/* Notifications among which markers of such a dump are met are not read, or are again. */
void mirror_pause(struct mirror *mirror, enum resync_kind kind, bool pause);
/* Something made dumps necessary. */
void mirror_note_resync(struct mirror *mirror, const char *cause);

/* What resync does with the parts of dumps. */
extern const struct resync_ops mirror_dumps;
