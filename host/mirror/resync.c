// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/resync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "host/errand.h"
#include "host/loop.h"
#include "host/mirror/netlink_attribute.h"
#include "host/mirror/netlink_socket.h"

#define WANTED_MAX 8192
#define RETRY      20 /* ms until a marker or request that found no room is tried again */

struct wanted {
	struct resync_dump dump;
	__u64 due; /* ms */
};

enum stage {
	STAGE_IDLE,
	STAGE_ASKING,  /* the request is on its way */
	STAGE_READING, /* the next part is read when the marker comes */
	STAGE_LAST,    /* the end has been read; over when the marker comes */
	STAGE_DISCARD, /* a marker could not be sent: the rest is too old to be believed */
};

/* What an errand does, or the loop itself. */
enum task {
	TASK_ASK,  /* a marker, then the request: the first part is made when it is sent */
	TASK_READ, /* a marker, then a part; the next one is made meanwhile */
	TASK_SKIP, /* a part of no use */
};

struct resync {
	struct loop *loop;
	struct loop_timer *timer;
	struct errands *errands;
	bool steady;
	struct netlink_socket *questions, *events, *neighbours;
	const struct resync_ops *ops;
	void *arg;
	struct wanted *wanted;
	__u32 count, size;
	/* the dump under way */
	enum stage stage;
	struct resync_dump dump;
	__u32 sequence, mark;
	bool interrupted;
	int error;
	__u64 began;
	struct resync_stats stats;
	struct errand errand;
	bool met; /* the marker, and notifications are not read until the errand is over */
	/* the thread's while the errand is under way */
	enum task task;
	int mark_error; /* the marker could not be sent, so nothing else was done */
	int result;     /* of TASK_ASK; length of a part */
	char buffer[NETLINK_READ] __attribute__((aligned(8)));
};

/* --- requests --- */

static struct nlmsghdr *message_of(struct resync *resync, __u16 type, size_t header, __u8 family)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(resync->buffer);
	struct rtgenmsg *generic;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	generic = mnl_nlmsg_put_extra_header(message, header);
	memset(generic, 0, header);
	generic->rtgen_family = family;
	return message;
}

static struct nlmsghdr *build(struct resync *resync)
{
	const struct resync_dump *dump = &resync->dump;
	struct nlmsghdr *message;

	switch ((enum resync_kind)dump->kind) {
	case RESYNC_LINKS:
		message = message_of(resync, RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC);
		mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
		return message;
	case RESYNC_ADDRESSES:
		return message_of(resync, RTM_GETADDR, sizeof(struct ifaddrmsg), AF_INET);
	case RESYNC_NETCONF:
		return message_of(resync, RTM_GETNETCONF, sizeof(struct netconfmsg), dump->family);
	case RESYNC_NEXTHOPS:
		return message_of(resync, RTM_GETNEXTHOP, sizeof(struct nhmsg), AF_UNSPEC);
	case RESYNC_RULES:
		return message_of(resync, RTM_GETRULE, sizeof(struct fib_rule_hdr), dump->family);
	case RESYNC_NEIGHBOURS:
		return message_of(resync, RTM_GETNEIGH, sizeof(struct ndmsg), AF_UNSPEC);
	case RESYNC_ROUTES:
		break;
	}
	message = message_of(resync, RTM_GETROUTE, sizeof(struct rtmsg), dump->family);
	mnl_attr_put_u32(message, RTA_TABLE, dump->table);
	if (dump->ifindex)
		mnl_attr_put_u32(message, RTA_OIF, dump->ifindex);
	return message;
}

/* --- the queue --- */

static bool same_dump(const struct resync_dump *a, const struct resync_dump *b)
{
	return a->kind == b->kind && a->family == b->family && a->table == b->table &&
	       a->ifindex == b->ifindex;
}

/* Whether `a` tells all that `b` would. */
static bool covers(const struct resync_dump *a, const struct resync_dump *b)
{
	return a->kind == b->kind && a->family == b->family && a->table == b->table &&
	       (!a->ifindex || a->ifindex == b->ifindex);
}

static void drop(struct resync *resync, __u32 i)
{
	resync->wanted[i] = resync->wanted[--resync->count];
}

/* The first of those that are due, by kind; NULL: none. *ret_next: when the next one is due. */
static struct wanted *choose(struct resync *resync, __u64 now, __u64 *ret_next)
{
	struct wanted *best = NULL;

	*ret_next = ~0ull;
	for (__u32 i = 0; i < resync->count; i++) {
		struct wanted *wanted = &resync->wanted[i];

		if (wanted->due > now) {
			if (wanted->due < *ret_next)
				*ret_next = wanted->due;
			continue;
		}
		if (best && best->dump.kind <= wanted->dump.kind)
			continue;
		best = wanted;
	}
	return best;
}

