// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/oracle/spoil.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/if_ether.h>

#include "tests/oracle/packets.h"

static __u32 below(const struct spoil *spoil, __u32 bound)
{
	return random_below(spoil->random, bound);
}

#define ONE_OF(spoil, array) ((array)[below(spoil, sizeof(array) / sizeof((array)[0]))])

static bool is_v4(const struct spoil *spoil)
{
	return spoil->draft->family == AF_INET;
}

/* --- the IP header --- */

static void ttl(const struct spoil *spoil)
{
	static const __u8 edges[] = { 0, 1, 1, 2, 255 };

	spoil->draft->ttl = ONE_OF(spoil, edges);
}

static void version(const struct spoil *spoil)
{
	spoil->draft->version = below(spoil, 16);
}

// Ethertype and header disagree.
static void ethertype_of_other(const struct spoil *spoil)
{
	spoil->draft->ethertype = is_v4(spoil) ? ETH_P_IPV6 : ETH_P_IP;
}

static void header_words(const struct spoil *spoil)
{
	spoil->draft->header_words = below(spoil, 16);
}

static void ip_length(const struct spoil *spoil)
{
	static const int errors[] = { 1, 2, 4, 20, 1000, -1, -2, -8, -20, -40, -4000, 40000 };

	spoil->draft->length_error = ONE_OF(spoil, errors);
}

static void ip_length_any(const struct spoil *spoil)
{
	spoil->draft->length_error = below(spoil, 65536);
}

static void trailer(const struct spoil *spoil)
{
	spoil->draft->trailer += 1 + below(spoil, 20);
	spoil->draft->trailer_byte = below(spoil, 256);
}

static void checksum_wrong(const struct spoil *spoil)
{
	static const __u16 values[] = { 0, 0xffff, 1, 0xfeff, 0x00ff, 0xff00 };

	spoil->draft->checksum = below(spoil, 2) ? ONE_OF(spoil, values) : below(spoil, 65536);
}

// Right checksums around the carries of the decrement.
static void checksum_edge(const struct spoil *spoil)
{
	static const __u16 edges[] = { 0x0000, 0xffff, 0x0001, 0xfeff, 0xfefe, 0xff00, 0xfe00, 0xfffe,
				       0x00ff, 0x0100, 0xfdff, 0x8000, 0x7fff, 0xff01, 0x00fe, 0xffee };

	spoil->draft->checksum_edge = below(spoil, 4) ? ONE_OF(spoil, edges) : below(spoil, 65536);
}

static void fragment(const struct spoil *spoil)
{
	static const __u16 fields[] = {
		0x2000, 0x2001, 0x0001, 0x1fff, 0x3fff, 0x8000, 0x6000, 0x00b9, 0x20b9
	};

	spoil->draft->fragment = ONE_OF(spoil, fields);
	if (is_v4(spoil))
		return;
	// RFC 8200 4.5: first, middle, last, atomic
	static const __u8 offsets[][2] = { { 0, 1 }, { 0x05, 0xc9 }, { 0x05, 0xc8 }, { 0, 0 } };
	const __u8 *offset = ONE_OF(spoil, offsets);
	__u8 header[8] = { spoil->draft->protocol, 0, offset[0], offset[1], 1, 2, 3, below(spoil, 256) };

	memcpy(spoil->draft->chain, header, 8);
	spoil->draft->chain_count = 8;
	spoil->draft->chain_first = IPPROTO_FRAGMENT;
}

/* --- IPv4 options --- */

