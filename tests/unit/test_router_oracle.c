// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The naive router against cases worked out by hand, and against the kernel's own formulas.
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

#include "tests/oracle/packets.h"
#include "tests/oracle/router.h"

#define BIT(name) (1ull << REASON_##name)

static const __u8 neighbour_mac[6] = { 2, 0xaa, 0, 0, 0, 9 };

static struct world_prefix prefix(const char *address, __u8 length)
{
	struct world_prefix prefix = { .family = strchr(address, ':') ? AF_INET6 : AF_INET,
				       .length = length };

	cr_assert(inet_pton(prefix.family, address, prefix.address) == 1);
	return prefix;
}

static void add_route(struct world *world, const char *address, __u8 length, __u8 type, __u32 mtu,
		      __u32 ifindex, const char *gateway)
{
	struct world_path path = { .ifindex = ifindex, .weight = 1 };
	struct world_route route = { .prefix = prefix(address, length),
				     .table = RT_TABLE_MAIN,
				     .type = type,
				     .mtu = mtu,
				     .path_count = type == RTN_UNICAST };

	if (gateway) {
		path.family = strchr(gateway, ':') ? AF_INET6 : AF_INET;
		cr_assert(inet_pton(path.family, gateway, path.gateway) == 1);
	}
	world_add_route(world, &route, &path);
}

static void add_neighbour(struct world *world, __u32 ifindex, const char *address)
{
	struct world_prefix at = prefix(address, 0);
	struct world_neighbour neighbour = { .ifindex = ifindex, .family = at.family, .resolved = true };

	memcpy(neighbour.address, at.address, 16);
	memcpy(neighbour.mac, neighbour_mac, 6);
	world_add_neighbour(world, &neighbour);
}

// Two ports: w0 with 10.0.0.1/24, w1 with 10.0.1.1/24; routes and neighbours behind w1.
static struct world *two_ports(void)
{
	struct world *world = world_new();
	struct world_interface *in = world_add_interface(world), *out = world_add_interface(world);
	struct world_prefix address[] = { prefix("10.0.0.1", 24), prefix("10.0.1.1", 24),
					  prefix("fd00::1", 64), prefix("fd00:0:1::1", 64) };

	world_add_address(world, in, &address[0]);
	world_add_address(world, out, &address[1]);
	world_add_address(world, in, &address[2]);
	world_add_address(world, out, &address[3]);
	add_route(world, "20.0.0.0", 8, RTN_UNICAST, 0, out->ifindex, "10.0.1.2");
	add_route(world, "20.1.0.0", 16, RTN_UNICAST, 1300, out->ifindex, "10.0.1.2");
	add_route(world, "20.2.0.0", 16, RTN_BLACKHOLE, 0, 0, NULL);
	add_route(world, "20.3.0.0", 16, RTN_UNICAST, 0, out->ifindex, "fd00:0:1::2");
	add_route(world, "20.4.0.0", 16, RTN_UNICAST, 0, out->ifindex, "10.0.1.99");
	add_route(world, "30.0.0.0", 8, RTN_UNICAST, 0, in->ifindex, "10.0.0.2");
	add_route(world, "2001:db8::", 32, RTN_UNICAST, 0, out->ifindex, "fd00:0:1::2");
	add_neighbour(world, out->ifindex, "10.0.1.2");
	add_neighbour(world, out->ifindex, "fd00:0:1::2");
	add_neighbour(world, in->ifindex, "10.0.0.2");
	return world;
}

static struct draft sound(const struct world *world, const char *source, const char *destination)
{
	struct world_prefix from = prefix(source, 0), to = prefix(destination, 0);
	struct draft draft;

	draft_start(&draft, to.family);
	memcpy(draft.source, from.address, 16);
	memcpy(draft.destination, to.address, 16);
	memcpy(draft.destination_mac, world->interface[0].mac, 6);
	return draft;
}

static struct router_answer *ask(const struct world *world, const struct draft *draft)
{
	static struct router_answer answer;
	__u8 frame[DRAFT_FRAME];
	__u32 length = draft_write(draft, frame);

	router_answer(world, &world->interface[0], frame, length, &answer);
	return &answer;
}

static struct router_answer *ask_addresses(const struct world *world, const char *source,
					   const char *destination)
{
	struct draft draft = sound(world, source, destination);

	return ask(world, &draft);
}

