// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Many routes: bursts that overflow the receive queue, a link that takes most of them along, changes during
// dumps.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/rtnetlink.h>

#include "bench/inject.h"
#include "bench/workload/random.h"
#include "bench/workload/table.h"
#include "bench/workload/table_generate.h"
#include "host/fib/view.h"
#include "tests/netns/mirror_fixture.h"

#define SEED   20261130
#define IPV4   150000
#define IPV6   40000
#define PROBES 6000

static struct mirror_fixture fixture;
static struct table *table;
static struct inject *inject;
static struct random dice;

static void setup(void)
{
	struct table_generate_options options = { .seed = SEED, .ipv4 = IPV4, .ipv6 = IPV6, .nexthops = 300 };

	mirror_fixture_namespace(&fixture);
	mirror_fixture_run("sysctl -qw net.ipv6.route.max_size=1000000");
	cr_assert_eq(table_generate(&options, &table), 0);
	cr_assert_eq(inject_open(&inject), 0);
	random_seed(&dice, SEED);
}

static void teardown(void)
{
	mirror_fixture_stop(&fixture);
	inject_close(inject);
	table_free(table);
}

TestSuite(mirror_scale, .init = setup, .fini = teardown);

static struct inject_hop hop_of(const struct table_route *route, __u32 shift)
{
	__u32 number = route->nexthop + shift, link = number % FIXTURE_LINKS;
	struct inject_hop hop = { .ifindex = (int)fixture.ifindex[link] };

	if (route->family == AF_INET) {
		memcpy(hop.gateway, (__u8[]){ 10, 0, (__u8)link, (__u8)(2 + number / 3 % 200) }, 4);
	} else {
		memcpy(hop.gateway, (__u8[]){ 0x20, 1, 0xd, 0xb8, 0, (__u8)link }, 6);
		hop.gateway[15] = (__u8)(2 + number / 3 % 200);
	}
	return hop;
}

static void put(enum inject_verb verb, size_t i, __u32 shift)
{
	struct inject_hop hop = hop_of(&table->routes[i], shift);

	cr_assert_eq(inject_route(inject, verb, &table->routes[i], &hop), 0);
}

static void flush(void)
{
	struct inject_refusals refusals;

	cr_assert_eq(inject_flush(inject, &refusals), 0);
}

static void put_all(enum inject_verb verb, __u32 shift)
{
	for (size_t i = 0; i < table->count; i++)
		put(verb, i, shift);
	flush();
}

static void probe(const char *when)
{
	unsigned punts = 0;

	for (unsigned i = 0; i < PROBES; i++) {
		const struct table_route *route = &table->routes[random_below(&dice, (__u32)table->count)];
		__u8 address[16];

		memcpy(address, route->addr, sizeof(address));
		for (unsigned bit = route->len; bit < table_width(route->family); bit++)
			if (random_next(&dice) & 1)
				address[bit / 8] |= (__u8)(0x80 >> bit % 8);
		cr_assert(mirror_fixture_same(&fixture, route->family, address, &punts), "%s, seed %u", when,
			  SEED);
	}
	cr_expect_eq(punts, 0, "%s: %u left to the kernel", when, punts);
}

static struct mirror_stats stats(void)
{
	struct mirror_stats now;

	mirror_stats(fixture.mirror, &now);
	return now;
}

/* The queue holds some hundred notifications; nobody reads it while the burst comes. */
Test(mirror_scale, lost_notifications_are_made_up_for)
{
	struct mirror_options options = { .buffer = 65536 };

	mirror_fixture_start(&fixture, &options);
	cr_expect_lt(stats().buffer, 1 << 20);
	put_all(INJECT_ADD, 0);
	mirror_fixture_settle(&fixture);
	cr_expect_geq(stats().overruns, 1);
	cr_expect_geq(stats().rib.routes[0], IPV4);
	cr_expect_geq(stats().rib.routes[1], IPV6);
	probe("after a burst of additions");
	/* Deletions that nobody heard of. */
	for (size_t i = 0; i < table->count; i += 2)
		put(INJECT_DELETE, i, 0);
	for (size_t i = 1; i < table->count; i += 2)
		put(INJECT_REPLACE, i, 1);
	flush();
	mirror_fixture_settle(&fixture);
	cr_expect_geq(stats().rib.swept, (IPV4 + IPV6) / 4);
	probe("after a burst of deletions and replacements");
	cr_expect_eq(stats().rib.lost, 0);
}