static void options(const struct spoil *spoil)
{
	static const struct {
		__u8 count, bytes[DRAFT_OPTIONS];
	} kinds[] = {
		{ 4, { 1, 1, 1, 1 } },                            // no operation
		{ 1, { 0 } },                                     // end of list
		{ 4, { 148, 4, 0, 0 } },                          // router alert
		{ 7, { 7, 7, 4, 0, 0, 0, 0 } },                   // record route, one slot
		{ 11, { 7, 11, 8, 10, 0, 0, 1, 0, 0, 0, 0 } },    // record route, second slot
		{ 3, { 7, 3, 4 } },                               // record route, full
		{ 7, { 131, 7, 4, 10, 0, 0, 2 } },                // loose source route
		{ 7, { 137, 7, 4, 10, 0, 0, 2 } },                // strict source route
		{ 8, { 68, 8, 5, 0, 0, 0, 0, 0 } },               // time stamp
		{ 12, { 68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0 } }, // time stamp with address
		{ 4, { 68, 4, 5, 0xf0 } },                        // time stamp, overflown
		{ 4, { 7, 39, 4, 0 } },                           // longer than the header
		{ 4, { 7, 0, 4, 0 } },                            // length zero
		{ 4, { 7, 1, 4, 0 } },                            // length one
		{ 7, { 7, 7, 1, 0, 0, 0, 0 } },                   // pointer before the first slot
		{ 4, { 1, 1, 1, 7 } },                            // cut off
		{ 8, { 99, 8, 1, 2, 3, 4, 5, 6 } },               // unknown
		{ 11, { 130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },   // security
		{ 8, { 131, 3, 4, 137, 3, 4, 0, 0 } },            // two source routes
		{ 8, { 134, 8, 0, 0, 0, 1, 1, 2 } },              // CIPSO, bad
		{ 40, { 1 } },                                    // the longest
	};
	__u32 kind = below(spoil, sizeof(kinds) / sizeof(kinds[0]));

	if (!is_v4(spoil))
		return;
	memcpy(spoil->draft->option, kinds[kind].bytes, DRAFT_OPTIONS);
	spoil->draft->option_count = kinds[kind].count;
}

static void options_any(const struct spoil *spoil)
{
	if (!is_v4(spoil))
		return;
	spoil->draft->option_count = 1 + below(spoil, 40);
	random_bytes(spoil->random, spoil->draft->option, DRAFT_OPTIONS);
}

/* --- IPv6 extension headers --- */

static void chain_add(struct draft *draft, __u8 type, const __u8 *bytes, __u32 count)
{
	if (draft->chain_count + count > DRAFT_CHAIN)
		return;
	// the new one goes to the front and leads to what was there
	memmove(draft->chain + count, draft->chain, draft->chain_count);
	memcpy(draft->chain, bytes, count);
	draft->chain[0] = draft->chain_count ? draft->chain_first : draft->protocol;
	draft->chain_first = type;
	draft->chain_count += count;
}

static void chain_draw(const struct spoil *spoil)
{
	static const struct {
		__u8 type, count, bytes[24];
	} kinds[] = {
		{ IPPROTO_DSTOPTS, 8, { 0, 0, 1, 4, 0, 0, 0, 0 } }, // padding
		{ IPPROTO_DSTOPTS,
		  16,
		  { 0, 1, 0xc2, 4, 1, 2, 3, 4, 1, 4 } }, // unknown option: discard, answer
		{ IPPROTO_DSTOPTS, 8, { 0, 9, 1, 4 } },  // too long
		{ IPPROTO_ROUTING, 24, { 0, 2, 0, 1, 0, 0, 0, 0, 0x20, 1 } }, // type 0
		{ IPPROTO_ROUTING, 24, { 0, 2, 4, 1, 0, 0, 0, 0, 0x20, 1 } }, // type 4, segment routing
		{ IPPROTO_ROUTING, 8, { 0, 0, 99, 0 } },                      // unknown type
		{ IPPROTO_FRAGMENT, 8, { 0, 0, 0, 1, 0, 0, 0, 9 } },
		{ IPPROTO_AH, 16, { 0, 2, 0, 0, 0, 0, 0, 7 } },
		{ IPPROTO_NONE, 8, { 0 } },
		{ 253, 8, { 0 } }, // experimental
		{ 135, 8, { 0 } }, // mobility
	};
	__u32 kind = below(spoil, sizeof(kinds) / sizeof(kinds[0]));

	chain_add(spoil->draft, kinds[kind].type, kinds[kind].bytes, kinds[kind].count);
}

static void chain(const struct spoil *spoil)
{
	if (is_v4(spoil))
		return;
	for (__u32 count = 1 + below(spoil, 3); count > 0; count--)
		chain_draw(spoil);
}

static void hop_by_hop(const struct spoil *spoil)
{
	static const __u8 kinds[][8] = {
		{ 0, 0, 1, 4, 0, 0, 0, 0 },    // padding
		{ 0, 0, 5, 2, 0, 0, 1, 0 },    // router alert
		{ 0, 0, 0x3e, 4, 0, 0, 0, 0 }, // unknown: skip
		{ 0, 0, 0x7e, 4, 0, 0, 0, 0 }, // unknown: discard
		{ 0, 0, 0xbe, 4, 0, 0, 0, 0 }, // unknown: discard and answer
		{ 0, 0, 0xc2, 4, 0, 1, 0, 0 }, // jumbo payload
		{ 0, 40, 1, 4, 0, 0, 0, 0 },   // longer than the packet
		{ 0, 0, 1, 60, 0, 0, 0, 0 },   // option longer than the header
	};

	if (is_v4(spoil))
		return;
	if (below(spoil, 3) == 0)
		chain_draw(spoil);
	chain_add(spoil->draft, IPPROTO_HOPOPTS, ONE_OF(spoil, kinds), 8);
	if (below(spoil, 8) == 0) // a payload length of zero, as a jumbogram has it
		spoil->draft->length_error = 40 - (int)draft_ip_length(spoil->draft);
}

/* --- addresses --- */

static const char *const special4[] = {
	"0.0.0.0",     "0.0.0.1",         "0.255.255.255",   "10.0.0.1",   "127.0.0.1",  "127.255.255.255",
	"169.254.1.1", "192.0.2.1",       "198.18.0.1",      "224.0.0.1",  "224.0.0.5",  "239.255.255.255",
	"240.0.0.1",   "255.255.255.255", "255.255.255.254", "100.64.0.1", "10.0.0.255", "10.0.0.0",
};
static const char *const special6[] = {
	"::",
	"::1",
	"::2",
	"::192.0.2.1",
	"::ffff:192.0.2.1",
	"64:ff9b::c000:201",
	"100::1",
	"2001:db8::1",
	"2002::1",
	"fc00::1",
	"fd00:0:0::1",
	"fe80::1",
	"fe80::2",
	"febf::1",
	"fec0::1",
	"ff00::1",
	"ff01::1",
	"ff02::1",
	"ff02::1:ff00:1",
	"ff05::2",
	"ff0e::1",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"fd00:0:0::",
	"0:0:0:1::1",
	"0:0:0:0:1::",
};

static void special(const struct spoil *spoil, __u8 address[16])
{
	inet_pton(spoil->draft->family, is_v4(spoil) ? ONE_OF(spoil, special4) : ONE_OF(spoil, special6),
		  address);
}

// An address of this router, or of one of its subnets: first, last, next to them.
static void own(const struct spoil *spoil, __u8 address[16])
{
	const struct world_interface *interface =
		&spoil->world->interface[below(spoil, spoil->world->interface_count)];
	const struct world_prefix *own;
	__u8 *last = &address[is_v4(spoil) ? 3 : 15];

	if (!interface->address_count)
		return;
	own = &interface->address[below(spoil, interface->address_count)];
	if (own->family != spoil->draft->family)
		return;
	memcpy(address, own->address, 16);
	if (below(spoil, 2))
		return;
	*last = below(spoil, 3) ? below(spoil, 16) : 0xff;
	if (is_v4(spoil) && below(spoil, 2)) // the subnet's last: directed broadcast
		*last = 0xff >> (own->length - 24);
}

static void any(const struct spoil *spoil, __u8 address[16])
{
	random_bytes(spoil->random, address, is_v4(spoil) ? 4 : 16);
}

// Just outside a route.
static void beside(const struct spoil *spoil, __u8 address[16])
{
	int length = is_v4(spoil) ? 4 : 16;
	int by = below(spoil, 2) ? 1 : -1;

	packets_address(spoil->random, &spoil->world->route[below(spoil, spoil->world->route_count)].prefix,
			address);
	for (int i = length - 1; i >= 0; i--) {
		int value = address[i] + by;

		address[i] = value;
		if (value >= 0 && value <= 255)
			return;
	}
}

static void source_special(const struct spoil *spoil)
{
	special(spoil, spoil->draft->source);
}

static void source_own(const struct spoil *spoil)
{
	own(spoil, spoil->draft->source);
}

static void source_any(const struct spoil *spoil)
{
	any(spoil, spoil->draft->source);
}

static void destination_special(const struct spoil *spoil)
{
	special(spoil, spoil->draft->destination);
}

static void destination_own(const struct spoil *spoil)
{
	own(spoil, spoil->draft->destination);
}

static void destination_any(const struct spoil *spoil)
{
	any(spoil, spoil->draft->destination);
}

static void destination_beside(const struct spoil *spoil)
{
	beside(spoil, spoil->draft->destination);
}

/* --- size --- */

static void mtu(const struct spoil *spoil)
{
	const struct world_route *route = spoil->route;
	__u32 mtu = 1500;

	if (route->path_count) {
		__u32 path = route->first_path + below(spoil, route->path_count);
		const struct world_interface *out =
			world_interface(spoil->world, spoil->world->path[path].ifindex);

		if (out)
			mtu = out->mtu;
	}
	if (route->mtu && below(spoil, 4))
		mtu = route->mtu;
	draft_set_ip_length(spoil->draft, mtu - 2 + below(spoil, 5));
	spoil->draft->trailer = 0;
	spoil->draft->fragment = below(spoil, 2) ? 0x4000 : 0;
}

static void empty(const struct spoil *spoil)
{
	spoil->draft->payload = below(spoil, 9);
}

static void cut(const struct spoil *spoil)
{
	spoil->draft->cut = 14 + below(spoil, 66);
}

/* --- link layer --- */

static void station(const struct spoil *spoil)
{
	static const __u8 macs[][6] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 1, 0, 0x5e, 0, 0, 5 },
		{ 0x33, 0x33, 0, 0, 0, 1 },
		{ 1, 0x80, 0xc2, 0, 0, 0 },
		{ 1, 0x80, 0xc2, 0, 0, 3 },
		{ 1, 0x80, 0xc2, 0, 0, 0xe },
		{ 2, 0x66, 0, 0, 0, 1 },
		{ 0, 0, 0, 0, 0, 0 },
	};
	__u32 other = below(spoil, spoil->world->interface_count);

	if (below(spoil, 3))
		memcpy(spoil->draft->destination_mac, ONE_OF(spoil, macs), 6);
	else
		memcpy(spoil->draft->destination_mac, spoil->world->interface[other].mac, 6);
	if (below(spoil, 4) == 0) // one bit off
		spoil->draft->destination_mac[below(spoil, 6)] ^= 1 << below(spoil, 8);
}

