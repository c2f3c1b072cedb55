// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Routes that come and go while something else is measured, as the kernel tells whoever listens: of each
// family that is loaded, of no other; and all is as it was afterwards.

#include "bench/netns.h"
#include "bench/scenario.h"
#include "bench/updater.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/rtnetlink.h>

#define RATE     4000
#define ENOUGH   20
#define TOO_MANY 20000 // changes without ENOUGH of a family
#define LISTING  (32 << 20)

static struct topology topology;
static struct generate *generate;
static struct scenario scenario;
static volatile sig_atomic_t stop;
static int home;

static void open_bed(void)
{
	cr_assert_eq(topology_open(&topology), 0);
	cr_assert_eq(generate_open(&topology, &generate), 0);
	cr_assert_eq(scenario_open(&scenario, &stop), 0);
	cr_assert_eq(scenario_add(&scenario, "100000"), 0); // more than destinations: some are quiet
	cr_assert_eq(netns_enter(topology.subject.r0.netns, &home), 0);
}

static void close_bed(void)
{
	netns_leave(home);
	scenario_close(&scenario);
	generate_close(generate);
	topology_close(&topology);
}

TestSuite(bench_updater, .init = open_bed, .fini = close_bed);

static void load(__u8 family)
{
	const struct scenario_bed bed = { .topology = &topology, .generate = generate };
	size_t routes;

	cr_assert_eq(scenario_load(&scenario, &bed, family, &routes), 0);
	cr_assert_gt(routes, 0);
}

static int listen_to_routes(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK,
					     .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
	const struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

// Counts what is told, IPv4 and IPv6; returns whether something was.
static bool hear(int fd, unsigned int counts[2])
{
	static char buffer[65536];
	ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
	struct nlmsghdr *message = (void *)buffer;

	if (size < 0)
		return errno == ENOBUFS;
	for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size))
		if (message->nlmsg_type == RTM_NEWROUTE || message->nlmsg_type == RTM_DELROUTE)
			counts[((struct rtmsg *)NLMSG_DATA(message))->rtm_family == AF_INET6]++;
	return true;
}

static char *list_routes(void)
{
	char *text = malloc(LISTING);
	FILE *pipe = popen("{ ip -4 route; ip -6 route; } | sort", "r");
	size_t size;

	cr_assert(text && pipe);
	size = fread(text, 1, LISTING - 1, pipe);
	text[size] = 0;
	cr_assert_eq(pclose(pipe), 0);
	cr_assert_gt(size, 1000000);
	return text;
}

static void update(unsigned int counts[2], unsigned int least4, unsigned int least6)
{
	char *before = list_routes(), *after;
	struct updater *updater;
	int fd = listen_to_routes();

	cr_assert_eq(updater_start(&scenario, &topology.subject.r1, RATE, &updater), 0);
	while (counts[0] < least4 || counts[1] < least6)
		cr_assert(counts[0] + counts[1] < TOO_MANY && hear(fd, counts),
			  "%u IPv4 and %u IPv6 changes, no more in time", counts[0], counts[1]);
	cr_assert_gt(updater_stop(updater), 0);
	close(fd);
	after = list_routes();
	cr_assert(strcmp(before, after) == 0, "the routes are others afterwards");
	free(before);
	free(after);
}

Test(bench_updater, both_families)
{
	unsigned int counts[2] = { 0 };

	load(AF_INET);
	load(AF_INET6);
	update(counts, ENOUGH, ENOUGH);
}

Test(bench_updater, one_family)
{
	unsigned int counts[2] = { 0 };

	load(AF_INET);
	update(counts, 10 * ENOUGH, 0);
	cr_assert_eq(counts[1], 0);
}

// Packets go by all of them.
Test(bench_updater, no_route_to_change)
{
	struct updater *updater = NULL;

	scenario_close(&scenario);
	cr_assert_eq(scenario_open(&scenario, &stop), 0);
	cr_assert_eq(scenario_add(&scenario, "1"), 0);
	load(AF_INET);
	cr_assert_eq(updater_start(&scenario, &topology.subject.r1, RATE, &updater), -ENOENT);
	cr_assert_null(updater);
}
