// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/mirror_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "host/errand.h"
#include "host/log.h"
#include "host/lookout.h"
#include "host/loop.h"

#define TICK       1000 /* ms */
#define SLICE      4000 /* us of notifications before the loop gets its turn */
#define WORK       400  /* routes in a slice of work */
#define QUIET      200  /* ms without losses before the dumps that make up for them */
#define PATIENCE   3000 /* ms that losses may put off the dumps */
#define PROBE_BIT  0x80000000u
#define NEIGHBOURS 100 /* ms until the dump that follows a loss of theirs */
#define TEND       10  /* ms between packs of requests about neighbours */
#define DOUBT      100 /* ms until the dump that clears a doubt */

static __u64 now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000000 + (__u64)now.tv_nsec / 1000;
}

/* --- what is wanted --- */

void mirror_want(struct mirror *mirror, enum resync_kind kind, __u8 family, __u32 delay)
{
	struct resync_dump dump = { .kind = (__u8)kind, .family = family };

	/* Without room the tick sees that the statistics do not fit, the audit that routes do not. */
	(void)resync_want(mirror->resync, &dump, delay);
}

void mirror_want_routes(struct mirror *mirror, __u8 family, __u32 ifindex, __u32 delay)
{
	struct resync_dump dump = {
		.kind = RESYNC_ROUTES, .family = family, .table = RT_TABLE_LOCAL, .ifindex = ifindex
	};

	(void)resync_want(mirror->resync, &dump, delay);
	dump.table = RT_TABLE_MAIN;
	(void)resync_want(mirror->resync, &dump, delay);
	for (__u32 i = 0; i < mirror->vrfs; i++) {
		dump.table = mirror->vrf[i];
		(void)resync_want(mirror->resync, &dump, delay);
	}
}

static void want_table_if_doubtful(struct mirror *mirror, __u32 table, __u8 family)
{
	struct resync_dump dump = { .kind = RESYNC_ROUTES, .family = family, .table = table };
	struct resync_stats stats;

	if (!rib_dump_again(mirror->rib, table, family) || resync_wants(mirror->resync, &dump))
		return;
	resync_stats(mirror->resync, &stats);
	(void)resync_want(mirror->resync, &dump, DOUBT + 4 * stats.last_ms[RESYNC_ROUTES]);
}

/* A notification that did not fit what we had of a prefix: it punts until a dump has told. */
static void want_doubtful(struct mirror *mirror)
{
	for (__u8 family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0) {
		want_table_if_doubtful(mirror, RT_TABLE_LOCAL, family);
		want_table_if_doubtful(mirror, RT_TABLE_MAIN, family);
		for (__u32 i = 0; i < mirror->vrfs; i++)
			want_table_if_doubtful(mirror, mirror->vrf[i], family);
	}
}

static void want_all(struct mirror *mirror, __u32 delay)
{
	mirror_want(mirror, RESYNC_LINKS, 0, delay);
	mirror_want(mirror, RESYNC_ADDRESSES, AF_INET, delay);
	mirror_want(mirror, RESYNC_NETCONF, AF_INET, delay);
	mirror_want(mirror, RESYNC_NETCONF, AF_INET6, delay);
	mirror_want(mirror, RESYNC_NEXTHOPS, 0, delay);
	mirror_want(mirror, RESYNC_RULES, AF_INET, delay);
	mirror_want(mirror, RESYNC_RULES, AF_INET6, delay);
	mirror_want(mirror, RESYNC_NEIGHBOURS, 0, delay);
	mirror_want_routes(mirror, AF_INET, 0, delay);
	mirror_want_routes(mirror, AF_INET6, 0, delay);
}

void mirror_note_resync(struct mirror *mirror, const char *cause)
{
	mirror->stats.resyncs++;
	mirror->stats.resync_cause = cause;
	if (!mirror->resync_began)
		mirror->resync_began = loop_now();
}

/* Dumps beside a flood only add to it: they wait until nothing has been lost for QUIET ms, but not for longer
 * than PATIENCE. */
static void recover(struct mirror *mirror)
{
	static struct log_limit limit;
	__u64 now = loop_now();

	mirror->overrun = false;
	mirror_note_resync(mirror, "notifications were lost");
	if (!mirror->first_loss)
		mirror->first_loss = now;
	if (now - mirror->first_loss < PATIENCE)
		loop_timer_set(mirror->losses, QUIET, 0);
	log_limited(
		&limit, LOG_LEVEL_WARNING,
		"the kernel dropped notifications (receive queue of %u bytes full); dumping everything again",
		mirror->stats.buffer);
}