static void ethertype(const struct spoil *spoil)
{
	static const __u16 types[] = { ETH_P_ARP, 0x88cc, 0x888e, 0x8847, 0x8848,     0x8863, 0x8864,
				       0x8809,    0x0026, 0x05dc, 0x05ff, 0x0600,     0x22f0, 0x88f7,
				       0x0801,    0x86dc, 0x0000, 0xffff, ETH_P_8021Q };

	spoil->draft->ethertype = ONE_OF(spoil, types);
}

static void tag(const struct spoil *spoil)
{
	static const __u16 tpids[] = { ETH_P_8021Q, ETH_P_8021Q, ETH_P_8021AD, 0x9100 };
	struct draft *draft = spoil->draft;
	struct draft_tag new = { ONE_OF(spoil, tpids), below(spoil, 65536) };
	__u32 at;

	if (below(spoil, 2))
		new.tci = 1 + below(spoil, 200);
	if (below(spoil, 3) == 0)
		new.tci &= 0xf000; // priority tag
	if (draft->tag_count == DRAFT_TAGS)
		return;
	at = below(spoil, draft->tag_count + 1);
	memmove(draft->tag + at + 1, draft->tag + at, (draft->tag_count - at) * sizeof(*draft->tag));
	draft->tag[at] = new;
	draft->tag_count++;
}

