// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/oracle/router.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

#define BIT(name) (1ull << REASON_##name)

// What has been understood of a frame so far.
struct frame {
	const struct world *world;
	struct router_answer *answer;
	const __u8 *bytes;
	__u32 length, tags;
	const struct world_interface *in; // NULL: no interface takes it
	const __u8 *ip;
	__u32 left; // bytes of the frame from ip on
	__u16 ethertype;
	__u8 family;
	const __u8 *source, *destination;
	__u32 ip_length;
};

static void forbid(struct frame *frame, __u64 reasons)
{
	frame->answer->forbids |= reasons;
}

static void excuse(struct frame *frame, __u64 reasons)
{
	frame->answer->excuses |= reasons;
}

static __u16 get16(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static __u32 get32(const __u8 *at)
{
	return (__u32)get16(at) << 16 | get16(at + 2);
}

static bool is_zero(const __u8 *at, __u32 count)
{
	while (count > 0 && at[count - 1] == 0)
		count--;
	return count == 0;
}

/* --- link layer --- */

// A tag leads to a sub-interface. VID 0 is a priority tag: where no sub-interface has that number, Linux
// takes the frame for one without the tag.
static void take_tag(struct frame *frame, __u16 tpid, __u16 vid)
{
	const struct world_interface *sub;

	if (!frame->in)
		return;
	sub = world_sub_interface(frame->world, frame->in->ifindex, tpid, vid);
	if (sub) {
		frame->in = sub;
	} else if (vid == 0) {
		excuse(frame, BIT(TAG_UNKNOWN));
	} else {
		forbid(frame, BIT(TAG_UNKNOWN));
		frame->in = NULL;
	}
}

// Finds the IP header; false: there is none.
static bool read_link(struct frame *frame)
{
	__u32 at = 12;

	if (frame->length < 14) {
		forbid(frame, BIT(TRUNCATED));
		return false;
	}
	frame->ethertype = get16(frame->bytes + at);
	while (frame->ethertype == 0x8100 || frame->ethertype == 0x88a8) {
		if (++frame->tags > 2)
			excuse(frame, BIT(TAGS_TOO_DEEP)); // Linux reads any number
		if (frame->length < at + 6) {
			forbid(frame, BIT(TRUNCATED));
			return false;
		}
		take_tag(frame, frame->ethertype, get16(frame->bytes + at + 2) & 0xfff);
		at += 4;
		frame->ethertype = get16(frame->bytes + at);
	}
	frame->ip = frame->bytes + at + 2;
	frame->left = frame->length - at - 2;
	if (frame->left < 20)
		forbid(frame, BIT(TRUNCATED)); // no room for an IP header, whatever the ethertype
	if (frame->ethertype != 0x0800 && frame->ethertype != 0x86dd) {
		forbid(frame, BIT(NOT_IP));
		return false;
	}
	frame->family = frame->ethertype == 0x0800 ? AF_INET : AF_INET6;
	return true;
}

// Linux takes a frame whose address is that of any device on the way up from the port.
static void check_station(struct frame *frame)
{
	const struct world_interface *device = frame->in;

	if (memcmp(frame->bytes, device->mac, 6) == 0)
		return;
	while (device->parent) {
		device = world_interface(frame->world, device->parent);
		if (memcmp(frame->bytes, device->mac, 6) == 0) {
			excuse(frame, BIT(NOT_FOR_US));
			return;
		}
	}
	forbid(frame, frame->bytes[0] & 1 ? BIT(LINK_MULTICAST) : BIT(NOT_FOR_US));
}

static bool has_sub_interfaces(const struct world *world, const struct world_interface *port)
{
	for (__u32 i = 0; i < world->interface_count; i++)
		if (world->interface[i].parent == port->ifindex)
			return true;
	return false;
}

// Where a tag may be hidden, and leads somewhere, the product must leave all to Linux; where Linux is asked
// as well, it may.
static void check_tags(struct frame *frame)
{
	const struct world_interface *port = world_port(frame->world, frame->in);

	if (!has_sub_interfaces(frame->world, port))
		return;
	if (port->hides)
		forbid(frame, BIT(TAG_HIDDEN));
	if (frame->world->beside)
		excuse(frame, BIT(TAG_HIDDEN));
}

static void check_interface(struct frame *frame)
{
	const struct world_interface *in = frame->in;

	for (const struct world_interface *device = in; device;
	     device = world_interface(frame->world, device->parent))
		if (!device->up)
			forbid(frame, BIT(INGRESS_DOWN) | BIT(FORWARDING_OFF));
	if (in->punt)
		forbid(frame, 1ull << in->punt);
	if (!(frame->family == AF_INET ? in->forward4 : in->forward6))
		forbid(frame, BIT(FORWARDING_OFF));
	check_station(frame);
}

/* --- routing --- */

// Walks the tables as Linux does: local, the VRF's, main. A route of type throw sends the search on; so does
// a VRF without a match. The product may leave both to Linux: *ret_detours.
static const struct world_route *find_route(struct frame *frame, const __u8 *address, __u64 *ret_detours)
{
	__u32 tables[] = { RT_TABLE_LOCAL, frame->in->table, RT_TABLE_MAIN };

	*ret_detours = 0;
	for (unsigned int i = 0; i < 3; i++) {
		const struct world_route *route =
			world_lookup(frame->world, tables[i], frame->family, address);

		if (route && route->type != RTN_THROW)
			return route;
		if (route)
			*ret_detours |= BIT(THROW);
		if (tables[i] == RT_TABLE_MAIN)
			break; // main is also the last
		if (i == 1)
			*ret_detours |= BIT(NO_ROUTE);
	}
	return NULL;
}

// The interface can send: it and the devices below are up, and it stands on a port that takes frames.
static bool can_send(const struct world *world, const struct world_interface *out)
{
	if (!out || !world_port(world, out)->able || world_port(world, out)->foreign)
		return false;
	for (; out; out = world_interface(world, out->parent))
		if (!out->up)
			return false;
	return true;
}

static __u32 tags_of(const struct world *world, const struct world_interface *out)
{
	return out->parent ? 1 + tags_of(world, world_interface(world, out->parent)) : 0;
}

// Linux lets a route raise the MTU of IPv4 above the interface's. And it sends frames with two tags that are
// longer than the port's MTU and one tag, but redirects none such. The product may, or must, leave both to
// it.
static __u32 path_mtu(struct frame *frame, const struct world_route *route, const struct world_interface *out)
{
	if (!out)
		return 0;
	if (frame->ip_length + tags_of(frame->world, out) * 4 > world_port(frame->world, out)->mtu + 4)
		excuse(frame, BIT(TOO_BIG));
	if (!route->mtu)
		return out->mtu;
	if (frame->family == AF_INET && frame->ip_length > out->mtu)
		excuse(frame, BIT(TOO_BIG));
	return frame->family == AF_INET || route->mtu < out->mtu ? route->mtu : out->mtu;
}

// Why a path does not carry the packet, as a set of reasons; empty: it does, to ret_mac.
static __u64 path_refusal(struct frame *frame, const struct world_route *route, const struct world_path *path,
			  __u8 ret_mac[6])
{
	const struct world_interface *out = world_interface(frame->world, path->ifindex);
	const struct world_neighbour *neighbour;
	__u32 mtu = path_mtu(frame, route, out);
	__u64 refusal = 0;

	if (!can_send(frame->world, out))
		return BIT(EGRESS_DOWN) | BIT(EGRESS_FOREIGN) | BIT(EGRESS_UNABLE) | BIT(NEIGHBOUR);
	neighbour = world_neighbour(frame->world, path->ifindex, path->family ? path->family : frame->family,
				    path->family ? path->gateway : frame->destination);
	if (neighbour && neighbour->resolved)
		memcpy(ret_mac, neighbour->mac, 6);
	else
		refusal |= BIT(NEIGHBOUR);
	if (frame->ip_length > mtu)
		refusal |= BIT(TOO_BIG);
	// Linux sends a redirect where the source is a neighbour, and for IPv6 whatever the sysctl says
	if (out == frame->in && (frame->family == AF_INET6 || frame->in->redirects))
		refusal |= BIT(SAME_INTERFACE);
	return refusal;
}

// Every path that carries the packet is a member. Where some do not, Linux may pick one of those too: the
// product may leave the packet to it.
static void check_paths(struct frame *frame, const struct world_route *route)
{
	struct router_answer *answer = frame->answer;
	__u64 refusals = 0;
	bool on_link = false;

	answer->path_count = route->path_count;
	for (__u32 i = 0; i < route->path_count; i++) {
		const struct world_path *path = &frame->world->path[route->first_path + i];
		struct router_member *member = &answer->member[answer->member_count];
		__u64 refusal = path_refusal(frame, route, path, member->mac);

		member->out = world_interface(frame->world, path->ifindex);
		if (!refusal)
			answer->member_count++;
		refusals |= refusal;
		on_link |= !path->family;
	}
	if (!answer->member_count)
		forbid(frame, refusals);
	else
		excuse(frame, refusals);
	if (on_link && route->path_count > 1)
		excuse(frame, BIT(UNSUPPORTED_ROUTE) | BIT(NEIGHBOUR));
}

static void check_route(struct frame *frame)
{
	__u64 detours;
	const struct world_route *route = find_route(frame, frame->destination, &detours);

	excuse(frame, detours);
	switch (route ? route->type : RTN_UNSPEC) {
	case RTN_UNICAST:
		check_paths(frame, route);
		break;
	case RTN_LOCAL:
		forbid(frame, BIT(LOCAL));
		break;
	case RTN_BROADCAST:
	case RTN_ANYCAST:
		forbid(frame, BIT(BROADCAST));
		break;
	case RTN_BLACKHOLE:
		forbid(frame, BIT(BLACKHOLE));
		break;
	case RTN_UNREACHABLE:
		forbid(frame, BIT(UNREACHABLE));
		break;
	case RTN_PROHIBIT:
		forbid(frame, BIT(PROHIBIT));
		break;
	default:
		forbid(frame, BIT(NO_ROUTE));
	}
}

// The longest IP packet that fits the frame: padding of a shortest frame may stay, a longer trailer may be
// left to Linux, which trims.
static void check_trailer(struct frame *frame)
{
	if (frame->ip_length >= frame->left)
		return;
	if (frame->length > 60)
		excuse(frame, BIT(TRAILER));
	if (frame->length <= 60 + 4 * frame->tags)
		frame->answer->padding = frame->left - frame->ip_length;
}

static __u32 mix(__u32 hash, const __u8 *bytes, __u32 count)
{
	while (count--)
		hash = (hash ^ *bytes++) * 16777619;
	return hash;
}

// Packets of one flow: the same addresses, protocol and ports; of a fragmented one, the same addresses.
static void note_flow(struct frame *frame, __u8 protocol, const __u8 *payload, __u32 payload_length,
		      bool fragment)
{
	__u32 width = frame->family == AF_INET ? 4 : 16;
	__u32 hash = mix(mix(2166136261, frame->source, width), frame->destination, width);

	frame->answer->fragment = fragment;
	if (!fragment) {
		hash = mix(hash, &protocol, 1);
		if ((protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) && payload_length >= 4)
			hash = mix(hash, payload, 4);
	}
	frame->answer->flow = hash;
}

/* --- IPv4 --- */

// RFC 1071: the ones' complement sum of the header, its checksum included, is all ones.
static bool checksum_is_good(const __u8 *header, __u32 length)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < length; i += 2)
		sum += get16(header + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

// False: nothing behind the header's first bytes can be relied on.
static bool read_ipv4(struct frame *frame)
{
	__u32 header;

	if (frame->left < 20) {
		forbid(frame, BIT(TRUNCATED));
		// a sound part may still tell more
		if (frame->left >= 1 && frame->ip[0] >> 4 != 4)
			forbid(frame, BIT(BAD_VERSION));
		return false;
	}
	header = (frame->ip[0] & 0xf) * 4;
	frame->ip_length = get16(frame->ip + 2);
	frame->source = frame->ip + 12;
	frame->destination = frame->ip + 16;
	if (frame->ip[0] >> 4 != 4)
		forbid(frame, BIT(BAD_VERSION));
	if (header < 20)
		forbid(frame, BIT(BAD_HEADER_LENGTH));
	if (header > 20)
		forbid(frame, BIT(OPTIONS));
	if (header > frame->left)
		forbid(frame, BIT(TRUNCATED));
	else if (header >= 20 && !checksum_is_good(frame->ip, header))
		forbid(frame, BIT(BAD_CHECKSUM));
	if (frame->ip_length > frame->left || frame->ip_length < header || frame->ip_length < 20)
		forbid(frame, BIT(BAD_LENGTH));
	return true;
}

// Whether the source may come in here (fib_validate_source): never our own address, and by rp_filter.
static void check_source_route(struct frame *frame)
{
	const struct world_interface *in = frame->in;
	const struct world_route *route;
	bool numbered = false;
	__u64 detours;

	if (!in->rp_filter && !frame->world->vrfs) {
		if (world_is_own(frame->world, AF_INET, frame->source))
			forbid(frame, BIT(MARTIAN_SOURCE));
		route = find_route(frame, frame->source, &detours);
		if (route && route->type == RTN_BROADCAST)
			excuse(frame, BIT(MARTIAN_SOURCE));
		return;
	}
	route = find_route(frame, frame->source, &detours);
	if (route && (route->type == RTN_LOCAL || route->type == RTN_BROADCAST)) {
		forbid(frame, BIT(MARTIAN_SOURCE));
		return;
	}
	if (!in->rp_filter)
		return;
	if (detours)
		excuse(frame, BIT(RPF));
	if (frame->source[0] == 169 && frame->source[1] == 254)
		excuse(frame, BIT(RPF)); // the tables do not hold link-local addresses
	if (!route || route->type != RTN_UNICAST) {
		forbid(frame, BIT(RPF));
		return;
	}
	for (__u32 i = 0; i < route->path_count; i++)
		if (frame->world->path[route->first_path + i].ifindex == in->ifindex) {
			if (route->path_count > 6)
				excuse(frame, BIT(RPF)); // the image may not hold all
			return;
		}
	for (__u32 i = 0; i < in->address_count; i++)
		numbered |= in->address[i].family == AF_INET;
	if (in->rp_filter == 1 || !numbered)
		forbid(frame, BIT(RPF));
}

// RFC 1812 5.3.7 and Linux' ip_route_input_slow: addresses that cannot be a source.
static void check_ipv4_source(struct frame *frame)
{
	__u8 top = frame->source[0];

	if (top == 127 || (top >= 224 && top < 240) || get32(frame->source) == 0 ||
	    get32(frame->source) == 0xffffffff)
		forbid(frame, BIT(MARTIAN_SOURCE));
	else if (top == 0 || top >= 240)
		excuse(frame, BIT(MARTIAN_SOURCE)); // reserved; Linux forwards it
	check_source_route(frame);
}

static void check_ipv4_destination(struct frame *frame)
{
	__u8 top = frame->destination[0];

	if (top >= 224 && top < 240)
		forbid(frame, BIT(MULTICAST) | BIT(MARTIAN_DESTINATION));
	else if (get32(frame->destination) == 0xffffffff)
		forbid(frame, BIT(BROADCAST) | BIT(MARTIAN_DESTINATION));
	else if (top == 127 || get32(frame->destination) == 0)
		forbid(frame, BIT(MARTIAN_DESTINATION) | BIT(LOCAL));
	else if (top == 0 || top >= 240 || (top == 169 && frame->destination[1] == 254))
		excuse(frame, BIT(MARTIAN_DESTINATION)); // reserved or link-local; Linux forwards it
	check_route(frame);
}

// RFC 1812 5.3.1, and 5.3.2's checksum as Linux writes it (ip_decrease_ttl): never 0xffff.
static void write_ipv4(struct frame *frame)
{
	__u8 *body = frame->answer->body;
	__u32 checksum = get16(body + 10) + 0x0100;

	if (checksum >= 0xffff)
		checksum++;
	body[8]--;
	body[10] = checksum >> 8;
	body[11] = checksum;
}

static void answer_ipv4(struct frame *frame)
{
	__u16 offset = get16(frame->ip + 6) & 0x3fff; // and "more fragments"

	if (frame->ip[8] <= 1)
		forbid(frame, BIT(TTL));
	check_ipv4_source(frame);
	check_ipv4_destination(frame);
	note_flow(frame, frame->ip[9], frame->ip + 20, frame->left - 20, offset != 0);
}

/* --- IPv6 --- */

static bool read_ipv6(struct frame *frame)
{
	if (frame->left >= 1 && frame->ip[0] >> 4 != 6)
		forbid(frame, BIT(BAD_VERSION));
	if (frame->left < 40) {
		forbid(frame, BIT(TRUNCATED));
		return false;
	}
	frame->ip_length = 40 + get16(frame->ip + 4);
	frame->source = frame->ip + 8;
	frame->destination = frame->ip + 24;
	if (frame->ip_length > frame->left)
		forbid(frame, BIT(BAD_LENGTH));
	if (frame->ip[6] == IPPROTO_HOPOPTS)
		forbid(frame, BIT(OPTIONS)); // every router must read it
	return true;
}

static bool is_link_local(const __u8 *address)
{
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static bool is_loopback(const __u8 *address)
{
	return is_zero(address, 15) && address[15] == 1;
}

static void check_ipv6_source(struct frame *frame)
{
	const __u8 *source = frame->source;

	if (source[0] == 0xff || is_link_local(source) || is_loopback(source) || is_zero(source, 16))
		forbid(frame, BIT(MARTIAN_SOURCE));
	else if (is_zero(source, 8))
		excuse(frame, BIT(MARTIAN_SOURCE)); // compatible, mapped and the like; Linux forwards them
}

static void check_ipv6_destination(struct frame *frame)
{
	const __u8 *destination = frame->destination;
	const __u64 martian = BIT(MARTIAN_DESTINATION);
	const bool on_link = world_neighbour(frame->world, frame->in->ifindex, AF_INET6, destination);

	if (destination[0] == 0xff)
		forbid(frame, BIT(MULTICAST) | martian);
	else if (is_link_local(destination)) // Linux sends it back to its link, with a redirect
		forbid(frame, martian | BIT(LOCAL) | BIT(NO_ROUTE) | BIT(SAME_INTERFACE) |
				      (on_link ? 0 : BIT(NEIGHBOUR)));
	else if (is_loopback(destination))
		forbid(frame, martian | BIT(LOCAL));
	else if (is_zero(destination, 10))
		excuse(frame, martian); // the unspecified address too: Linux forwards it
	check_route(frame);
}

static void answer_ipv6(struct frame *frame)
{
	if (frame->ip[7] <= 1)
		forbid(frame, BIT(TTL));
	check_ipv6_source(frame);
	check_ipv6_destination(frame);
	note_flow(frame, frame->ip[6], frame->ip + 40, frame->left - 40, frame->ip[6] == IPPROTO_FRAGMENT);
}

/* --- what leaves --- */

// The body: what the IP length says, plus what may stay of the padding.
static void write_body(struct frame *frame)
{
	struct router_answer *answer = frame->answer;

	answer->body_length = frame->ip_length + answer->padding;
	memcpy(answer->body, frame->ip, answer->body_length);
	if (frame->family == AF_INET)
		write_ipv4(frame);
	else
		answer->body[7]--;
}

void router_answer(const struct world *world, const struct world_interface *port, const __u8 *bytes,
		   __u32 length, struct router_answer *ret_answer)
{
	struct frame frame = {
		.world = world, .answer = ret_answer, .bytes = bytes, .length = length, .in = port
	};

	memset(ret_answer, 0, offsetof(struct router_answer, body));
	if (world->full)
		excuse(&frame, BIT(TABLE_FULL) | BIT(RPF)); // the route of a source may be missing, too
	if (!read_link(&frame) || !(frame.family == AF_INET ? read_ipv4(&frame) : read_ipv6(&frame)))
		return;
	check_trailer(&frame);
	if (!frame.in)
		return;
	check_tags(&frame);
	check_interface(&frame);
	if (frame.family == AF_INET)
		answer_ipv4(&frame);
	else
		answer_ipv6(&frame);
	if (!ret_answer->forbids)
		write_body(&frame);
}

static __u32 write_tags(const struct world *world, const struct world_interface *out, __u8 *frame, __u32 at)
{
	if (!out->parent)
		return at;
	at = write_tags(world, world_interface(world, out->parent), frame, at); // outermost first
	frame[at] = out->tpid >> 8;
	frame[at + 1] = out->tpid;
	frame[at + 2] = out->vid >> 8;
	frame[at + 3] = out->vid;
	return at + 4;
}

__u32 router_frame(const struct world *world, const struct router_answer *answer, __u32 index,
		   __u8 ret_frame[ROUTER_FRAME])
{
	const struct router_member *member = &answer->member[index];
	__u32 ip_length = answer->body_length - answer->padding;
	bool v4 = answer->body[0] >> 4 == 4;
	__u32 at;

	memcpy(ret_frame, member->mac, 6);
	memcpy(ret_frame + 6, member->out->mac, 6);
	at = write_tags(world, member->out, ret_frame, 12);
	ret_frame[at++] = v4 ? 0x08 : 0x86;
	ret_frame[at++] = v4 ? 0x00 : 0xdd;
	memcpy(ret_frame + at, answer->body, ip_length);
	return at + ip_length;
}

int router_member(const struct world *world, const struct router_answer *answer,
		  const struct world_interface *port, const __u8 *frame, __u32 length)
{
	__u8 expected[ROUTER_FRAME];

	for (__u32 i = 0; i < answer->member_count; i++) {
		__u32 size;

		if (port && world_port(world, answer->member[i].out) != port)
			continue;
		if (length < 6 || memcmp(answer->member[i].mac, frame, 6) != 0)
			continue;
		size = router_frame(world, answer, i, expected);
		if (length != size && length != size + answer->padding)
			continue;
		memcpy(expected + size, answer->body + answer->body_length - answer->padding,
		       answer->padding);
		if (memcmp(expected, frame, length) == 0)
			return i;
	}
	return -1;
}

const char *router_reasons(__u64 reasons)
{
	static const char *const names[REASON_MAX] = {
#define X(number, name, action, string, text) [number] = string,
		REASONS(X)
#undef X
	};
	static char text[512];
	int used = 0;

	text[0] = '\0';
	for (int reason = 0; reason < REASON_MAX; reason++)
		if (reasons >> reason & 1)
			used += snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
					 names[reason] ? names[reason] : "?");
	return text;
}
