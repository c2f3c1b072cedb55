// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/audit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "host/errand.h"
#include "host/fib/view.h"
#include "host/loop.h"
#include "host/mirror/netlink_socket.h"
#include "host/mirror/route_message.h"

#define SLICE    100   /* samples between two turns of the loop */
#define PENDING  64    /* differences that wait to be confirmed */
#define CONFIRM  2     /* times that a difference must be seen again */
#define PATIENCE 25    /* times that it may wait for a quiet moment */
#define ANYWHERE 8     /* one sample in so many is any address */
#define SECOND   1000  /* ms */
#define ANSWERS  65536 /* bytes, of all questions of an errand */

struct sample {
	__u32 table, vrf; /* vrf: ifindex of the VRF's device, 0 = none */
	__u8 family;
	__u8 address[16];
};

struct pending {
	struct sample sample;
	__u64 due; /* ms */
	unsigned seen, waited;
	bool steady; /* found by the steady look */
};

struct question {
	struct sample sample;
	bool steady;
	bool again; /* about pending[number] */
	unsigned number;
	__u32 at, length; /* of the answer; 0: there is none */
};

enum outcome {
	AUDIT_SAMPLE,
	AUDIT_SAME,
	AUDIT_LEFT,
	AUDIT_SKIPPED,
	AUDIT_PASSED,
	AUDIT_DIFFERS,
};

struct audit {
	struct loop *loop;
	struct errands *errands;
	struct loop_timer *timer, *second;
	const struct fib *fib;
	const struct rib *rib;
	const struct links *links;
	const struct objects *objects;
	audit_differs_fn *differs;
	audit_settled_fn *settled;
	void *arg;
	struct netlink_socket *socket;
	__u64 random;
	__u32 left; /* samples of the run to come */
	bool steady_due;
	struct errand errand;
	__u64 settled_as; /* when the questions were made */
	/* the thread's while the errand is under way */
	struct question question[SLICE + AUDIT_STEADY + PENDING];
	unsigned questions;
	char answers[ANSWERS] __attribute__((aligned(8)));
	struct pending pending[PENDING];
	unsigned pendings;
	struct audit_result result;
	unsigned shown;
	/* the last comparison */
	struct view_answer answer;
	struct view_leaf leaf;
	struct route_message route;
	bool has_route;
	char buffer[NETLINK_READ] __attribute__((aligned(8)));
};

static __u32 draw(struct audit *audit)
{
	audit->random ^= audit->random << 13;
	audit->random ^= audit->random >> 7;
	audit->random ^= audit->random << 17;
	return (__u32)(audit->random >> 16);
}

/* --- samples --- */

struct vrf_search {
	__u32 table, ifindex;
};

static bool is_vrf(void *arg, const struct link *link)
{
	struct vrf_search *search = arg;

	if (link->vrf_table == search->table)
		search->ifindex = link->ifindex;
	return !search->ifindex;
}

/* Destinations that the kernel answers before it looks at routes. */
static bool is_special(__u8 family, const __u8 *address)
{
	if (family == AF_INET)
		return address[0] == 0 || address[0] == 127 || address[0] >= 224;
	return address[0] == 0 || address[0] == 0xff || (address[0] == 0xfe && (address[1] & 0xc0) == 0x80);
}

static void randomise(struct audit *audit, struct sample *sample, unsigned length)
{
	unsigned width = sample->family == AF_INET ? 32 : 128;

	for (unsigned bit = length; bit < width; bit++)
		if (draw(audit) & 1)
			sample->address[bit / 8] ^= (__u8)(0x80 >> bit % 8);
}

/* False: there is nothing to ask. */
static bool draw_sample(struct audit *audit, __u8 family, struct sample *ret)
{
	struct vrf_search search = { 0 };
	struct rib_view view;

	*ret = (struct sample){ .family = family, .table = RT_TABLE_MAIN };
	if (draw(audit) % ANYWHERE == 0) {
		randomise(audit, ret, 0);
		return true;
	}
	if (rib_sample(audit->rib, family, draw(audit), &view))
		return false;
	memcpy(ret->address, view.prefix.address, sizeof(ret->address));
	randomise(audit, ret, view.prefix.length);
	if (view.table == RT_TABLE_MAIN || view.table == RT_TABLE_LOCAL)
		return true;
	search.table = ret->table = view.table;
	links_each(audit->links, is_vrf, &search);
	ret->vrf = search.ifindex;
	return ret->vrf;
}

/* --- the kernel's answer: by the thread --- */

static struct nlmsghdr *make_request(struct audit *audit, const struct sample *sample)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(audit->buffer);
	struct rtmsg *header;

	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_REQUEST;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = sample->family;
	header->rtm_dst_len = sample->family == AF_INET ? 32 : 128;
	header->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(message, RTA_DST, netlink_address_size(sample->family), sample->address);
	if (sample->vrf)
		mnl_attr_put_u32(message, RTA_OIF, sample->vrf);
	return message;
}

