// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/mirror/rib.h"
#include "tests/unit/fake_fib.h"
#include "tests/unit/route_model.h"

#define PART 4 /* prefixes in a part of a dump */

static struct fib *fib;
static struct links *links;
static struct objects *objects;
static struct pathsets *pathsets;
static struct rib *rib;
static struct model model;
static struct route_message message;
static unsigned seed; /* of the run */
static unsigned dice;

static void object_changed(void *arg, __u32 id, bool gone)
{
	if (gone)
		pathsets_doom_nexthop(pathsets, id);
	else
		pathsets_nexthop_changed(pathsets, id);
}

static void setup(void)
{
	fib = fake_fib_new();
	cr_assert_eq(links_new(&links), 0);
	cr_assert_eq(objects_new(object_changed, NULL, &objects), 0);
	cr_assert_eq(pathsets_new(fib, links, &pathsets), 0);
	pathsets_objects(pathsets, objects);
	cr_assert_eq(rib_new(fib, pathsets, 0, &rib), 0);
	cr_assert_eq(rib_table_open(rib, RT_TABLE_MAIN), 0);
	cr_assert_eq(rib_table_open(rib, RT_TABLE_LOCAL), 0);
}

/* Nothing may be left: neither sets nor leaves nor routes in the fib. */
static void teardown(void)
{
	rib_table_close(rib, RT_TABLE_MAIN);
	rib_table_close(rib, RT_TABLE_LOCAL);
	while (rib_work(rib, 1000))
		;
	cr_expect_eq(fake_fib_routes(fib), 0);
	cr_expect_eq(pathsets_count(pathsets), 0);
	cr_expect_eq(fake_fib_leaves(fib), 0);
	rib_free(rib);
	pathsets_free(pathsets);
	objects_free(objects);
	links_free(links);
	fake_fib_free(fib);
	model_exit(&model);
}

TestSuite(rib, .init = setup, .fini = teardown);

static int compare_paths(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct model_path));
}

/* What the fib has for a prefix, in the model's words. */
static void published(__u8 prefix, char *text)
{
	struct model_path path[FAKE_PATHS] = { 0 };
	const struct fake_route *route;
	const struct fake_leaf *leaf;
	struct fib_prefix key;
	int length;

	model_prefix(&model, prefix, &key);
	route = fake_fib_route(fib, RT_TABLE_MAIN, &key);
	strcpy(text, "none");
	if (!route)
		return;
	leaf = fake_fib_leaf(fib, route->leaf);
	if (route->leaf < REASON_MAX || leaf->reason) {
		sprintf(text, "reason %u", route->leaf < REASON_MAX ? route->leaf : leaf->reason);
		return;
	}
	for (__u32 i = 0; i < leaf->path_count; i++) {
		path[i].ifindex = leaf->path[i].ifindex;
		path[i].gateway = leaf->path[i].gateway[model.family == AF_INET6 ? 15 : 3];
	}
	qsort(path, leaf->path_count, sizeof(path[0]), compare_paths);
	length = sprintf(text, "via");
	for (__u32 i = 0; i < leaf->path_count; i++)
		length += sprintf(text + length, " %u:%u", path[i].ifindex, path[i].gateway);
}

static void expect_equal(const char *when)
{
	char want[MODEL_TEXT], got[MODEL_TEXT];
	__u32 routes = 0;

	for (__u8 prefix = 0; prefix < MODEL_PREFIXES; prefix++) {
		model_answer(&model, prefix, want);
		published(prefix, got);
		cr_assert_str_eq(got, want, "%s, seed %u, prefix %u: fib has \"%s\", the kernel \"%s\"", when,
				 seed, prefix, got, want);
		routes += model.prefix[prefix].count > 0;
	}
	cr_assert_eq(fake_fib_routes(fib), routes, "%s, seed %u", when, seed);
}

static void apply(const struct model_event *event)
{
	model_message(&model, event, &message);
	cr_assert_eq(rib_apply(rib, &message), 0);
}

/* --- the stream of notifications --- */

static void follow(__u8 family)
{
	__u32 done = 0;

	seed = 1130 + family;
	model_init(&model, family, seed);
	for (int step = 0; step < 60000; step++) {
		model_step(&model);
		while (done < model.events)
			apply(&model.event[done++]);
		expect_equal("after each notification");
	}
}