struct seen {
	__u32 through, dead;
};

static bool count_leaf(void *arg, const struct view_leaf *leaf)
{
	struct seen *seen = arg;

	if (leaf->ifindex != fixture.ifindex[0])
		return true;
	seen->through++;
	seen->dead += leaf->kind == NEXTHOP_PUNT && leaf->reason == REASON_EGRESS_DOWN;
	return true;
}

static struct seen see(void)
{
	struct seen seen = { 0 };

	view_leaves(fixture.fib, count_leaf, &seen);
	return seen;
}

/* A third of all routes goes with the link, IPv4 without a notification. */
Test(mirror_scale, a_link_goes_down)
{
	struct seen seen;
	__u64 before;

	put_all(INJECT_ADD, 0);
	mirror_fixture_start(&fixture, NULL);
	mirror_fixture_ports(&fixture);
	before = stats().rib.routes[0];
	mirror_fixture_run("ip link set dev v0 down");
	/* As soon as the message about the link is read, nothing leaves by it any more. */
	mirror_fixture_pass(&fixture, 5);
	seen = see();
	cr_expect_eq(seen.through, seen.dead);
	mirror_fixture_settle(&fixture);
	cr_expect_lt(stats().rib.routes[0], before - IPV4 / 4);
	cr_expect_gt(stats().rib.doomed, IPV4 / 4);
	probe("after link down");
	mirror_fixture_run("ip link set dev v0 up; ip -6 addr replace 2001:db8:0::1/64 dev v0 nodad");
	put_all(INJECT_REPLACE, 0);
	mirror_fixture_settle(&fixture);
	probe("after link up");
	cr_expect_eq(stats().overruns, 0);
}

/* The notifications of many routes wait to be read; that of the link is read first. */
Test(mirror_scale, a_link_goes_down_behind_a_burst)
{
	struct seen seen;
	__u64 events;

	put_all(INJECT_ADD, 0);
	mirror_fixture_start(&fixture, NULL);
	mirror_fixture_ports(&fixture);
	events = stats().events;
	put_all(INJECT_REPLACE, 1);
	mirror_fixture_run("ip link set dev p0 down");
	seen = see();
	cr_assert_gt(seen.through, 0);
	cr_expect_eq(seen.dead, 0);
	mirror_fixture_pass(&fixture, 20);
	seen = see();
	cr_expect_eq(seen.dead, seen.through);
	cr_expect_lt(stats().events, events + table->count / 2, "the burst was over before");
	/* Even so, older messages about the link itself do not revive it. */
	mirror_fixture_settle(&fixture);
	seen = see();
	cr_expect_eq(seen.dead, seen.through);
	probe("without a carrier");
	mirror_fixture_run("ip link set dev p0 up");
	put_all(INJECT_REPLACE, 2);
	mirror_fixture_run("ip link set dev v0 down");
	mirror_fixture_pass(&fixture, 20);
	seen = see();
	cr_expect_eq(seen.dead, seen.through);
	mirror_fixture_run("ip link set dev v0 up; ip -6 addr replace 2001:db8:0::1/64 dev v0 nodad");
	mirror_fixture_settle(&fixture);
	seen = see();
	cr_expect_eq(seen.dead, 0);
	probe("after link up");
	cr_expect_eq(stats().overruns, 0);
}

/* Changes at full speed from another process, while everything is dumped again and again. */
static void churn(void)
{
	struct random own;

	random_seed(&own, SEED + 1);
	for (unsigned i = 0; i < 120000; i++) {
		size_t route = random_below(&own, (__u32)table->count / 8) * 8;
		unsigned what = random_below(&own, 4);

		put(what ? INJECT_REPLACE : INJECT_DELETE, route, random_below(&own, 6));
		if (i % 500 == 0) {
			flush();
			usleep(2000);
		}
	}
	flush();
	_exit(0);
}

