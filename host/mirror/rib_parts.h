// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the parts of the RIB share: rib.c (tables, the walk), rib_edit.c (one prefix), rib_event.c (what
 * notifications mean), rib_dump.c (dumps and doubts).
 */
#pragma once

#include "host/mirror/rib.h"
#include "host/mirror/route_store.h"

#define NO_TABLE 0xffff

struct rib_table {
	__u32 id;
	bool open, closing;
	__u16 generation[2];
	__u32 unsure[2];
	__u8 inexact[2]; /* dumps in a row during which routes were deleted */
	bool again[2];   /* something does not fit: another dump is wanted */
};

/* A prefix by its parts. f: 0 = IPv4, 1 = IPv6. */
struct rib_place {
	__u8 f, length;
	__u16 table;
	__u8 key[16];
};

struct rib_doubt {
	struct rib_place place;
	__u16 generation; /* of the dump during which it arose */
};

struct rib_override {
	struct rib_place place;
	enum reason reason;
};

struct rib_route {
	__u32 pathset, metric;
	__u8 tos, protocol;
	bool twice;
};

/* Of a dump under way: the routes of the prefix being told, and what queued notifications may touch. */
struct rib_dump {
	bool active;
	__u16 table;
	__u32 id;        /* of the table: its slot may get another one meanwhile */
	__u32 ifindex;   /* only what uses this device is told; 0: all */
	__u64 deletions; /* notifications of deletions since it began */
	bool any, touched;
	struct rib_place place; /* of the pending routes */
	struct rib_route *route;
	__u32 count, size;
	__u32 *fresh;
	__u32 fresh_count, fresh_size;
};

struct rib_sweep {
	bool active;
	__u16 table, generation;
	__u32 ifindex;
	bool exact;
};

/* A walk over all routes; it is repeated until nothing new came up while it was under way. */
struct rib_walk {
	bool active;
	__u8 f;
	__u32 cursor;
	__u64 epoch; /* of the path sets */
	__u64 asked; /* rib.asked */
};

struct rib {
	struct fib *fib;
	struct pathsets *pathsets;
	struct route_store *store[2];
	struct rib_table table[RIB_TABLES];
	__u16 tables;
	__u16 last; /* table found last */
	struct rib_dump dump[2];
	struct rib_sweep sweep[2];
	struct rib_walk walk;
	__u64 asked;
	struct rib_doubt doubt[RIB_DOUBTS];
	__u32 doubts;
	struct rib_override *override;
	__u32 overrides;
	/* the edit under way */
	struct rib_place place;
	__u32 head, before;
	bool force;
	bool twice; /* it took or changed a route of which there may be two */
	__u32 *list;
	__u32 count, size;
	struct rib_stats stats;
};

/* --- rib_edit.c: the routes of one prefix, as an array --- */

struct rib_place rib_place(__u8 family, __u16 table, const __u8 *key, __u8 length);
bool rib_same_place(const struct rib_place *a, const struct rib_place *b);
/* Makes room in an array for one more element. -ENOMEM. */
int rib_reserve(void **array, __u32 count, __u32 *size, size_t element);

/* Fetches the routes of a prefix, less those whose sets are doomed. -ENOMEM: nothing may follow. */
int edit_open(struct rib *rib, const struct rib_place *place);
/* Puts them back and tells the fib, if the best is another one than before or rib->force. */
void edit_close(struct rib *rib);
struct stored_route *edit_at(const struct rib *rib, __u32 position);
/* Takes the route at a position out. */
void edit_drop(struct rib *rib, __u32 position);
/* The others take over the reference that the new route has on its set, also on failure. */
int edit_insert(struct rib *rib, __u32 position, const struct rib_route *new, __u8 flags);
void edit_rewrite(struct rib *rib, __u32 position, const struct rib_route *new);
/* The same without the certainty that what is there now is right. */
void edit_reduce(struct rib *rib, __u32 position, const struct rib_route *rest);
void edit_confirm(struct rib *rib, __u32 position, const struct rib_route *same);
void edit_move(struct rib *rib, __u32 from, __u32 to);
/* The routes with the same key are [*ret_low, *ret_high). */
void edit_range(const struct rib *rib, bool source, __u8 tos, __u32 metric, __u32 *ret_low, __u32 *ret_high);
/* Position of the same route in [low, high); high: none. */
__u32 edit_find(const struct rib *rib, __u32 low, __u32 high, const struct rib_route *route);
/* Tells the fib again, whatever changed. */
void rib_republish(struct rib *rib, const struct rib_place *place);
void rib_publish(struct rib *rib, const struct rib_place *place, __u32 leaf);
/* There is no room for a route of this prefix: it punts. Returns the error. */
int rib_refuse(struct rib *rib, const struct rib_place *place, int error);

/* --- rib_event.c: on the open edit --- */

int event_add(struct rib *rib, const struct route_message *message);
/* nlflags: those of the notification, 0: of a dump. */
int event_add_ipv6(struct rib *rib, const struct rib_route *new, __u16 nlflags);
/* -ENOENT: there is no route of this key. -ESTALE: there are, but not this one. */
int event_remove(struct rib *rib, const struct route_message *message);

/* --- rib_dump.c --- */

void rib_doubt(struct rib *rib, const struct rib_place *place);
/* Whether the sweep after a dump concerns a route, and what it does with it (on the open edit). */
bool sweep_concerns(const struct rib *rib, __u8 f, const struct stored_route *route);
void sweep_judge(struct rib *rib, __u32 position);

/* --- rib.c --- */

__u16 rib_find_table(const struct rib *rib, __u32 id);
