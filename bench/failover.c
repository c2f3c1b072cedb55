// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/failover.h"

#include "bench/inject.h"
#include "bench/netns.h"
#include "bench/rtnetlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#define FAILOVER_ADDRESS "203.0.113.1"

struct failover {
	struct lane *lane;
	const struct scenario *scenario;
	struct lane_port out, end; // r2 and d2
	int sink;                  // the link of its program
};

// Frames that leave here have to look as if they left by r1: the sink is the same.
static struct lane_port failover_twin(const struct lane_port *port, const char *name)
{
	struct lane_port twin = *port;

	snprintf(twin.name, sizeof(twin.name), "%s", name);
	return twin;
}

static int failover_pair(struct failover *failover, struct rtnetlink *rtnetlink)
{
	struct rtnetlink_end ends[2];
	const struct lane_port *ports[] = { &failover->out, &failover->end };

	for (unsigned int i = 0; i < 2; i++) {
		ends[i] = (struct rtnetlink_end){ .netns = ports[i]->netns };
		memcpy(ends[i].name, ports[i]->name, sizeof(ends[i].name));
		memcpy(ends[i].mac, ports[i]->mac, sizeof(ends[i].mac));
	}
	return rtnetlink_veth(rtnetlink, &ends[0], &ends[1]);
}

// The gateway is the same neighbour behind another port.
static int failover_route(const struct failover *failover, struct rtnetlink *rtnetlink)
{
	struct inject_hop hop = { .ifindex = failover->out.ifindex };
	const struct table_route everything = { .family = AF_INET };
	struct inject_refusals refusals = { 0 };
	struct inject *inject;
	struct in_addr own;
	__u8 mac[6];
	int err;

	inet_pton(AF_INET, FAILOVER_ADDRESS, &own);
	memcpy(hop.gateway, &own, sizeof(own));
	hop.gateway[3]++;
	lane_gateway_mac(0, mac);
	err = rtnetlink_address(rtnetlink, hop.ifindex, AF_INET, &own, 24);
	if (err >= 0)
		err = rtnetlink_neighbour(rtnetlink, hop.ifindex, AF_INET, hop.gateway, mac);
	if (err < 0)
		return err;
	err = inject_open(&inject);
	if (err < 0)
		return err;
	err = inject_route(inject, INJECT_ADD, &everything, &hop);
	if (err >= 0)
		err = inject_flush(inject, &refusals);
	inject_close(inject);
	return err >= 0 && refusals.count ? refusals.error : err;
}

static int failover_router(struct failover *failover)
{
	struct rtnetlink *rtnetlink;
	int home, err = netns_enter(failover->out.netns, &home);

	if (err < 0)
		return err;
	err = rtnetlink_open(&rtnetlink);
	if (err >= 0) {
		err = failover_pair(failover, rtnetlink);
		failover->out.ifindex = if_nametoindex(failover->out.name);
		if (err >= 0)
			err = rtnetlink_up(rtnetlink, failover->out.ifindex);
		if (err >= 0)
			err = failover_route(failover, rtnetlink);
		rtnetlink_close(rtnetlink);
	}
	netns_leave(home);
	return err;
}

// The program of the lane's sink behind the second port, too; it counts both together.
static int failover_sink(struct failover *failover)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int home, program, err = netns_enter(failover->end.netns, &home);

	if (err < 0)
		return err;
	err = bpf_xdp_query(failover->lane->d.ifindex, 0, &query);
	program = err < 0 ? err : bpf_prog_get_fd_by_id(query.prog_id);
	if (program >= 0) {
		LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);

		failover->sink = bpf_link_create(program, failover->end.ifindex, BPF_XDP, &options);
		err = failover->sink < 0 ? failover->sink : 0;
		close(program);
	} else {
		err = program;
	}
	netns_leave(home);
	return err;
}

// Do all routes lead to gateway 0?
static bool failover_fits(const struct scenario *scenario)
{
	const struct table *table = scenario->loaded_count ? scenario->loaded[0] : NULL;

	for (size_t i = 0; table && i < table->count; i++)
		if (lane_gateway(table->routes[i].nexthop) != 0)
			return false;
	return table && table->routes[0].family == AF_INET;
}

int failover_open(struct lane *lane, const struct scenario *scenario, struct failover **ret_failover)
{
	struct failover *failover;
	int err;

	if (!failover_fits(scenario))
		return -EOPNOTSUPP;
	failover = calloc(1, sizeof(*failover));
	if (!failover)
		return -ENOMEM;
	*failover = (struct failover){ lane, scenario, failover_twin(&lane->r1, "r2"),
				       failover_twin(&lane->d, "d2"), -1 };
	err = failover_router(failover);
	if (err >= 0)
		err = lane_end_up(&failover->end);
	if (err >= 0)
		err = failover_sink(failover);
	if (err < 0) {
		failover_close(failover);
		return err;
	}
	*ret_failover = failover;
	return 0;
}

const char *failover_port(const struct failover *failover)
{
	return failover->out.name;
}

int failover_restore(const struct failover *failover)
{
	int err = lane_revive(failover->lane);

	return err < 0 ? err : scenario_lead(failover->scenario, &failover->lane->r1);
}

void failover_close(struct failover *failover)
{
	struct rtnetlink *rtnetlink;

	if (!failover)
		return;
	if (failover->sink >= 0)
		close(failover->sink);
	if (failover->out.ifindex > 0 && rtnetlink_open_in(failover->out.netns, &rtnetlink) >= 0) {
		rtnetlink_remove(rtnetlink, failover->out.ifindex);
		rtnetlink_close(rtnetlink);
	}
	free(failover);
}