static void losses_over(void *arg)
{
	struct mirror *mirror = arg;

	mirror->first_loss = 0;
	want_all(mirror, 0);
}

/* The first time: all is there, as soon as the sweeps are over. */
static void become_ready(struct mirror *mirror)
{
	if (mirror->ready || resync_busy(mirror->resync) || rib_busy(mirror->rib) || mirror->overrun ||
	    mirror->first_loss)
		return;
	mirror->links_dirty = mirror->rules_dirty = mirror->news = true;
	mirror_publish(mirror);
	mirror->ready = true;
	loop_timer_set(mirror->tend, 0, 0);
	resync_steady(mirror->resync);
	audit_steady(mirror->audit, true);
	mirror->options.ready(mirror->options.arg);
}

/* --- notifications --- */

static void probe_back(struct mirror *mirror, __u32 value)
{
	__u64 lag;

	if (value != mirror->probe_value)
		return;
	lag = now_us() - mirror->probe_sent;
	mirror->probe_value = 0;
	mirror->stats.lag_us = (__u32)lag;
	if (lag > mirror->stats.lag_max_us)
		mirror->stats.lag_max_us = (__u32)lag;
}

static void take(struct mirror *mirror, const struct nlmsghdr *message)
{
	int r;

	if (message->nlmsg_type == NETLINK_MARK) {
		if (message->nlmsg_seq & PROBE_BIT)
			probe_back(mirror, message->nlmsg_seq);
		else
			(void)resync_mark(mirror->resync, message->nlmsg_seq);
		return;
	}
	mirror->stats.events++;
	r = mirror_event(mirror, message);
	if (r == -EBADMSG)
		mirror->stats.malformed++;
	if (r == -ENOMEM) /* something was not kept */
		mirror->overrun = true;
}

/* A link that went is known before the routes that changed earlier: these may take long. */
static void take_ahead(struct mirror *mirror, const struct nlmsghdr *message)
{
	struct link_message link;

	if ((message->nlmsg_type == RTM_NEWLINK || message->nlmsg_type == RTM_DELLINK) &&
	    !link_message_decode(message, &link))
		mirror->links_dirty |= links_forewarn(mirror->links, &link);
}

/* Reads until the queue is empty (true), it is paused, or the time is over. *ret_lost: something was lost. */
static bool drain(struct mirror *mirror, struct netlink_socket *socket,
		  void (*each)(struct mirror *mirror, const struct nlmsghdr *message), const bool *paused,
		  bool *ret_lost)
{
	const struct nlmsghdr *message;
	struct netlink_messages walk;
	__u64 end = now_us() + SLICE;
	int length;

	for (unsigned n = 1; !*paused && (n % 32 || now_us() < end); n++) {
		length = netlink_socket_receive(socket, mirror->buffer, sizeof(mirror->buffer));
		if (length == -ENOBUFS || length == -EMSGSIZE) {
			*ret_lost = true;
			continue;
		}
		if (length < 0)
			return true;
		walk = (struct netlink_messages){ mirror->buffer, (size_t)length };
		while ((message = netlink_messages_next(&walk)))
			each(mirror, message);
	}
	return false;
}

static void read_events(void *arg, uint32_t events)
{
	struct mirror *mirror = arg;
	bool lost = false, empty = drain(mirror, mirror->events, take, &mirror->events_paused, &lost);

	mirror->stats.overruns += lost;
	mirror->overrun |= lost;
	if (mirror->overrun && empty)
		recover(mirror);
	if (rib_busy(mirror->rib))
		loop_timer_set(mirror->work, 0, 0);
	if (rib_doubtful(mirror->rib))
		want_doubtful(mirror);
	mirror_publish(mirror);
	become_ready(mirror);
}

static void read_neighbours(void *arg, uint32_t events)
{
	struct mirror *mirror = arg;
	bool lost = false;

	(void)drain(mirror, mirror->neighbours, take, &mirror->neighbours_paused, &lost);
	mirror->stats.neighbour_overruns += lost;
	if (lost)
		mirror_want(mirror, RESYNC_NEIGHBOURS, 0, NEIGHBOURS);
	become_ready(mirror);
}

static void read_ahead(void *arg, uint32_t events)
{
	struct mirror *mirror = arg;
	bool lost = false, never = false;

	(void)drain(mirror, mirror->ahead, take_ahead, &never, &lost);
	if (lost) {
		links_forewarn_forget(mirror->links);
		mirror->links_dirty = true;
	}
	mirror_publish(mirror);
}