Test(rib, follows_ipv4_notifications)
{
	follow(AF_INET);
}

Test(rib, follows_ipv6_notifications)
{
	follow(AF_INET6);
}

/* --- dumps that race with changes --- */

/* What a lookup found at each time, to tell right from wrong while notifications are late. */
struct history {
	__u32 event; /* number of notifications before */
	char text[MODEL_TEXT];
};

static struct history (*history)[4096];
static __u32 histories[MODEL_PREFIXES];
static __u32 applied;

static void remember(void)
{
	char now[MODEL_TEXT];

	for (__u8 prefix = 0; prefix < MODEL_PREFIXES; prefix++) {
		struct history *next = &history[prefix][histories[prefix]];

		model_answer(&model, prefix, now);
		if (histories[prefix] && !strcmp(next[-1].text, now))
			continue;
		cr_assert_lt(histories[prefix]++, 4096);
		next->event = model.events;
		strcpy(next->text, now);
	}
}

/* The fib has what was true at some time since the last notification that was applied, or it punts. */
static void expect_never_wrong(void)
{
	char got[MODEL_TEXT];

	for (__u8 prefix = 0; prefix < MODEL_PREFIXES; prefix++) {
		bool right = false;

		published(prefix, got);
		if (!strncmp(got, "reason", 6) && strcmp(got, "reason 19"))
			continue;
		for (__u32 i = histories[prefix]; i-- && !right;) {
			right = !strcmp(history[prefix][i].text, got);
			if (history[prefix][i].event <= applied)
				break;
		}
		cr_assert(right, "seed %u, prefix %u: \"%s\" was not true since notification %u of %u", seed,
			  prefix, got, applied, model.events);
	}
}

static void change(unsigned most)
{
	for (unsigned n = (unsigned)rand_r(&dice) % (most + 1); n; n--) {
		model_step(&model);
		remember();
	}
}

static void catch_up(__u32 to, bool check)
{
	while (applied < to) {
		apply(&model.event[applied++]);
		if (check)
			expect_never_wrong();
	}
}

/* One dump as the mirror reads it: a part is generated while the one before is returned. */
static void dump(unsigned churn, bool check)
{
	static struct model_event part[2][PART * MODEL_ROUTES];
	__u32 count[2] = { 0 }, mark = applied, next_mark;
	struct model_dump state = { 0 };
	bool last = false;
	int current = 0;

	while (rib_work(rib, 3))
		;
	rib_dump_begin(rib, RT_TABLE_MAIN, model.family, 0);
	mark = model.events;
	catch_up(mark, check);
	change(churn);
	count[0] = model_dump_part(&model, &state, PART, part[0], PART * MODEL_ROUTES);
	while (!last) {
		last = state.done;
		change(churn);
		next_mark = model.events;
		change(churn);
		if (!last)
			count[!current] =
				model_dump_part(&model, &state, PART, part[!current], PART * MODEL_ROUTES);
		for (__u32 i = 0; i < count[current]; i++) {
			model_message(&model, &part[current][i], &message);
			cr_assert_eq(rib_dump_route(rib, &message), 0);
			if (check)
				expect_never_wrong();
		}
		catch_up(next_mark, check);
		rib_dump_settled(rib, model.family);
		current = !current;
	}
	catch_up(model.events, check);
	rib_dump_end(rib, model.family, true);
	while (rib_work(rib, 2))
		if (check)
			expect_never_wrong();
}

static void race(__u8 family, bool lose)
{
	history = calloc(MODEL_PREFIXES, sizeof(*history));
	for (unsigned run = 0; run < 400; run++) {
		seed = 7000 + run;
		dice = seed;
		model_exit(&model);
		model_init(&model, family, seed);
		memset(histories, 0, sizeof(histories));
		applied = 0;
		remember();
		for (int round = 0; round < 6; round++) {
			change(40);
			if (lose) /* the receive queue was full: some were still in it */
				applied += (model.events - applied) / (1 + (__u32)rand_r(&dice) % 2);
			dump(2, !lose);
			for (int quiet = 0; quiet < 8 && rib_dump_again(rib, RT_TABLE_MAIN, family); quiet++)
				dump(0, !lose);
			cr_assert(!rib_dump_again(rib, RT_TABLE_MAIN, family), "seed %u", seed);
			expect_equal("after the dump");
		}
		/* empty the table for the next run */
		for (__u8 prefix = 0; prefix < MODEL_PREFIXES; prefix++)
			model.prefix[prefix].count = 0;
		dump(0, false);
	}
	free(history);
}

