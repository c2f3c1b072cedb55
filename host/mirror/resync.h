// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Dumps: which are wanted, when, and how they are read beside the stream of notifications.
 *
 * The kernel makes the next part of a dump while the one before is handed out, so a part shows the tables as
 * they were at a known time: between the read before and this one. A marker (netlink_socket_mark()) that is
 * put into the queue of notifications before each read tells notifications that are older than the next part
 * from those that came after. The reader of notifications calls resync_mark() when it meets one; there the
 * next part is read and handed on. So:
 *
 *   - a part is applied when all notifications that are surely older have been, and none that is surely
 * newer;
 *   - only those between a marker and the making of the part (some 0.1 ms) are of unknown order:
 * ops->settled() is called when these have been applied, too;
 *   - notifications never wait for longer than one part takes, and a dump cannot outrun them.
 *
 * What a dump costs is not the loop's: an errand requests and reads it. The kernel makes the parts of most
 * only under its lock, which it may hold for a second; and it looks at all routes there are for those of one
 * device or of a small table, which takes it 0.1 s. If a marker is met before what it stands for is there, no
 * more notifications are read until it is; those about links that went have a queue of their own. Until
 * resync_steady() the loop reads the routes itself: that is faster, and nobody forwards by them yet.
 *
 * Requests for the same dump are merged. A dump that had to be repeated waits for twice the time that it
 * took.
 */
#pragma once

#include <stdbool.h>
#include <linux/netlink.h>
#include <linux/types.h>

struct errands;
struct loop;
struct netlink_socket;
struct resync;

/* In the order in which they are done: what comes later refers to what comes before. */
enum resync_kind {
	RESYNC_LINKS,
	RESYNC_ADDRESSES,
	RESYNC_NETCONF,
	RESYNC_NEXTHOPS,
	RESYNC_RULES,
	RESYNC_NEIGHBOURS,
	RESYNC_ROUTES,
};

struct resync_dump {
	__u8 kind;
	__u8 family;   /* NETCONF, RULES, ROUTES */
	__u32 table;   /* ROUTES */
	__u32 ifindex; /* ROUTES: what uses this device only; 0: all */
};

struct resync_ops {
	/* May the dump begin now? Asked again by resync_go(). */
	bool (*may_begin)(void *arg, const struct resync_dump *dump);
	void (*begin)(void *arg, const struct resync_dump *dump);
	void (*message)(void *arg, const struct resync_dump *dump, const struct nlmsghdr *message);
	void (*settled)(void *arg, const struct resync_dump *dump);
	/* True: no notifications are to be read from where this dump's markers come, from this moment on. */
	void (*pause)(void *arg, const struct resync_dump *dump, bool pause);
	/* complete: everything was told. Otherwise (interrupted, failed) it will be repeated. error: of the
	 * kernel's answer; 0 if there was an end. Returns true if another dump of the same is wanted. */
	bool (*end)(void *arg, const struct resync_dump *dump, bool complete, int error);
	/* Nothing is wanted any more. */
	void (*idle)(void *arg);
};

/* questions: for dumps only; events and neighbours: where notifications are read. All are borrowed; the
 * errands are freed first. */
int resync_new(struct loop *loop, struct errands *errands, struct netlink_socket *questions,
	       struct netlink_socket *events, struct netlink_socket *neighbours, const struct resync_ops *ops,
	       void *arg, struct resync **ret);
/* NULL is fine. */
void resync_free(struct resync *resync);

/* Wants a dump, not before `delay` ms; without room for a device, of all devices. -ENOSPC, -ENOMEM: no room
 * to note it; the statistics and the audit tell then what does not fit. */
int resync_want(struct resync *resync, const struct resync_dump *dump, __u32 delay);
/* Is this or the same without the device wanted or under way? */
bool resync_wants(const struct resync *resync, const struct resync_dump *dump);
bool resync_busy(const struct resync *resync);
/* Begins what is due and can begin. Call it when may_begin() may say something else. */
void resync_go(struct resync *resync);
/* From now on the loop is needed. */
void resync_steady(struct resync *resync);
/* A marker was met. Returns false if it is none of resync's. */
bool resync_mark(struct resync *resync, __u32 value);

struct resync_stats {
	__u64 dumps, messages;
	__u64 interrupted; /* dumps that the kernel said were inconsistent */
	__u64 failed;
	__u32 last_ms[RESYNC_ROUTES + 1]; /* duration of the last dump of each kind */
	int last_error;
};
void resync_stats(const struct resync *resync, struct resync_stats *ret);