void mirror_pause(struct mirror *mirror, enum resync_kind kind, bool pause)
{
	bool neighbours = kind == RESYNC_NEIGHBOURS;

	*(neighbours ? &mirror->neighbours_paused : &mirror->events_paused) = pause;
	loop_fd_pause(mirror->options.loop,
		      netlink_socket_fd(neighbours ? mirror->neighbours : mirror->events), pause);
}

/* --- timers --- */

static void work(void *arg)
{
	struct mirror *mirror = arg;

	if (rib_work(mirror->rib, WORK))
		loop_timer_set(mirror->work, 0, 0);
	else
		resync_go(mirror->resync);
	become_ready(mirror);
}

static void send_probe(void *arg)
{
	struct mirror *mirror = arg;
	static __u32 value;

	if (mirror->probe_value)
		return;
	value = (value + 1) | PROBE_BIT;
	mirror->probe_sent = now_us();
	/* No room: notifications are being lost, or about to be. */
	if (!netlink_socket_mark(mirror->questions, mirror->events, value))
		mirror->probe_value = value;
}

static void tend(void *arg)
{
	struct mirror *mirror = arg;

	if (neighbourhood_tend(mirror->neighbourhood, loop_now()))
		loop_timer_set(mirror->tend, TEND, 0);
}

static void suspects_due(void *arg)
{
	struct mirror *mirror = arg;

	if (!pathsets_suspected(mirror->pathsets))
		return;
	mirror_note_resync(mirror, "an address went");
	mirror_want_routes(mirror, AF_INET, 0, 0);
}

/* The kernel's refusals of what neighbours were asked for: they are asked for again if need be. */
static void drain_answers(struct mirror *mirror)
{
	while (netlink_socket_receive(mirror->requests, mirror->buffer, sizeof(mirror->buffer)) >= 0)
		;
}

static void tick(void *arg)
{
	struct mirror *mirror = arg;

	drain_answers(mirror);
	mirror_poll_links(mirror);
	if (fib_room(mirror->options.fib)) {
		pathsets_retry(mirror->pathsets);
		loop_timer_set(mirror->work, 0, 0);
	}
	mirror_publish(mirror);
	if (mirror->ready)
		loop_timer_set(mirror->tend, 0, 0);
}

static void netfilter_changed(void *arg)
{
	struct mirror *mirror = arg;

	mirror->links_dirty = mirror->news = true;
	mirror_publish(mirror);
}

/* Nothing waits in the queue: the image has what the kernel has. */
static __u64 audit_settled(void *arg)
{
	const struct mirror *mirror = arg;
	struct pollfd queue = { .fd = netlink_socket_fd(mirror->events), .events = POLLIN };

	if (mirror->resync_began || mirror->overrun || rib_busy(mirror->rib) || poll(&queue, 1, 0) != 0)
		return 0;
	return mirror->stats.events + 1;
}

static void audit_differs(void *arg, const struct audit_difference *difference)
{
	struct resync_dump dump = { .kind = RESYNC_ROUTES,
				    .family = difference->image.family,
				    .table = difference->table };
	static struct log_limit limit;
	struct mirror *mirror = arg;

	log_limited(&limit, LOG_LEVEL_ERROR, "audit: %s; mending that and dumping the table again",
		    difference->text);
	mirror_note_resync(mirror, "the audit found a difference");
	rib_refresh(mirror->rib, difference->table, &difference->image);
	rib_refresh(mirror->rib, difference->table, &difference->kernel);
	mirror_want(mirror, RESYNC_LINKS, 0, 0);
	mirror_want(mirror, RESYNC_NEXTHOPS, 0, 0);
	(void)resync_want(mirror->resync, &dump, 0);
}

static void object_changed(void *arg, __u32 id, bool gone)
{
	struct mirror *mirror = arg;

	if (gone)
		pathsets_doom_nexthop(mirror->pathsets, id);
	else
		pathsets_nexthop_changed(mirror->pathsets, id);
}

/* --- life --- */

/* NTF_EXT_MANAGED came with 5.16; older kernels take the request for another. */
static bool kernel_manages_neighbours(void)
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 5 || (major == 5 && minor >= 16);
}

static const unsigned groups[] = {
	RTNLGRP_LINK,      RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV4_ROUTE,   RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
	RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF, RTNLGRP_NEXTHOP,
};