Test(rib, dumps_that_race_ipv4)
{
	race(AF_INET, false);
}

Test(rib, dumps_that_race_ipv6)
{
	race(AF_INET6, false);
}

Test(rib, dumps_after_losses_ipv4)
{
	race(AF_INET, true);
}

Test(rib, dumps_after_losses_ipv6)
{
	race(AF_INET6, true);
}

/* --- what the kernel does without a word --- */

static void told(__u8 family, __u8 prefix, __u16 nlflags, struct model_route route)
{
	struct model_event event = { .prefix = prefix, .nlflags = nlflags, .route = route };

	model.family = family;
	apply(&event);
}

static void expect(__u8 prefix, const char *want)
{
	char got[MODEL_TEXT];

	published(prefix, got);
	cr_expect_str_eq(got, want, "prefix %u: fib has \"%s\", wanted \"%s\"", prefix, got, want);
}

static void link_state(__u32 ifindex, bool up, bool carrier, __s32 ignore_linkdown)
{
	struct link_message link = {
		.ifindex = ifindex,
		.flags = (up ? IFF_UP : 0) | (up && carrier ? IFF_RUNNING | IFF_LOWER_UP : 0),
		.carrier = carrier,
		.sysctls = { .ignore_linkdown4 = ignore_linkdown, .ignore_linkdown6 = ignore_linkdown }
	};
	struct links_change change;

	cr_assert_eq(links_apply(links, &link, &change), 0);
	if (change.down)
		pathsets_link_down(pathsets, ifindex, AF_INET, false);
	if (change.up)
		pathsets_link_up(pathsets, ifindex, AF_INET);
	if (change.liveness)
		pathsets_link_changed(pathsets, ifindex);
}

static void work(void)
{
	while (rib_work(rib, 1))
		;
}

#define NEW         (NLM_F_CREATE | NLM_F_EXCL)
#define VIA(m, ...) ((struct model_route){ .metric = (m), .type = RTN_UNICAST, .protocol = 3, __VA_ARGS__ })

Test(rib, link_down_takes_ipv4_routes_at_once)
{
	for (__u32 i = 1; i <= 3; i++)
		link_state(i, true, true, 0);
	told(AF_INET, 0, NEW, VIA(0, .paths = 1, .path = { { 1, 4 } }));
	told(AF_INET, 0, NEW, VIA(10, .paths = 1, .path = { { 2, 4 } }));
	told(AF_INET, 1, NEW, VIA(0, .paths = 1, .path = { { 1, 4 } }));
	told(AF_INET, 2, NEW, VIA(0, .paths = 2, .path = { { 1, 4 }, { 2, 5 } }));
	expect(0, "via 1:4");
	expect(2, "via 1:4 2:5");
	link_state(1, false, false, 0);
	/* Before any work is done nothing goes to the dead port. */
	expect(0, "reason 10");
	expect(1, "reason 10");
	expect(2, "via 2:5");
	/* The same route again is a new one, whatever becomes of the old. */
	link_state(1, true, true, 0);
	told(AF_INET, 1, NEW, VIA(0, .paths = 1, .path = { { 1, 4 } }));
	work();
	expect(0, "via 2:4");
	expect(1, "via 1:4");
	expect(2, "via 1:4 2:5");
}

Test(rib, carrier_counts_where_the_sysctl_says)
{
	link_state(1, true, true, 0);
	link_state(2, true, true, 0);
	told(AF_INET6, 0, NEW, VIA(10, .paths = 1, .path = { { 1, 4 } }));
	told(AF_INET6, 0, NEW, VIA(20, .paths = 1, .path = { { 2, 4 } }));
	link_state(1, true, false, 0);
	work();
	expect(0, "via 1:4"); /* the fib punts: it knows that the interface is down */
	link_state(1, true, false, 1);
	expect(0, "reason 10");
	work();
	expect(0, "via 2:4");
	link_state(1, true, true, 1);
	work();
	expect(0, "via 1:4");
}