Test(mirror_scale, dumps_during_changes)
{
	unsigned dumps = 0;
	pid_t child;

	put_all(INJECT_ADD, 0);
	mirror_fixture_start(&fixture, NULL);
	inject_close(inject);
	child = fork();
	cr_assert_geq(child, 0);
	cr_assert_eq(inject_open(&inject), 0); /* each has a socket of its own */
	if (!child)
		churn();
	while (waitpid(child, NULL, WNOHANG) == 0) {
		mirror_resync(fixture.mirror, "test");
		mirror_fixture_pass(&fixture, 300);
		dumps++;
	}
	mirror_fixture_settle(&fixture);
	printf("%u resyncs during changes: %llu doubts, %llu removed by dumps, %llu dumps interrupted\n",
	       dumps, (unsigned long long)stats().rib.doubts, (unsigned long long)stats().rib.swept,
	       (unsigned long long)stats().dumps.interrupted);
	cr_expect_geq(dumps, 2);
	cr_expect_eq(stats().overruns, 0);
	probe("after changes during dumps");
}

#define OBJECTS 6000 // next-hop objects; the routes use the lower half of them
#define USERS   1000

static struct inject_hop object_hop(__u32 id, __u32 shift)
{
	struct inject_hop hop = { .object = id,
				  .ifindex = (int)fixture.ifindex[(id + shift) % FIXTURE_LINKS] };

	memcpy(hop.gateway, (__u8[]){ 10, 0, (__u8)((id + shift) % FIXTURE_LINKS), (__u8)(2 + id % 200) }, 4);
	return hop;
}

static void put_objects(enum inject_verb verb, __u32 first, __u32 step, __u32 shift)
{
	for (__u32 id = first; id <= OBJECTS; id += step) {
		struct inject_hop hop = object_hop(id, shift);

		cr_assert_eq(inject_object(inject, verb, AF_INET, &hop), 0);
	}
	flush();
}

/* Objects that come and go, and those that routes use and that change, while they are dumped. */
static void churn_objects(void)
{
	for (__u32 i = 0; i < 60000; i++) {
		struct inject_hop unused = object_hop(OBJECTS / 2 + 1 + i / 2 % (OBJECTS / 2), 0);
		struct inject_hop used = object_hop(1 + i % (OBJECTS / 2), i / 1000);

		cr_assert_eq(inject_object(inject, i % 2 ? INJECT_ADD : INJECT_DELETE, AF_INET, &unused), 0);
		cr_assert_eq(inject_object(inject, INJECT_REPLACE, AF_INET, &used), 0);
		if (i % 20 == 0) {
			flush();
			usleep(500);
		}
	}
	flush();
	_exit(0);
}

/* The kernel says of a dump that it was interrupted: it counts for nothing, and is done again. */
Test(mirror_scale, dumps_that_are_interrupted)
{
	pid_t child;

	mirror_fixture_start(&fixture, NULL);
	put_objects(INJECT_ADD, 1, 1, 0);
	for (size_t i = 0; i < USERS; i++) {
		struct inject_hop hop = { .object = 1 + (__u32)i % (OBJECTS / 2) };

		cr_assert_eq(table->routes[i].family, AF_INET);
		cr_assert_eq(inject_route(inject, INJECT_ADD, &table->routes[i], &hop), 0);
	}
	flush();
	inject_close(inject);
	child = fork();
	cr_assert_geq(child, 0);
	cr_assert_eq(inject_open(&inject), 0);
	if (!child)
		churn_objects();
	while (waitpid(child, NULL, WNOHANG) == 0) {
		mirror_resync(fixture.mirror, "test");
		mirror_fixture_pass(&fixture, 100);
	}
	mirror_fixture_settle(&fixture);
	printf("%llu of %llu dumps were interrupted\n", (unsigned long long)stats().dumps.interrupted,
	       (unsigned long long)stats().dumps.dumps);
	cr_expect_geq(stats().dumps.interrupted, 1);
	for (size_t i = 0; i < USERS; i++)
		cr_assert(mirror_fixture_same(&fixture, AF_INET, table->routes[i].addr, NULL), "route %zu",
			  i);
}
