// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

#include "host/mirror/chain_message.h"
#include "host/mirror/link_message.h"
#include "host/mirror/links.h"
#include "host/mirror/neighbour_message.h"
#include "host/mirror/netfilter.h"
#include "host/mirror/objects.h"
#include "host/mirror/pathset.h"
#include "host/mirror/rib.h"
#include "host/mirror/rules.h"
#include "host/mirror/xfrm.h"
#include "tests/unit/fake_fib.h"

// Netlink messages as an attacker who could speak for the kernel would write them: first to the decoders,
// which may refuse but not read past the end, then, if they are sound, to the tables that follow them.
// Whatever came, when all tables are closed the fib holds nothing of it any more.

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct fib *fib;
	struct links *links;
	struct objects *objects;
	struct pathsets *pathsets;
	struct rules *rules;
	struct rib *rib;
};

static struct route_message route;
static struct nexthop_message nexthop;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void object_changed(void *arg, __u32 id, bool gone)
{
	struct world *world = arg;

	if (gone)
		pathsets_doom_nexthop(world->pathsets, id);
	else
		pathsets_nexthop_changed(world->pathsets, id);
}

static void begin(struct world *world)
{
	world->fib = fake_fib_new();
	check(!links_new(&world->links) && !objects_new(object_changed, world, &world->objects) &&
	      !pathsets_new(world->fib, world->links, &world->pathsets) &&
	      !rib_new(world->fib, world->pathsets, 64, &world->rib) && !rules_new(&world->rules));
	pathsets_objects(world->pathsets, world->objects);
	check(!rib_table_open(world->rib, RT_TABLE_LOCAL) && !rib_table_open(world->rib, RT_TABLE_MAIN));
}

static void end(struct world *world)
{
	rib_dump_end(world->rib, AF_INET, false);
	rib_dump_end(world->rib, AF_INET6, false);
	rib_table_close(world->rib, RT_TABLE_MAIN);
	rib_table_close(world->rib, RT_TABLE_LOCAL);
	while (rib_work(world->rib, 100))
		;
	check(!pathsets_count(world->pathsets) && !fake_fib_leaves(world->fib));
	rib_free(world->rib);
	rules_free(world->rules);
	pathsets_free(world->pathsets);
	objects_free(world->objects);
	links_free(world->links);
	fake_fib_free(world->fib);
}

static void follow_link(struct world *world, const struct nlmsghdr *message)
{
	struct link_message link;
	struct links_change change;

	if (link_message_decode(message, &link) || links_apply(world->links, &link, &change))
		return;
	if (change.down)
		pathsets_link_down(world->pathsets, change.ifindex, AF_INET, change.removed);
	if (change.up)
		pathsets_link_up(world->pathsets, change.ifindex, AF_INET);
	if (change.uncarried)
		objects_link_lost(world->objects, change.ifindex);
	if (change.liveness)
		pathsets_link_changed(world->pathsets, change.ifindex);
}

static void follow_route(struct world *world, const struct nlmsghdr *message)
{
	int r = route_message_decode(message, &route);

	check(r == 0 || r == -EBADMSG);
	if (r || route.path_count > FAKE_PATHS)
		return;
	if (message->nlmsg_pid & 1)
		rib_dump_route(world->rib, &route);
	else
		rib_apply(world->rib, &route);
}

static void follow_nexthop(struct world *world, const struct nlmsghdr *message)
{
	if (!nexthop_message_decode(message, &nexthop) && nexthop.member_count <= FAKE_PATHS)
		objects_apply(world->objects, &nexthop);
}

static void follow_rest(struct world *world, const struct nlmsghdr *message)
{
	struct netfilter_state state = { .rules = false };
	struct links_change change;
	struct address_message address;
	struct neighbour_message neighbour;
	struct netconf_message conf;
	struct chain_message chain;
	struct rule_message rule;
	const char *words;
	char why[64];

	if (!address_message_decode(message, &address))
		links_address(world->links, &address);
	(void)neighbour_message_decode(message, &neighbour);
	if (!rule_message_decode(message, &rule)) {
		rules_apply(world->rules, &rule);
		rules_publish(world->rules, world->rib);
	}
	if (!netconf_message_decode(message, &conf))
		links_netconf(world->links, &conf, &change);
	if (!chain_message_decode(message, &chain))
		netfilter_judge(&state, &chain);
	(void)xfrm_judge(message, why, sizeof(why));
	check(netlink_error_decode(message, &words) <= 0);
}

// The sequence number says what happens between messages: parts of dumps, work, a sweep.
static void between(struct world *world, const struct nlmsghdr *message, bool *dumping)
{
	uint32_t what = message->nlmsg_seq;

	if (what & 1 && !*dumping && !rib_busy(world->rib)) {
		rib_dump_begin(world->rib, RT_TABLE_MAIN, what & 2 ? AF_INET6 : AF_INET, what & 4 ? 1 : 0);
		*dumping = true;
	}
	if (what & 8)
		rib_dump_settled(world->rib, what & 2 ? AF_INET6 : AF_INET);
	if (what & 16) {
		rib_dump_end(world->rib, AF_INET, what & 32);
		rib_dump_end(world->rib, AF_INET6, what & 32);
		*dumping = false;
	}
	if (what & 64)
		rib_work(world->rib, 1 + (what >> 8 & 15));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1); // aligned, and exact for the sanitizer
	struct netlink_messages walk = { copy, size };
	const struct nlmsghdr *at;
	struct world world;
	bool dumping = false;

	memcpy(copy, data, size);
	begin(&world);
	while ((at = netlink_messages_next(&walk))) {
		between(&world, at, &dumping);
		follow_route(&world, at);
		follow_nexthop(&world, at);
		follow_link(&world, at);
		follow_rest(&world, at);
	}
	end(&world);
	free(copy);
	return 0;
}