static void numbered(__u32 ifindex, bool deleted)
{
	struct address_message address = {
		.family = AF_INET, .length = 24, .ifindex = ifindex, .deleted = deleted
	};

	(void)links_address(links, &address);
}

/* A route by device 1 that the kernel calls dead. */
static void told_dead(__u8 family, __u8 prefix, __u32 metric)
{
	struct model_event event = { .prefix = prefix, .nlflags = NEW };

	model.family = family;
	event.route = VIA(metric, .paths = 1, .path = { { 1, 4 } });
	model_message(&model, &event, &message);
	message.path[0].flags = RTNH_F_DEAD | RTNH_F_LINKDOWN;
	cr_assert_eq(rib_apply(rib, &message), 0);
}

/* While there is no carrier, and that counts, the kernel calls next hops dead; then it is silent. */
Test(rib, what_is_dead_without_carrier_lives_again_with_it)
{
	link_state(1, true, false, 1);
	link_state(2, true, true, 1);
	numbered(1, false);
	told_dead(AF_INET, 0, 10);
	told(AF_INET, 0, NEW, VIA(20, .paths = 1, .path = { { 2, 4 } }));
	expect(0, "via 2:4");
	link_state(1, true, true, 1);
	work();
	expect(0, "via 1:4");
	/* or it does not count any more */
	link_state(1, true, false, 1);
	told_dead(AF_INET, 1, 10);
	told(AF_INET, 1, NEW, VIA(20, .paths = 1, .path = { { 2, 4 } }));
	work();
	expect(1, "via 2:4");
	link_state(1, true, false, 0);
	work();
	expect(1, "via 1:4");
	/* dead because IP went from the device: the carrier changes nothing */
	link_state(1, true, false, 1);
	numbered(1, true);
	told_dead(AF_INET, 2, 10);
	link_state(1, true, true, 1);
	work();
	expect(2, "none");
}

Test(rib, ipv6_without_carrier_lives_again_too)
{
	struct link_message link = {
		.ifindex = 1, .flags = IFF_UP, .sysctls = { .ignore_linkdown6 = 1, .mtu6 = 1500 }, .mtu = 1500
	};
	struct links_change change;

	link_state(2, true, true, 1);
	cr_assert_eq(links_apply(links, &link, &change), 0);
	told_dead(AF_INET6, 0, 10);
	told(AF_INET6, 0, NEW, VIA(20, .paths = 1, .path = { { 2, 4 } }));
	expect(0, "via 2:4");
	link.flags |= IFF_RUNNING | IFF_LOWER_UP;
	cr_assert_eq(links_apply(links, &link, &change), 0);
	cr_assert(change.liveness);
	pathsets_link_changed(pathsets, 1);
	work();
	expect(0, "via 1:4");
}

static void object(__u32 id, bool deleted, __u32 ifindex, __u8 gateway)
{
	static struct nexthop_message nexthop;

	nexthop = (struct nexthop_message){ .id = id, .deleted = deleted, .family = AF_INET };
	nexthop.path = (struct route_path){ .ifindex = ifindex, .family = AF_INET, .weight = 1 };
	nexthop.path.gateway[3] = gateway;
	cr_assert_eq(objects_apply(objects, &nexthop), 0);
}

static void group(__u32 id, __u32 first, __u32 second)
{
	static struct nexthop_message nexthop;

	nexthop = (struct nexthop_message){ .id = id, .group = true, .member_count = second ? 2 : 1 };
	nexthop.member[0] = (struct nexthop_member){ .id = first, .weight = 1 };
	nexthop.member[1] = (struct nexthop_member){ .id = second, .weight = 3 };
	cr_assert_eq(objects_apply(objects, &nexthop), 0);
}

static void route_by_object(__u8 prefix, __u32 id)
{
	struct model_event event = { .prefix = prefix, .nlflags = NEW, .route = VIA(0) };

	model.family = AF_INET;
	model_message(&model, &event, &message);
	message.nexthop = id;
	cr_assert_eq(rib_apply(rib, &message), 0);
}