static int want_at(struct resync *resync, const struct resync_dump *dump, __u64 due)
{
	struct wanted *larger;

	for (__u32 i = resync->count; i--;) {
		struct wanted *wanted = &resync->wanted[i];

		if (covers(&wanted->dump, dump)) {
			if (due < wanted->due)
				wanted->due = due;
			return 0;
		}
		if (covers(dump, &wanted->dump)) {
			if (wanted->due < due)
				due = wanted->due;
			drop(resync, i);
		}
	}
	if (resync->count == WANTED_MAX) {
		struct resync_dump all = *dump;

		/* The whole table makes room: it stands for all of its devices. */
		all.ifindex = 0;
		return dump->ifindex ? want_at(resync, &all, due) : -ENOSPC;
	}
	if (resync->count == resync->size) {
		__u32 size = resync->size ? 2 * resync->size : 64;

		larger = realloc(resync->wanted, size * sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		resync->wanted = larger;
		resync->size = size;
	}
	resync->wanted[resync->count++] = (struct wanted){ .dump = *dump, .due = due };
	return 0;
}

/* --- the dump under way --- */

static void wait_until(struct resync *resync, __u64 when)
{
	__u64 now = loop_now();

	loop_timer_set(resync->timer, when > now ? (__u32)(when - now) : 0, 0);
}

/* The timer fires when the next one is due. */
static void arm(struct resync *resync)
{
	__u64 now = loop_now(), next;

	if (choose(resync, now, &next))
		wait_until(resync, now);
	else if (next != ~0ull)
		wait_until(resync, next);
}

/* Before the next part is made. */
static int send_mark(struct resync *resync)
{
	struct netlink_socket *queue =
		resync->dump.kind == RESYNC_NEIGHBOURS ? resync->neighbours : resync->events;

	return netlink_socket_mark(resync->questions, queue, resync->mark);
}

static void do_task(void *arg)
{
	struct resync *resync = arg;

	resync->mark_error = resync->task == TASK_SKIP ? 0 : send_mark(resync);
	if (resync->mark_error)
		return;
	/* What is left of a dump that failed in the middle belongs to another sequence number. */
	if (resync->task == TASK_ASK)
		resync->result = netlink_socket_send(resync->questions, build(resync), &resync->sequence);
	else
		resync->result =
			netlink_socket_receive(resync->questions, resync->buffer, sizeof(resync->buffer));
}

static void task_done(void *arg);

static void start(struct resync *resync, enum task task)
{
	resync->task = task;
	resync->mark += task != TASK_SKIP;
	if (resync->dump.kind == RESYNC_ROUTES && !resync->steady) {
		do_task(resync);
		task_done(resync);
		return;
	}
	errand_send(resync->errands, &resync->errand);
}

static void finish(struct resync *resync)
{
	struct resync_dump dump = resync->dump;
	bool complete = !resync->interrupted && !resync->error;
	__u64 now = loop_now(), took = now - resync->began;
	bool again;

	resync->stage = STAGE_IDLE;
	resync->stats.dumps++;
	resync->stats.interrupted += resync->interrupted;
	resync->stats.failed += resync->error < 0;
	resync->stats.last_ms[dump.kind] = (__u32)took;
	if (resync->error)
		resync->stats.last_error = resync->error;
	again = resync->ops->end(resync->arg, &dump, complete, resync->error);
	if (again) {
		dump.ifindex = 0;
		(void)want_at(resync, &dump, now + 2 * took + RETRY);
	}
	if (!resync->count)
		resync->ops->idle(resync->arg);
	arm(resync);
}

/* 1: it was the last message. */
static int take(struct resync *resync, const struct nlmsghdr *message)
{
	if (message->nlmsg_seq != resync->sequence)
		return 0;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		resync->interrupted = true;
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		resync->error = netlink_error_decode(message, NULL);
		return 1;
	}
	if (resync->stage != STAGE_READING)
		return 0;
	resync->stats.messages++;
	resync->ops->message(resync->arg, &resync->dump, message);
	return 0;
}

/* True: that was the end. */
static bool take_part(struct resync *resync)
{
	const struct nlmsghdr *message;
	struct netlink_messages walk;

	if (resync->result < 0) {
		/* A dump always has its next part ready: this is its end, if not the one it should have. */
		resync->error = resync->result == -EAGAIN ? -EPROTO : resync->result;
		return true;
	}
	walk = (struct netlink_messages){ resync->buffer, (size_t)resync->result };
	while ((message = netlink_messages_next(&walk)))
		if (take(resync, message))
			return true;
	return false;
}

static void skipped(struct resync *resync)
{
	if (!take_part(resync)) {
		wait_until(resync, loop_now());
		return;
	}
	resync->error = -ENOBUFS;
	finish(resync);
}