static int open_sockets(struct mirror *mirror)
{
	int buffer = mirror->options.buffer ? mirror->options.buffer : MIRROR_BUFFER;
	int r;

	r = netlink_socket_new(NETLINK_ROUTE, &mirror->events);
	if (!r)
		r = netlink_socket_new(NETLINK_ROUTE, &mirror->questions);
	if (!r)
		r = netlink_socket_new(NETLINK_ROUTE, &mirror->requests);
	if (!r)
		r = netlink_socket_new(NETLINK_ROUTE, &mirror->neighbours);
	if (!r)
		r = netlink_socket_new(NETLINK_ROUTE, &mirror->ahead);
	if (!r)
		r = netlink_socket_buffer(mirror->neighbours, buffer / 8);
	if (r >= 0)
		r = netlink_socket_buffer(mirror->ahead, buffer / 8);
	if (r >= 0)
		r = netlink_socket_buffer(mirror->events, buffer);
	if (r < 0)
		return r;
	mirror->stats.buffer = (__u32)r;
	r = netlink_socket_join(mirror->neighbours, RTNLGRP_NEIGH);
	if (!r)
		r = netlink_socket_join(mirror->ahead, RTNLGRP_LINK);
	for (size_t i = 0; !r && i < sizeof(groups) / sizeof(groups[0]); i++)
		r = netlink_socket_join(mirror->events, groups[i]);
	/* The mirror cannot do without markers: better to know now. */
	if (!r)
		r = netlink_socket_mark(mirror->questions, mirror->events, 0);
	return r;
}

static int make_timers(struct mirror *mirror)
{
	struct loop *loop = mirror->options.loop;
	int r;

	r = loop_timer_new(loop, tick, mirror, &mirror->tick);
	if (!r)
		r = loop_timer_new(loop, work, mirror, &mirror->work);
	if (!r)
		r = loop_timer_new(loop, send_probe, mirror, &mirror->probe);
	if (!r)
		r = loop_timer_new(loop, tend, mirror, &mirror->tend);
	if (!r)
		r = loop_timer_new(loop, suspects_due, mirror, &mirror->suspects);
	if (!r)
		r = loop_timer_new(loop, losses_over, mirror, &mirror->losses);
	return r;
}

static int make_parts(struct mirror *mirror)
{
	struct fib *fib = mirror->options.fib;
	int r;

	r = errands_new(mirror->options.loop, &mirror->errands);
	if (!r)
		r = links_new(&mirror->links);
	if (!r)
		r = objects_new(object_changed, mirror, &mirror->objects);
	if (!r)
		r = pathsets_new(fib, mirror->links, &mirror->pathsets);
	if (!r)
		r = rib_new(fib, mirror->pathsets, mirror->options.routes, &mirror->rib);
	if (!r)
		r = rules_new(&mirror->rules);
	if (!r)
		r = neighbourhood_new(fib, mirror->links, mirror->requests, kernel_manages_neighbours(),
				      mirror->errands, &mirror->neighbourhood);
	if (!r)
		r = resync_new(mirror->options.loop, mirror->errands, mirror->questions, mirror->events,
			       mirror->neighbours, &mirror_dumps, mirror, &mirror->resync);
	if (!r)
		r = audit_new(mirror->options.loop, mirror->errands, fib, mirror->rib, mirror->links,
			      mirror->objects, audit_differs, audit_settled, mirror, &mirror->audit);
	if (!r)
		r = rib_table_open(mirror->rib, RT_TABLE_LOCAL);
	if (!r)
		r = rib_table_open(mirror->rib, RT_TABLE_MAIN);
	if (r)
		return r;
	pathsets_objects(mirror->pathsets, mirror->objects);
	return 0;
}

static int watch(struct mirror *mirror, const struct netlink_socket *socket, loop_fd_fn *fn)
{
	return loop_fd_add(mirror->options.loop, netlink_socket_fd(socket), EPOLLIN, fn, mirror);
}

static void unwatch(struct mirror *mirror, const struct netlink_socket *socket)
{
	if (socket)
		loop_fd_remove(mirror->options.loop, netlink_socket_fd(socket));
}