Test(router_oracle, forwards_by_hand)
{
	static const __u8 sent[] = {
		2,    0x70, 0, 0,  0,    0,    2, 0, 0,  0,  0,    1,    8, 0, // Ethernet
		0x45, 0,    0, 28, 0x12, 0x34, 0, 0, 64, 17, 0x2e, 0x8e,       // checksum by hand
		30,   1,    2, 3,  20,   5,    6, 7,                           // addresses
		0,    1,    0, 2,  0,    8,    0, 0,                           // UDP
	};
	static const __u8 left[] = {
		2,    0xaa, 0, 0,  0,    9,    2, 0x70, 0,  0,  0,    1,    8, 0, // to the neighbour, from w1
		0x45, 0,    0, 28, 0x12, 0x34, 0, 0,    63, 17, 0x2f, 0x8e,       //
		30,   1,    2, 3,  20,   5,    6, 7,                              //
		0,    1,    0, 2,  0,    8,    0, 0,                              //
	};
	struct world *world = two_ports();
	struct router_answer answer;
	__u8 frame[ROUTER_FRAME];

	router_answer(world, &world->interface[0], sent, sizeof(sent), &answer);
	cr_assert_eq(answer.forbids | answer.excuses, 0, "%s",
		     router_reasons(answer.forbids | answer.excuses));
	cr_assert_eq(answer.member_count, 1);
	cr_assert_eq(router_frame(world, &answer, 0, frame), sizeof(left));
	cr_assert_arr_eq(frame, left, sizeof(left));
	cr_assert_eq(router_member(world, &answer, &world->interface[1], left, sizeof(left)), 0);
	cr_assert_eq(router_member(world, &answer, &world->interface[0], left, sizeof(left)), -1);
	cr_assert_eq(router_member(world, &answer, &world->interface[1], sent, sizeof(sent)), -1);
	world_free(world);
}

// The decrement leaves a header whose checksum is right, for every checksum it may begin with.
Test(router_oracle, every_checksum_stays_right)
{
	struct world *world = two_ports();
	struct draft draft = sound(world, "30.1.2.3", "20.5.6.7");

	for (int checksum = 0; checksum <= 0xffff; checksum++) {
		struct router_answer *answer;
		__u32 sum = 0;

		draft.checksum_edge = checksum;
		answer = ask(world, &draft);
		cr_assert_eq(answer->forbids, 0, "checksum %04x: %s", checksum,
			     router_reasons(answer->forbids));
		for (int i = 0; i < 20; i += 2)
			sum += answer->body[i] << 8 | answer->body[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		cr_assert_eq(sum, 0xffff, "checksum %04x became %02x%02x", checksum, answer->body[10],
			     answer->body[11]);
		cr_assert(answer->body[10] != 0xff || answer->body[11] != 0xff);
	}
	world_free(world);
}

Test(router_oracle, reasons)
{
	static const struct {
		const char *source, *destination;
		__u64 forbids;
	} cases[] = {
		{ "30.1.2.3", "20.1.0.1", 0 },
		{ "30.1.2.3", "20.2.0.1", BIT(BLACKHOLE) },
		{ "30.1.2.3", "20.3.0.1", 0 },
		{ "30.1.2.3", "20.4.0.1", BIT(NEIGHBOUR) },
		{ "30.1.2.3", "40.1.0.1", BIT(NO_ROUTE) },
		{ "30.1.2.3", "10.0.1.1", BIT(LOCAL) },
		{ "30.1.2.3", "10.0.1.255", BIT(BROADCAST) },
		{ "30.1.2.3", "10.0.1.2", 0 },
		{ "30.1.2.3", "10.0.1.3", BIT(NEIGHBOUR) },
		{ "10.0.1.1", "20.1.0.1", BIT(MARTIAN_SOURCE) },
		{ "127.0.0.1", "20.1.0.1", BIT(MARTIAN_SOURCE) },
		{ "224.0.0.1", "20.1.0.1", BIT(MARTIAN_SOURCE) },
		{ "0.0.0.0", "20.1.0.1", BIT(MARTIAN_SOURCE) },
		{ "255.255.255.255", "20.1.0.1", BIT(MARTIAN_SOURCE) },
		{ "240.0.0.1", "20.1.0.1", 0 },
		{ "2001:db8:1::1", "2001:db8:2::1", 0 },
		{ "fe80::1", "2001:db8:2::1", BIT(MARTIAN_SOURCE) },
		{ "ff02::1", "2001:db8:2::1", BIT(MARTIAN_SOURCE) },
		{ "::1", "2001:db8:2::1", BIT(MARTIAN_SOURCE) },
		{ "2001:db8:1::1", "fd00:0:1::1", BIT(LOCAL) },
		{ "2001:db8:1::1", "fd00:0:1::", BIT(BROADCAST) },
		{ "2001:db8:1::1", "fd00:0:1::2", 0 },
		{ "2001:db8:1::1", "3001::1", BIT(NO_ROUTE) },
	};
	struct world *world = two_ports();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		__u64 forbids = ask_addresses(world, cases[i].source, cases[i].destination)->forbids;

		cr_expect_eq(forbids, cases[i].forbids, "%s to %s: %s", cases[i].source, cases[i].destination,
			     router_reasons(forbids));
	}
	world_free(world);
}