Test(rib, routes_follow_next_hop_objects)
{
	__u64 changes;

	route_by_object(0, 7);
	expect(0, "reason 44"); /* not known yet */
	object(7, false, 1, 4);
	object(8, false, 2, 5);
	group(20, 7, 8);
	route_by_object(1, 20);
	expect(0, "via 1:4");
	expect(1, "via 1:4 2:5");
	changes = fake_fib_changes(fib);
	object(7, false, 3, 6);
	expect(0, "via 3:6");
	expect(1, "via 2:5 3:6");
	cr_expect_eq(fake_fib_changes(fib), changes); /* no route was touched */

	/* Down: objects, memberships and routes vanish without a message. */
	cr_expect_eq(objects_link_lost(objects, 3), 1);
	expect(0, "reason 10");
	expect(1, "via 2:5");
	work();
	expect(0, "none");
	object(8, true, 0, 0); /* the group goes with its last member */
	work();
	expect(1, "none");
	cr_expect_eq(objects_count(objects, NULL), 0);
}

Test(rib, no_room_for_leaves_punts_and_heals)
{
	fake_fib_full(fib, true);
	told(AF_INET, 0, NEW, VIA(0, .paths = 1, .path = { { 1, 4 } }));
	expect(0, "reason 17");
	fake_fib_full(fib, false);
	pathsets_retry(pathsets);
	work();
	expect(0, "via 1:4");
}

Test(rib, no_room_for_routes_punts)
{
	struct model_event event = { .prefix = 1,
				     .nlflags = NEW,
				     .route = VIA(0, .paths = 1, .path = { { 1, 4 } }) };

	rib_free(rib);
	cr_assert_eq(rib_new(fib, pathsets, 1, &rib), 0);
	cr_assert_eq(rib_table_open(rib, RT_TABLE_MAIN), 0);
	cr_assert_eq(rib_table_open(rib, RT_TABLE_LOCAL), 0);
	told(AF_INET, 0, NEW, VIA(0, .paths = 1, .path = { { 1, 4 } }));
	model_message(&model, &event, &message);
	cr_expect_eq(rib_apply(rib, &message), -ENOSPC);
	expect(1, "reason 17");
	message.deleted = true;
	cr_expect_eq(rib_apply(rib, &message), 0);
	expect(1, "none");
}

Test(rib, overrides_hide_and_give_way)
{
	struct fib_prefix prefix;
	const struct fake_route *route;

	model.family = AF_INET;
	model_prefix(&model, 0, &prefix);
	cr_assert_eq(rib_override(rib, &prefix, REASON_POLICY_RULE), 0);
	route = fake_fib_route(fib, RT_TABLE_LOCAL, &prefix);
	cr_assert(route && route->leaf == REASON_POLICY_RULE && route->shadow);
	rib_override_remove(rib, &prefix);
	cr_expect_null(fake_fib_route(fib, RT_TABLE_LOCAL, &prefix));
}

Test(rib, other_tables_are_ignored_until_opened)
{
	struct model_event event = { .prefix = 0,
				     .nlflags = NEW,
				     .route = VIA(0, .paths = 1, .path = { { 1, 4 } }) };
	struct fib_prefix prefix;
	struct rib_stats stats;

	model.family = AF_INET;
	model_prefix(&model, 0, &prefix);
	model_message(&model, &event, &message);
	message.table = 100;
	cr_assert_eq(rib_apply(rib, &message), 0);
	cr_expect_null(fake_fib_route(fib, 100, &prefix));
	cr_assert_eq(rib_table_open(rib, 100), 0);
	cr_assert_eq(rib_apply(rib, &message), 0);
	cr_expect_not_null(fake_fib_route(fib, 100, &prefix));
	/* Closed and opened again at once: nothing of its former life is left. */
	rib_table_close(rib, 100);
	cr_assert_eq(rib_table_open(rib, 100), 0);
	cr_expect_null(fake_fib_route(fib, 100, &prefix));
	rib_table_close(rib, 100);
	work();
	rib_stats(rib, &stats);
	cr_expect_eq(stats.tables, 2);
}