static int begin(struct mirror *mirror, struct why *why)
{
	int r = open_sockets(mirror);

	if (r == -EPERM)
		return why_set(why, EPERM,
			       "the kernel's tables cannot be followed without CAP_NET_ADMIN; run as root");
	if (r < 0)
		return why_set(why, -r, "cannot listen to the kernel's tables (rtnetlink): %s", strerror(-r));
	r = make_parts(mirror);
	if (!r)
		r = make_timers(mirror);
	if (!r)
		r = watch(mirror, mirror->events, read_events);
	if (!r)
		r = watch(mirror, mirror->neighbours, read_neighbours);
	if (!r)
		r = watch(mirror, mirror->ahead, read_ahead);
	if (!r)
		r = lookout_new(netlink_socket_fd(mirror->ahead), &mirror->lookout);
	if (r)
		return why_set(why, -r, "cannot start to follow the kernel's tables: %s", strerror(-r));
	r = netfilter_new(mirror->options.loop, netfilter_changed, mirror, &mirror->netfilter);
	if (r)
		return why_set(why, -r, "cannot look at netfilter: %s", strerror(-r));
	return 0;
}

int mirror_new(const struct mirror_options *options, struct mirror **ret, struct why *why)
{
	struct mirror *mirror = calloc(1, sizeof(*mirror));
	int r;

	if (!mirror)
		return why_set(why, ENOMEM, "out of memory");
	mirror->options = *options;
	r = begin(mirror, why);
	if (r) {
		mirror_free(mirror);
		return r;
	}
	mirror_poll_links(mirror);
	want_all(mirror, 0);
	loop_timer_set(mirror->tick, TICK, TICK);
	loop_timer_set(mirror->probe, MIRROR_PROBE, MIRROR_PROBE);
	*ret = mirror;
	return 0;
}

void mirror_free(struct mirror *mirror)
{
	if (!mirror)
		return;
	errands_free(mirror->errands);
	lookout_free(mirror->lookout);
	unwatch(mirror, mirror->events);
	unwatch(mirror, mirror->neighbours);
	unwatch(mirror, mirror->ahead);
	loop_timer_free(mirror->tick);
	loop_timer_free(mirror->work);
	loop_timer_free(mirror->probe);
	loop_timer_free(mirror->tend);
	loop_timer_free(mirror->suspects);
	loop_timer_free(mirror->losses);
	netfilter_free(mirror->netfilter);
	audit_free(mirror->audit);
	resync_free(mirror->resync);
	if (mirror->neighbourhood)
		neighbourhood_undo(mirror->neighbourhood);
	neighbourhood_free(mirror->neighbourhood);
	rules_free(mirror->rules);
	rib_free(mirror->rib);
	pathsets_free(mirror->pathsets);
	objects_free(mirror->objects);
	links_free(mirror->links);
	netlink_socket_free(mirror->events);
	netlink_socket_free(mirror->neighbours);
	netlink_socket_free(mirror->ahead);
	netlink_socket_free(mirror->questions);
	netlink_socket_free(mirror->requests);
	free(mirror);
}

void mirror_bypass_netfilter(struct mirror *mirror, bool bypass)
{
	mirror->options.bypass_netfilter = bypass;
	netfilter_changed(mirror);
}

bool mirror_ready(const struct mirror *mirror)
{
	return mirror->ready;
}

void mirror_resync(struct mirror *mirror, const char *cause)
{
	mirror_note_resync(mirror, cause);
	want_all(mirror, 0);
}

const struct links *mirror_links(const struct mirror *mirror)
{
	return mirror->links;
}

const struct rules *mirror_rules(const struct mirror *mirror)
{
	return mirror->rules;
}

const struct rib *mirror_rib(const struct mirror *mirror)
{
	return mirror->rib;
}

const struct netfilter_state *mirror_netfilter(const struct mirror *mirror)
{
	return netfilter_state(mirror->netfilter);
}

struct audit *mirror_audit(const struct mirror *mirror)
{
	return mirror->audit;
}

void mirror_stats(const struct mirror *mirror, struct mirror_stats *ret)
{
	__u64 waiting = mirror->probe_value ? now_us() - mirror->probe_sent : 0;

	*ret = mirror->stats;
	if (waiting > ret->lag_us)
		ret->lag_us = (__u32)waiting;
	if (ret->lag_us > ret->lag_max_us)
		ret->lag_max_us = ret->lag_us;
	ret->resyncing = mirror->resync_began || mirror->overrun || mirror->first_loss;
	ret->moves = lookout_moves(mirror->lookout);
	ret->links = links_count(mirror->links);
	ret->objects = objects_count(mirror->objects, &ret->groups);
	ret->pathsets = pathsets_count(mirror->pathsets);
	ret->punting_rules = rules_count(mirror->rules, &ret->rules);
	rib_stats(mirror->rib, &ret->rib);
	resync_stats(mirror->resync, &ret->dumps);
	neighbourhood_stats(mirror->neighbourhood, &ret->neighbours);
}