Test(router_oracle, reverse_path)
{
	struct world *world = two_ports();

	world->interface[0].rp_filter = 1;
	cr_assert_eq(ask_addresses(world, "30.1.2.3", "20.1.0.1")->forbids, 0);
	cr_assert_eq(ask_addresses(world, "20.9.2.3", "20.1.0.1")->forbids, BIT(RPF));
	cr_assert_eq(ask_addresses(world, "40.1.2.3", "20.1.0.1")->forbids, BIT(RPF));
	world->interface[0].rp_filter = 2;
	cr_assert_eq(ask_addresses(world, "20.9.2.3", "20.1.0.1")->forbids, 0);
	cr_assert_eq(ask_addresses(world, "20.2.2.3", "20.1.0.1")->forbids, BIT(RPF));
	cr_assert_eq(ask_addresses(world, "40.1.2.3", "20.1.0.1")->forbids, BIT(RPF));
	world_free(world);
}

Test(router_oracle, size)
{
	struct world *world = two_ports();
	struct draft draft = sound(world, "30.1.2.3", "20.1.0.1");

	draft_set_ip_length(&draft, 1300);
	cr_assert_eq(ask(world, &draft)->forbids, 0);
	draft_set_ip_length(&draft, 1301);
	cr_assert_eq(ask(world, &draft)->forbids, BIT(TOO_BIG));
	draft.payload = 10;
	draft.trailer = 16;
	cr_assert_eq(ask(world, &draft)->padding, 16);
	cr_assert_eq(ask(world, &draft)->excuses, 0);
	draft.trailer = 17;
	cr_assert_eq(ask(world, &draft)->excuses, BIT(TRAILER));
	draft.trailer = 0;
	draft.length_error = 1;
	cr_assert_eq(ask(world, &draft)->forbids, BIT(BAD_LENGTH));
	world_free(world);
}

Test(router_oracle, header)
{
	struct world *world = two_ports();
	const struct draft good = sound(world, "30.1.2.3", "20.1.0.1");
	struct draft draft = good;

	draft.ttl = 1;
	cr_assert_eq(ask(world, &draft)->forbids, BIT(TTL));
	draft = good;
	draft.checksum = 0x1234;
	cr_assert_eq(ask(world, &draft)->forbids, BIT(BAD_CHECKSUM));
	draft = good;
	draft.version = 5;
	cr_assert_eq(ask(world, &draft)->forbids, BIT(BAD_VERSION));
	draft = good;
	draft.header_words = 4;
	cr_assert_eq(ask(world, &draft)->forbids, BIT(BAD_HEADER_LENGTH));
	draft = good;
	draft.option_count = 4;
	cr_assert_eq(ask(world, &draft)->forbids, BIT(OPTIONS));
	draft = good;
	draft.cut = 33;
	cr_assert_eq(ask(world, &draft)->forbids, BIT(TRUNCATED));
	draft = good;
	draft.destination_mac[5] ^= 1;
	cr_assert_eq(ask(world, &draft)->forbids, BIT(NOT_FOR_US));
	draft = good;
	draft.destination_mac[0] |= 1;
	cr_assert_eq(ask(world, &draft)->forbids, BIT(LINK_MULTICAST));
	draft = good;
	draft.tag_count = 1;
	draft.tag[0] = (struct draft_tag){ 0x8100, 7 };
	cr_assert_eq(ask(world, &draft)->forbids, BIT(TAG_UNKNOWN));
	draft.tag[0].tci = 0xe000;
	cr_assert_eq(ask(world, &draft)->forbids, 0);
	cr_assert_eq(ask(world, &draft)->excuses, BIT(TAG_UNKNOWN));
	world_free(world);
}