/* Returns the length of the answer, at `place`; 0: there is none, or no room for it. */
static __u32 ask_kernel(struct audit *audit, const struct sample *sample, char *place, size_t room)
{
	const struct nlmsghdr *answer;
	struct netlink_messages walk;
	__u32 sequence;
	int length;

	if (netlink_socket_send(audit->socket, make_request(audit, sample), &sequence))
		return 0;
	/* The kernel has answered when the request returns. */
	while ((length = netlink_socket_receive(audit->socket, audit->buffer, sizeof(audit->buffer))) >= 0) {
		walk = (struct netlink_messages){ audit->buffer, (size_t)length };
		answer = netlink_messages_next(&walk);
		if (!answer || answer->nlmsg_seq != sequence)
			continue;
		if (answer->nlmsg_len > room)
			return 0;
		memcpy(place, answer, answer->nlmsg_len);
		return answer->nlmsg_len;
	}
	return 0;
}

static void ask_all(void *arg)
{
	struct audit *audit = arg;
	__u32 at = 0;

	for (unsigned i = 0; i < audit->questions; i++) {
		struct question *question = &audit->question[i];

		question->at = at;
		question->length = ask_kernel(audit, &question->sample, audit->answers + at, ANSWERS - at);
		at += NLMSG_ALIGN(question->length);
		if (at > ANSWERS)
			at = ANSWERS;
	}
}

/* --- the kernel's answer: what it says --- */

/* 0: audit->route is the answer. Else the error that the kernel gave, or that asking met (*ret_failed). */
static int read_answer(struct audit *audit, const struct question *question, bool *ret_failed)
{
	const struct nlmsghdr *answer = (const void *)(audit->answers + question->at);
	int r;

	*ret_failed = !question->length;
	if (*ret_failed)
		return -ENODATA;
	if (answer->nlmsg_type == NLMSG_ERROR)
		return netlink_error_decode(answer, NULL);
	r = route_message_decode(answer, &audit->route);
	*ret_failed = r;
	return r;
}

/* The kernel may tell the object only (nexthop_compat_mode 0). False: not known, or not to be compared. */
static bool fill_in_object(struct audit *audit)
{
	struct route_message *route = &audit->route;

	if (!route->nexthop || route->path_count || route->type != RTN_UNICAST)
		return true;
	return objects_resolve(audit->objects, route->nexthop, route->path, &route->path_count) ==
	       OBJECTS_PATHS;
}

/* --- the comparison --- */

static bool has_hop(const struct route_message *route, __u32 ifindex, __u8 family, const __u8 *gateway)
{
	for (__u32 i = 0; i < route->path_count; i++) {
		const struct route_path *path = &route->path[i];

		if (path->ifindex == ifindex && path->family == family && !(path->flags & RTNH_F_DEAD) &&
		    (!family || !memcmp(path->gateway, gateway, netlink_address_size(family))))
			return true;
	}
	return false;
}

static bool leaf_is_of(const struct audit *audit, const struct view_answer *answer,
		       const struct view_leaf *leaf)
{
	/* A neighbour's host route stands below the route on link that the kernel tells. */
	if (answer->matched && answer->route.origin == VIEW_NEIGHBOUR)
		return has_hop(&audit->route, leaf->ifindex, 0, NULL);
	return has_hop(&audit->route, leaf->ifindex, leaf->gateway_family, leaf->gateway);
}

static bool group_is_of(const struct audit *audit, const struct view_answer *answer,
			const struct view_leaf *group)
{
	struct view_member member;
	struct view_leaf leaf;

	for (__u32 i = 0; i < group->members; i++)
		if (view_member(audit->fib, group->leaf, i, &member) ||
		    view_leaf(audit->fib, member.leaf, &leaf) || !leaf_is_of(audit, answer, &leaf))
			return false;
	return true;
}

static enum outcome judge_reason(const struct audit *audit, enum reason reason, int error)
{
	__u8 type = error ? 0 : audit->route.type;

	switch (reason) {
	case REASON_BLACKHOLE: /* which is dropped */
		return error == -EINVAL || type == RTN_BLACKHOLE ? AUDIT_SAME : AUDIT_DIFFERS;
	case REASON_NO_ROUTE:
		return type == RTN_UNICAST && !audit->route.encap ? AUDIT_DIFFERS : AUDIT_SAME;
	case REASON_INTERFACE_UNKNOWN:
		return AUDIT_SKIPPED;
	default:
		return AUDIT_LEFT;
	}
}

static enum outcome compare(struct audit *audit, const struct question *question)
{
	const struct sample *sample = &question->sample;
	struct view_answer *answer = &audit->answer;
	struct view_leaf *leaf = &audit->leaf;
	bool failed;
	int error;

