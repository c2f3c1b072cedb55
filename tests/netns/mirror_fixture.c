// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

#include "tests/netns/mirror_fixture.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/fib/image_store.h"
#include "host/fib/view.h"
#include "host/loop.h"

#define SETTLE 20000 /* ms */

int mirror_fixture_try(const char *format, ...)
{
	char command[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command);
}

void mirror_fixture_run(const char *format, ...)
{
	char command[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	cr_assert_eq(system(command), 0, "%s", command);
}

void mirror_fixture_namespace(struct mirror_fixture *fixture)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0, "cannot make a network namespace");
	mirror_fixture_run(
		"ip link set dev lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
		"net.ipv6.conf.default.accept_dad=0");
	for (int i = 0; i < FIXTURE_LINKS; i++) {
		char name[IFNAMSIZ];

		mirror_fixture_run("ip link add v%d type veth peer name p%d && ip link set dev v%d up && "
				   "ip link set dev p%d up && ip addr add 10.0.%d.1/24 dev v%d && "
				   "ip addr add 2001:db8:%d::1/64 dev v%d nodad",
				   i, i, i, i, i, i, i, i);
		snprintf(name, sizeof(name), "v%d", i);
		fixture->ifindex[i] = if_nametoindex(name);
		cr_assert(fixture->ifindex[i]);
	}
	kernel_oracle_open(&fixture->oracle);
}

static void stop(void *arg)
{
	struct mirror_fixture *fixture = arg;

	loop_stop(fixture->loop, 0);
}

static int settle(void *arg)
{
	struct mirror_fixture *fixture = arg;

	return fib_settle(fixture->fib) ? 1 : -1;
}

static void became_ready(void *arg)
{
	struct mirror_fixture *fixture = arg;

	fixture->ready = true;
	fib_hold(fixture->fib, false);
}

static void changed(void *arg)
{
	struct mirror_fixture *fixture = arg;

	fixture->changed++;
}

void mirror_fixture_start(struct mirror_fixture *fixture, const struct mirror_options *options)
{
	struct mirror_options own = options ? *options : (struct mirror_options){ 0 };
	struct why why = { "" };

	fixture->ready = false;
	fixture->changed = 0;
	cr_assert_eq(loop_new(&fixture->loop), 0);
	cr_assert_eq(loop_timer_new(fixture->loop, stop, fixture, &fixture->timer), 0);
	cr_assert_eq(image_store_memory(NULL, &fixture->store), 0);
	cr_assert_eq(fib_new(NULL, fixture->store, &fixture->fib), 0);
	loop_idle_set(fixture->loop, settle, fixture);
	own.loop = fixture->loop;
	own.fib = fixture->fib;
	own.ready = became_ready;
	own.changed = changed;
	own.arg = fixture;
	cr_assert_eq(mirror_new(&own, &fixture->mirror, &why), 0, "%s", why.text);
	for (unsigned waited = 0; !fixture->ready && waited < SETTLE; waited += 5)
		mirror_fixture_pass(fixture, 5);
	cr_assert(fixture->ready, "the mirror does not become ready");
}

void mirror_fixture_stop(struct mirror_fixture *fixture)
{
	mirror_free(fixture->mirror);
	fib_free(fixture->fib);
	image_store_free(fixture->store);
	loop_free(fixture->loop);
}

void mirror_fixture_pass(struct mirror_fixture *fixture, unsigned ms)
{
	loop_timer_set(fixture->timer, ms, 0);
	loop_run(fixture->loop);
}

void mirror_fixture_settle(struct mirror_fixture *fixture)
{
	struct mirror_stats stats;

	/* What happened is in the queue now; 150 ms are long enough for what follows from it to begin. */
	for (unsigned waited = 0; waited < SETTLE; waited += 150) {
		mirror_fixture_pass(fixture, 150);
		mirror_stats(fixture->mirror, &stats);
		if (!stats.resyncing && !stats.rib.unsure && !stats.rib.in_doubt &&
		    !rib_busy(mirror_rib(fixture->mirror)) && !fib_busy(fixture->fib) &&
		    stats.lag_us < 100000)
			return;
	}
	cr_assert_fail("the mirror does not come to rest: resyncing %d, unsure %u, in doubt %u, lag %u us",
		       stats.resyncing, stats.rib.unsure, stats.rib.in_doubt, stats.lag_us);
}

struct interface_search {
	__u32 ifindex;
	bool found;
	struct view_interface *ret;
};

static bool take_interface(void *arg, const struct view_interface *interface)
{
	struct interface_search *search = arg;

	if (interface->ifindex != search->ifindex)
		return true;
	*search->ret = *interface;
	search->found = true;
	return false;
}