static void asked(struct resync *resync)
{
	if (resync->mark_error || resync->result) {
		resync->stage = STAGE_IDLE;
		if (!resync->mark_error) {
			resync->stats.last_error = resync->result;
			resync->stats.failed++;
		}
		(void)want_at(resync, &resync->dump, loop_now() + RETRY);
		arm(resync);
		return;
	}
	resync->stage = STAGE_READING;
	resync->interrupted = false;
	resync->error = 0;
	resync->began = loop_now();
	resync->ops->begin(resync->arg, &resync->dump);
}

static void reached(struct resync *resync)
{
	resync->ops->settled(resync->arg, &resync->dump);
	if (resync->stage == STAGE_LAST)
		finish(resync);
	else
		start(resync, TASK_READ);
}

static void part_read(struct resync *resync)
{
	if (resync->mark_error) {
		/* The next part is ready, but what comes before it in time would be applied after it. */
		resync->stage = STAGE_DISCARD;
		wait_until(resync, loop_now());
	} else if (take_part(resync)) {
		resync->stage = STAGE_LAST;
	}
}

/* What the marker stands for is there, or never will be. */
static void go_on_reading(struct resync *resync, const struct resync_dump *dump)
{
	if (resync->met && !resync->errand.under_way) {
		resync->met = false;
		resync->ops->pause(resync->arg, dump, false);
	}
}

static void task_done(void *arg)
{
	struct resync *resync = arg;
	struct resync_dump dump = resync->dump;

	switch (resync->task) {
	case TASK_ASK:
		asked(resync);
		if (resync->met && resync->stage == STAGE_READING)
			reached(resync);
		break;
	case TASK_READ:
		part_read(resync);
		break;
	case TASK_SKIP:
		skipped(resync);
		break;
	}
	go_on_reading(resync, &dump);
}

static void begin(struct resync *resync, const struct resync_dump *dump)
{
	resync->dump = *dump;
	resync->stage = STAGE_ASKING;
	start(resync, TASK_ASK);
}

static void timer_fired(void *arg)
{
	resync_go(arg);
}

int resync_new(struct loop *loop, struct errands *errands, struct netlink_socket *questions,
	       struct netlink_socket *events, struct netlink_socket *neighbours, const struct resync_ops *ops,
	       void *arg, struct resync **ret)
{
	struct resync *resync = calloc(1, sizeof(*resync));
	int r;

	if (!resync)
		return -ENOMEM;
	resync->loop = loop;
	resync->errands = errands;
	resync->errand = (struct errand){ .work = do_task, .done = task_done, .arg = resync };
	resync->questions = questions;
	resync->events = events;
	resync->neighbours = neighbours;
	resync->ops = ops;
	resync->arg = arg;
	r = loop_timer_new(loop, timer_fired, resync, &resync->timer);
	if (r) {
		free(resync);
		return r;
	}
	*ret = resync;
	return 0;
}

void resync_free(struct resync *resync)
{
	if (!resync)
		return;
	loop_timer_free(resync->timer);
	free(resync->wanted);
	free(resync);
}

int resync_want(struct resync *resync, const struct resync_dump *dump, __u32 delay)
{
	int r = want_at(resync, dump, loop_now() + delay);

	if (!r && resync->stage == STAGE_IDLE)
		arm(resync);
	return r;
}

bool resync_wants(const struct resync *resync, const struct resync_dump *dump)
{
	for (__u32 i = 0; i < resync->count; i++)
		if (covers(&resync->wanted[i].dump, dump))
			return true;
	return resync->stage != STAGE_IDLE && covers(&resync->dump, dump);
}

bool resync_busy(const struct resync *resync)
{
	return resync->stage != STAGE_IDLE || resync->count;
}

void resync_go(struct resync *resync)
{
	struct resync_dump dump;
	struct wanted *wanted;
	__u64 next;

	if (resync->stage == STAGE_DISCARD && !resync->errand.under_way)
		start(resync, TASK_SKIP);
	if (resync->stage != STAGE_IDLE)
		return;
	wanted = choose(resync, loop_now(), &next);
	if (!wanted) {
		arm(resync);
		return;
	}
	dump = wanted->dump;
	if (!resync->ops->may_begin(resync->arg, &dump)) {
		wait_until(resync, loop_now() + RETRY);
		return;
	}
	for (__u32 i = resync->count; i--;)
		if (same_dump(&resync->wanted[i].dump, &dump))
			drop(resync, i);
	begin(resync, &dump);
}

void resync_steady(struct resync *resync)
{
	resync->steady = true;
}

bool resync_mark(struct resync *resync, __u32 value)
{
	bool waits = resync->stage == STAGE_ASKING || resync->stage == STAGE_READING ||
		     resync->stage == STAGE_LAST;

	if (!waits || value != resync->mark)
		return false;
	if (resync->stage != STAGE_ASKING)
		reached(resync);
	if (resync->errand.under_way) {
		resync->met = true;
		resync->ops->pause(resync->arg, &resync->dump, true);
	}
	return true;
}

void resync_stats(const struct resync *resync, struct resync_stats *ret)
{
	*ret = resync->stats;
}