	error = read_answer(audit, question, &failed);
	audit->has_route = !error;
	if (failed)
		return AUDIT_SKIPPED;
	/* Another table than the one that was meant: policy rules. */
	if (!error && audit->route.table != sample->table && audit->route.table != RT_TABLE_LOCAL)
		return AUDIT_SKIPPED;
	if (!error && !fill_in_object(audit))
		return AUDIT_SKIPPED;
	view_lookup(audit->fib, sample->table, sample->family, sample->address, answer);
	if (view_leaf(audit->fib, answer->leaf, leaf))
		return AUDIT_SKIPPED;
	if (leaf->kind == NEXTHOP_GROUP && !error && audit->route.type == RTN_UNICAST)
		return group_is_of(audit, answer, leaf) ? AUDIT_SAME : AUDIT_DIFFERS;
	if (leaf->kind != NEXTHOP_GROUP && !leaf->ifindex)
		return judge_reason(audit, leaf->reason, error);
	if (error || audit->route.type != RTN_UNICAST)
		return AUDIT_DIFFERS;
	return leaf_is_of(audit, answer, leaf) ? AUDIT_SAME : AUDIT_DIFFERS;
}

/* --- what becomes of differences --- */

static void describe(const struct audit *audit, const struct sample *sample, char *text, size_t size)
{
	const struct link *link = links_find(audit->links, audit->leaf.ifindex);
	char address[INET6_ADDRSTRLEN], prefix[INET6_ADDRSTRLEN] = "no route";

	inet_ntop(sample->family, sample->address, address, sizeof(address));
	if (audit->has_route)
		inet_ntop(sample->family, audit->route.destination, prefix, sizeof(prefix));
	snprintf(text, size, "%s in table %u: the kernel goes by %s/%u, the image by leaf %u%s%s", address,
		 sample->table, prefix, audit->route.length, audit->leaf.leaf, link ? " via " : "",
		 link ? link->name : "");
}

static void tally(struct audit_count *count, enum outcome outcome)
{
	switch (outcome) {
	case AUDIT_SAMPLE:
		count->samples++;
		break;
	case AUDIT_SAME:
		count->same++;
		break;
	case AUDIT_LEFT:
		count->left++;
		break;
	case AUDIT_SKIPPED:
		count->skipped++;
		break;
	case AUDIT_PASSED:
		count->passing++;
		break;
	case AUDIT_DIFFERS:
		count->differences++;
		break;
	}
}

static void count(struct audit *audit, bool steady, enum outcome outcome)
{
	tally(&audit->result.total, outcome);
	if (!steady)
		tally(&audit->result.run, outcome);
}

static void report(struct audit *audit, const struct pending *pending)
{
	struct audit_difference difference = { .table = pending->sample.table };
	char text[sizeof(audit->result.text[0])];

	count(audit, pending->steady, AUDIT_DIFFERS);
	describe(audit, &pending->sample, text, sizeof(text));
	if (!pending->steady && audit->shown < AUDIT_SHOWN)
		memcpy(audit->result.text[audit->shown++], text, sizeof(text));
	difference.text = text;
	difference.kernel.family = difference.image.family = pending->sample.family;
	if (audit->has_route) {
		difference.kernel.length = audit->route.length;
		memcpy(difference.kernel.address, audit->route.destination,
		       sizeof(difference.kernel.address));
	}
	if (audit->answer.matched)
		difference.image = audit->answer.route.prefix;
	audit->differs(audit->arg, &difference);
}

static void drop_pending(struct audit *audit, unsigned number)
{
	audit->pending[number] = audit->pending[--audit->pendings];
}

/* Not the time to look at it. */
static void put_off(struct audit *audit, unsigned number, __u64 now)
{
	struct pending *pending = &audit->pending[number];

	pending->due = now + AUDIT_AGAIN;
	if (++pending->waited <= PATIENCE)
		return;
	count(audit, pending->steady, AUDIT_SKIPPED);
	drop_pending(audit, number);
}

static void look_again(struct audit *audit, const struct question *question, bool settled)
{
	struct pending *pending = &audit->pending[question->number];
	__u64 now = loop_now();
	bool differs;

	if (!settled) {
		put_off(audit, question->number, now);
		return;
	}
	differs = compare(audit, question) == AUDIT_DIFFERS;
	if (differs && ++pending->seen < CONFIRM) {
		pending->due = now + AUDIT_AGAIN;
		return;
	}
	if (differs)
		report(audit, pending);
	else
		count(audit, pending->steady, AUDIT_PASSED);
	drop_pending(audit, question->number);
}