bool mirror_fixture_interface(struct mirror_fixture *fixture, const char *name, struct view_interface *ret)
{
	struct interface_search search = { .ifindex = if_nametoindex(name), .ret = ret };

	view_interfaces(fixture->fib, take_interface, &search);
	return search.found;
}

void mirror_fixture_ports(struct mirror_fixture *fixture)
{
	__u16 port;

	for (int i = 0; i < FIXTURE_LINKS; i++) {
		cr_assert_eq(fib_port_add(fixture->fib, fixture->ifindex[i], &port), 0);
		fib_port_egress(fixture->fib, port, true, false);
	}
}

/* --- what the image says --- */

struct hops {
	struct oracle_hop hop[256];
	unsigned count;
};

static void add_hop(const struct fib *fib, __u32 id, unsigned weight, const struct view_answer *answer,
		    struct hops *hops)
{
	char gateway[INET6_ADDRSTRLEN] = "link";
	struct view_leaf leaf;

	cr_assert_eq(view_leaf(fib, id, &leaf), 0);
	/* A neighbour on link has its own host route; the kernel's route is the one above. */
	if (leaf.gateway_family && !(answer->matched && answer->route.origin == VIEW_NEIGHBOUR))
		inet_ntop(leaf.gateway_family, leaf.gateway, gateway, sizeof(gateway));
	hops->hop[hops->count].weight = weight;
	snprintf(hops->hop[hops->count++].text, sizeof(hops->hop[0].text), "%u:%s", leaf.ifindex, gateway);
}

static const char *name_of(enum reason reason)
{
	switch (reason) {
	case REASON_NO_ROUTE:
		return "none";
	case REASON_UNREACHABLE:
	case REASON_PROHIBIT:
	case REASON_BLACKHOLE:
		return "reject";
	case REASON_LOCAL:
		return "local";
	case REASON_BROADCAST:
		return "broadcast";
	case REASON_MULTICAST:
		return "multicast";
	case REASON_ENCAP:
		return "encap";
	default:
		return NULL;
	}
}

void mirror_fixture_ask(struct mirror_fixture *fixture, __u8 family, const __u8 *address, __u32 table,
			char *text)
{
	struct hops hops = { .count = 0 };
	struct view_answer answer;
	struct view_member member;
	struct view_leaf leaf;

	view_lookup(fixture->fib, table, family, address, &answer);
	cr_assert_eq(view_leaf(fixture->fib, answer.leaf, &leaf), 0);
	if (answer.leaf < REASON_MAX || (!leaf.ifindex && leaf.kind != NEXTHOP_GROUP)) {
		if (name_of(leaf.reason))
			strcpy(text, name_of(leaf.reason));
		else
			sprintf(text, "punt %d", leaf.reason);
		return;
	}
	if (leaf.kind != NEXTHOP_GROUP)
		add_hop(fixture->fib, answer.leaf, 1, &answer, &hops);
	for (__u32 i = 0; leaf.kind == NEXTHOP_GROUP && i < leaf.members; i++) {
		cr_assert_eq(view_member(fixture->fib, answer.leaf, i, &member), 0);
		add_hop(fixture->fib, member.leaf, member.weight, &answer, &hops);
	}
	oracle_hops_text(hops.hop, hops.count, text);
}

/* Whether the image leaves the answer to the kernel. HELD does not count: it would be in doubt still. */
static bool leaves(const char *image, __u32 vrf)
{
	return (!strncmp(image, "punt ", 5) && strcmp(image, "punt 44")) || (vrf && !strcmp(image, "none"));
}

bool mirror_fixture_same_in(struct mirror_fixture *fixture, __u8 family, const __u8 *address, __u32 vrf,
			    __u32 table, unsigned *punts)
{
	char kernel[ORACLE_TEXT], image[ORACLE_TEXT], name[INET6_ADDRSTRLEN];

	kernel_oracle_ask(fixture->oracle, family, address, vrf, kernel);
	mirror_fixture_ask(fixture, family, address, table, image);
	if (!strcmp(kernel, image))
		return true;
	if (leaves(image, vrf)) {
		if (punts)
			++*punts;
		return true;
	}
	inet_ntop(family, address, name, sizeof(name));
	fprintf(stderr, "%s: the kernel has \"%s\", the image \"%s\"\n", name, kernel, image);
	return false;
}

bool mirror_fixture_same(struct mirror_fixture *fixture, __u8 family, const __u8 *address, unsigned *punts)
{
	return mirror_fixture_same_in(fixture, family, address, 0, RT_TABLE_MAIN, punts);
}

bool mirror_fixture_same_text(struct mirror_fixture *fixture, const char *address)
{
	__u8 family = strchr(address, ':') ? AF_INET6 : AF_INET, bytes[16] = { 0 };
	unsigned punts = 0;

	cr_assert_eq(inet_pton(family, address, bytes), 1);
	return mirror_fixture_same(fixture, family, bytes, &punts) && !punts;
}