// A tagged frame enters by its sub-interface and may leave by another with two tags.
Test(router_oracle, tags)
{
	struct world *world = two_ports();
	struct world_interface *outer = world_add_interface(world), *inner = world_add_interface(world);
	struct world_interface *in = world_add_interface(world);
	struct world_prefix address = prefix("10.0.2.1", 24);
	struct draft draft = sound(world, "30.1.2.3", "50.0.0.1");
	static const __u8 tags[] = { 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0, 0x45 };
	struct router_answer *answer;
	__u8 frame[ROUTER_FRAME];

	outer->parent = world->interface[1].ifindex;
	outer->tpid = 0x88a8;
	outer->vid = 5;
	inner->parent = outer->ifindex;
	inner->tpid = 0x8100;
	inner->vid = 6;
	in->parent = world->interface[0].ifindex;
	in->tpid = 0x8100;
	in->vid = 9;
	memcpy(in->mac, world->interface[0].mac, 6);
	world_add_address(world, inner, &address);
	add_route(world, "50.0.0.0", 8, RTN_UNICAST, 0, inner->ifindex, "10.0.2.2");
	add_neighbour(world, inner->ifindex, "10.0.2.2");
	draft.tag_count = 1;
	draft.tag[0] = (struct draft_tag){ 0x8100, 9 | 3 << 13 };
	answer = ask(world, &draft);
	cr_assert_eq(answer->forbids | answer->excuses, 0, "%s",
		     router_reasons(answer->forbids | answer->excuses));
	cr_assert_eq(router_frame(world, answer, 0, frame), 14 + 8 + 20 + 26);
	cr_assert_arr_eq(frame + 12, tags, sizeof(tags));
	world_free(world);
}

// Redirects are Linux' business; without them a packet may leave where it came in.
Test(router_oracle, same_interface)
{
	struct world *world = two_ports();

	cr_assert_eq(ask_addresses(world, "40.1.2.3", "30.1.0.1")->forbids, 0);
	world->interface[0].redirects = true;
	cr_assert_eq(ask_addresses(world, "40.1.2.3", "30.1.0.1")->forbids, BIT(SAME_INTERFACE));
	world_free(world);
}

// Draws packets twice; how many of them Linux forwards, and how many the product must.
static void draw_twice(__u64 seed, __u32 count, __u32 *forwarded, __u32 *plain)
{
	const struct world_options options = { .ports = 4, .sub_interfaces = 6, .vrfs = 2, .routes = 500 };
	struct world *world = world_random(seed, &options), *again = world_random(seed, &options);
	struct packets *one = packets_new(world, 9), *two = packets_new(again, 9);
	static struct packet_drawn first, second;
	struct router_answer answer;

	for (__u32 i = 0; i < count; i++) {
		packets_next(one, &first);
		packets_next(two, &second);
		cr_assert_eq(first.length, second.length);
		cr_assert_arr_eq(first.frame, second.frame, first.length);
		router_answer(world, first.port, first.frame, first.length, &answer);
		*forwarded += !answer.forbids;
		*plain += !(answer.forbids | answer.excuses);
	}
	packets_free(one);
	packets_free(two);
	world_free(world);
	world_free(again);
}

// Most packets must test forwarding, and two drawings must be alike.
Test(router_oracle, packets_are_repeatable_and_mostly_forwarded)
{
	const __u32 count = 10000, worlds = 10;
	__u32 forwarded = 0, plain = 0;

	for (__u32 seed = 0; seed < worlds; seed++)
		draw_twice(seed, count, &forwarded, &plain);
	cr_log_info("%u of %u forwarded, %u of them plain", forwarded, worlds * count, plain);
	cr_expect_gt(forwarded, worlds * count / 2);
	cr_expect_gt(plain, worlds * count * 2 / 5);
}