static void look_at(struct audit *audit, const struct question *question)
{
	enum outcome outcome = compare(audit, question);

	if (outcome == AUDIT_DIFFERS && audit->pendings < PENDING)
		audit->pending[audit->pendings++] = (struct pending){ .sample = question->sample,
								      .due = loop_now() + AUDIT_AGAIN,
								      .steady = question->steady };
	else
		count(audit, question->steady, outcome == AUDIT_DIFFERS ? AUDIT_SKIPPED : outcome);
}

/* --- rounds: questions, answers --- */

static void ask_sample(struct audit *audit, __u8 family, bool steady)
{
	struct question *question = &audit->question[audit->questions];

	*question = (struct question){ .steady = steady };
	count(audit, steady, AUDIT_SAMPLE);
	if (draw_sample(audit, family, &question->sample) &&
	    !is_special(question->sample.family, question->sample.address))
		audit->questions++;
	else
		count(audit, steady, AUDIT_SKIPPED);
}

/* Backwards, so that what is dropped takes no other's place. */
static void ask_pending(struct audit *audit)
{
	__u64 now = loop_now();

	for (unsigned i = audit->pendings; i--;) {
		struct pending *pending = &audit->pending[i];

		if (pending->due > now)
			continue;
		if (audit->settled_as)
			audit->question[audit->questions++] =
				(struct question){ .sample = pending->sample, .again = true, .number = i };
		else
			put_off(audit, i, now);
	}
}

static void arm(struct audit *audit)
{
	audit->result.running = audit->left || audit->pendings;
	if (audit->result.running)
		loop_timer_set(audit->timer, audit->left ? 1 : AUDIT_AGAIN / 4, 0);
}

static void ask(struct audit *audit)
{
	if (audit->errand.under_way)
		return;
	audit->questions = 0;
	audit->settled_as = audit->settled(audit->arg);
	ask_pending(audit);
	for (unsigned i = 0; i < SLICE && audit->left; i++)
		ask_sample(audit, audit->left-- % 2 ? AF_INET : AF_INET6, false);
	for (unsigned i = 0; i < AUDIT_STEADY && audit->steady_due && audit->settled_as; i++)
		ask_sample(audit, i % 2 ? AF_INET : AF_INET6, true);
	audit->steady_due = false;
	if (audit->questions)
		errand_send(audit->errands, &audit->errand);
	else
		arm(audit);
}

static void answered(void *arg)
{
	struct audit *audit = arg;
	bool settled = audit->settled_as && audit->settled(audit->arg) == audit->settled_as;

	for (unsigned i = 0; i < audit->questions; i++) {
		if (audit->question[i].again)
			look_again(audit, &audit->question[i], settled);
		else
			look_at(audit, &audit->question[i]);
	}
	arm(audit);
}

static void go_on(void *arg)
{
	ask(arg);
}

static void every_second(void *arg)
{
	struct audit *audit = arg;

	audit->steady_due = true;
	ask(audit);
}

int audit_new(struct loop *loop, struct errands *errands, const struct fib *fib, const struct rib *rib,
	      const struct links *links, const struct objects *objects, audit_differs_fn *differs,
	      audit_settled_fn *settled, void *arg, struct audit **ret)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	int r;

	if (!audit)
		return -ENOMEM;
	*audit = (struct audit){ .loop = loop,
				 .errands = errands,
				 .errand = { .work = ask_all, .done = answered, .arg = audit },
				 .fib = fib,
				 .rib = rib,
				 .links = links,
				 .objects = objects,
				 .differs = differs,
				 .settled = settled,
				 .arg = arg };
	(void)getrandom(&audit->random, sizeof(audit->random), 0);
	audit->random |= 1;
	r = loop_timer_new(loop, go_on, audit, &audit->timer);
	if (!r)
		r = loop_timer_new(loop, every_second, audit, &audit->second);
	if (!r)
		r = netlink_socket_new(NETLINK_ROUTE, &audit->socket);
	if (r) {
		audit_free(audit);
		return r;
	}
	*ret = audit;
	return 0;
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	loop_timer_free(audit->timer);
	loop_timer_free(audit->second);
	netlink_socket_free(audit->socket);
	free(audit);
}

int audit_start(struct audit *audit, __u32 samples)
{
	struct rib_stats stats;

	rib_stats(audit->rib, &stats);
	if (!stats.routes[0] && !stats.routes[1])
		return -ENODATA;
	if (audit->left)
		return 0;
	memset(&audit->result.run, 0, sizeof(audit->result.run));
	memset(audit->result.text, 0, sizeof(audit->result.text));
	audit->shown = 0;
	audit->left = samples;
	audit->result.running = true;
	loop_timer_set(audit->timer, 0, 0);
	return 0;
}

void audit_steady(struct audit *audit, bool on)
{
	if (on)
		loop_timer_set(audit->second, SECOND, SECOND);
	else
		loop_timer_cancel(audit->second);
}

void audit_result(const struct audit *audit, struct audit_result *ret)
{
	*ret = audit->result;
}