/* A route to a gateway in the local table would have to hide all that others say: it punts. */
Test(rib, unicast_in_the_local_table_punts)
{
	struct model_event event = { .prefix = 0,
				     .nlflags = NEW,
				     .route = VIA(0, .paths = 1, .path = { { 1, 4 } }) };
	const struct fake_route *route;
	struct fib_prefix prefix;

	model.family = AF_INET;
	model_prefix(&model, 0, &prefix);
	model_message(&model, &event, &message);
	message.table = RT_TABLE_LOCAL;
	cr_assert_eq(rib_apply(rib, &message), 0);
	route = fake_fib_route(fib, RT_TABLE_LOCAL, &prefix);
	cr_assert(route && route->leaf == REASON_UNSUPPORTED_ROUTE && route->shadow);
}

Test(rib, what_is_not_plain_punts)
{
	struct model_event event = { .prefix = 0,
				     .nlflags = NLM_F_REPLACE,
				     .route = VIA(0, .paths = 1, .path = { { 1, 4 } }) };

	model.family = AF_INET;
	model_message(&model, &event, &message);
	message.encap = true;
	cr_assert_eq(rib_apply(rib, &message), 0);
	expect(0, "reason 13");
	message.encap = false;
	message.too_many = true;
	cr_assert_eq(rib_apply(rib, &message), 0);
	expect(0, "reason 18");
	message.too_many = false;
	message.expires = true;
	cr_assert_eq(rib_apply(rib, &message), 0);
	expect(0, "reason 18");
	message.expires = false;
	message.cloned = true;
	cr_assert_eq(rib_apply(rib, &message), 0);
	expect(0, "reason 18");
	message.cloned = false;
	cr_assert_eq(rib_apply(rib, &message), 0);
	expect(0, "via 1:4");
}

/* A preferred source address went: perhaps its routes with it. */
Test(rib, suspects_punt_until_trusted)
{
	struct model_event event = { .prefix = 0,
				     .nlflags = NEW,
				     .route = VIA(0, .paths = 1, .path = { { 1, 4 } }) };
	__u8 address[4] = { 192, 0, 2, 1 };

	model.family = AF_INET;
	model_message(&model, &event, &message);
	memcpy(message.preferred, address, 4);
	cr_assert_eq(rib_apply(rib, &message), 0);
	expect(0, "via 1:4");
	cr_expect_eq(pathsets_suspect(pathsets, address), 1);
	expect(0, "reason 44");
	pathsets_trust(pathsets);
	expect(0, "via 1:4");
}

/* A dump of what uses a device confirms and removes that only, and asks for more if it tells what is not
 * known. */
Test(rib, dump_of_one_device)
{
	struct model_event first = { .prefix = 0, .route = VIA(0, .paths = 1, .path = { { 1, 4 } }) };
	struct model_event second = { .prefix = 5, .route = VIA(0, .paths = 1, .path = { { 1, 5 } }) };

	told(AF_INET, 0, NEW, first.route);
	told(AF_INET, 1, NEW, VIA(0, .paths = 1, .path = { { 1, 4 } }));
	told(AF_INET, 2, NEW, VIA(0, .paths = 1, .path = { { 2, 4 } }));
	rib_dump_begin(rib, RT_TABLE_MAIN, AF_INET, 1);
	model_message(&model, &first, &message);
	cr_assert_eq(rib_dump_route(rib, &message), 0);
	rib_dump_end(rib, AF_INET, true);
	work();
	expect(0, "via 1:4");
	expect(1, "none");
	expect(2, "via 2:4");
	cr_expect(!rib_dump_again(rib, RT_TABLE_MAIN, AF_INET));
	rib_dump_begin(rib, RT_TABLE_MAIN, AF_INET, 1);
	model_message(&model, &first, &message);
	cr_assert_eq(rib_dump_route(rib, &message), 0);
	model_message(&model, &second, &message);
	cr_assert_eq(rib_dump_route(rib, &message), 0);
	rib_dump_end(rib, AF_INET, true);
	work();
	expect(5, "none");
	cr_expect(rib_dump_again(rib, RT_TABLE_MAIN, AF_INET));
}