// Another number or kind for a tag, or none.
static void tag_changed(const struct spoil *spoil)
{
	struct draft *draft = spoil->draft;

	if (!draft->tag_count) {
		tag(spoil);
	} else if (below(spoil, 3) == 0) {
		draft->tag_count--;
	} else if (below(spoil, 2)) {
		draft->tag[below(spoil, draft->tag_count)].tci ^= 1 << below(spoil, 16);
	} else {
		draft->tag[below(spoil, draft->tag_count)].tpid ^= ETH_P_8021Q ^ ETH_P_8021AD;
	}
}

static const struct {
	const char *name;
	__u32 weight;
	void (*change)(const struct spoil *spoil);
} ways[] = {
	{ "ttl", 6, ttl },
	{ "version", 3, version },
	{ "ethertype of the other family", 1, ethertype_of_other },
	{ "header words", 4, header_words },
	{ "length", 5, ip_length },
	{ "length, any", 1, ip_length_any },
	{ "trailer", 4, trailer },
	{ "checksum wrong", 4, checksum_wrong },
	{ "checksum edge", 10, checksum_edge },
	{ "fragment", 6, fragment },
	{ "options", 5, options },
	{ "options, any", 2, options_any },
	{ "extension headers", 8, chain },
	{ "hop-by-hop", 4, hop_by_hop },
	{ "special source", 5, source_special },
	{ "own source", 4, source_own },
	{ "any source", 4, source_any },
	{ "special destination", 5, destination_special },
	{ "own destination", 4, destination_own },
	{ "any destination", 4, destination_any },
	{ "destination beside a route", 6, destination_beside },
	{ "mtu", 8, mtu },
	{ "empty", 3, empty },
	{ "cut", 5, cut },
	{ "station", 5, station },
	{ "ethertype", 3, ethertype },
	{ "tag", 4, tag },
	{ "tag changed", 3, tag_changed },
};

const char *spoil_draft(const struct spoil *spoil)
{
	__u32 total = 0, i = 0, draw;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		total += ways[i].weight;
	draw = below(spoil, total);
	for (i = 0; draw >= ways[i].weight; i++)
		draw -= ways[i].weight;
	ways[i].change(spoil);
	return ways[i].name;
}

void spoil_frame(struct random *random, __u8 *frame, __u32 length)
{
	if (random_below(random, 8) == 0) {
		random_bytes(random, frame + 12, length > 12 ? length - 12 : 0);
		return;
	}
	for (__u32 flips = 1 + random_below(random, 4); flips > 0 && length; flips--)
		frame[random_below(random, length)] ^= 1 << random_below(random, 8);
}
