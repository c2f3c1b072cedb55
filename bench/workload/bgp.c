// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/bgp.h"

#include "bench/workload/prefix.h"

#include <errno.h>

#define BGP_FLAG_EXTENDED_LENGTH 0x10

enum bgp_attribute_type {
	BGP_AS_PATH = 2,
	BGP_NEXT_HOP = 3,
	BGP_MP_REACH_NLRI = 14,
	BGP_MP_UNREACH_NLRI = 15,
};

#define BGP_AS_SET 1

static int bgp_bad(const char **ret_cause, const char *cause)
{
	*ret_cause = cause;
	return -EBADMSG;
}

static int bgp_as_path(struct wire path, unsigned int as_bytes, struct bgp_attributes *a,
		       const char **ret_cause)
{
	while (path.left) {
		__u8 type, count;
		struct wire ases;

		if (!wire_u8(&path, &type) || !wire_u8(&path, &count) ||
		    !wire_part(&path, count * as_bytes, &ases))
			return bgp_bad(ret_cause, "an AS path runs over its attribute");
		a->path_length += type == BGP_AS_SET ? 1 : count;
		if (!count)
			continue;
		wire_skip(&ases, (count - 1) * as_bytes);
		a->origin_as = 0;
		for (unsigned int i = 0; i < as_bytes; i++)
			a->origin_as = a->origin_as << 8 | ases.at[i];
	}
	return 0;
}

// An IPv6 next hop may be followed by a link-local one; the first counts.
static int bgp_nexthop(struct wire *wire, unsigned int length, struct bgp_nexthop *ret_nexthop,
		       const char **ret_cause)
{
	unsigned int bytes = length == 32 ? 16 : length;
	struct bgp_nexthop nexthop = { .family = bytes == 4 ? AF_INET : AF_INET6 };

	if (bytes != 4 && bytes != 16)
		return bgp_bad(ret_cause, "a next hop is neither 4, 16 nor 32 bytes long");
	if (!wire_bytes(wire, nexthop.addr, bytes) || !wire_skip(wire, length - bytes))
		return bgp_bad(ret_cause, "a next hop runs over its attribute");
	*ret_nexthop = nexthop;
	return 0;
}

// The address family of AFI and SAFI, or 0 when it is not a unicast one.
static __u8 bgp_family(__u16 afi, __u8 safi)
{
	if (safi != BGP_SAFI_UNICAST)
		return 0;
	return afi == BGP_AFI_IPV4 ? AF_INET : afi == BGP_AFI_IPV6 ? AF_INET6 : 0;
}

// Dumps of tables hold only the next hop here (RFC 6396, 4.3.4), yet some hold the whole attribute: then the
// first byte is the 0 of the AFI, where the short form has the length.
static int bgp_mp_reach(struct wire wire, struct bgp_attributes *a, const char **ret_cause)
{
	__u8 safi, length, reserved;
	__u16 afi;
	int r;

	if (wire.left && wire.at[0]) {
		wire_u8(&wire, &length);
		return bgp_nexthop(&wire, length, &a->mp_nexthop, ret_cause);
	}
	if (!wire_u16(&wire, &afi) || !wire_u8(&wire, &safi) || !wire_u8(&wire, &length))
		return bgp_bad(ret_cause, "MP_REACH_NLRI is too short");
	if (!bgp_family(afi, safi))
		return 0;
	r = bgp_nexthop(&wire, length, &a->mp_nexthop, ret_cause);
	if (r < 0)
		return r;
	wire_u8(&wire, &reserved);
	a->reach_family = bgp_family(afi, safi);
	a->reach = wire;
	return 0;
}

static int bgp_mp_unreach(struct wire wire, struct bgp_attributes *a, const char **ret_cause)
{
	__u16 afi;
	__u8 safi;

	if (!wire_u16(&wire, &afi) || !wire_u8(&wire, &safi))
		return bgp_bad(ret_cause, "MP_UNREACH_NLRI is too short");
	a->unreach_family = bgp_family(afi, safi);
	a->unreach = wire;
	return 0;
}

static int bgp_attribute(__u8 type, struct wire value, unsigned int as_bytes, struct bgp_attributes *a,
			 const char **ret_cause)
{
	switch (type) {
	case BGP_AS_PATH:
		return bgp_as_path(value, as_bytes, a, ret_cause);
	case BGP_NEXT_HOP:
		if (value.left != 4)
			return bgp_bad(ret_cause, "NEXT_HOP is not 4 bytes long");
		return bgp_nexthop(&value, 4, &a->nexthop, ret_cause);
	case BGP_MP_REACH_NLRI:
		return bgp_mp_reach(value, a, ret_cause);
	case BGP_MP_UNREACH_NLRI:
		return bgp_mp_unreach(value, a, ret_cause);
	default:
		return 0;
	}
}

static bool bgp_attribute_header(struct wire *wire, __u8 *type, struct wire *value)
{
	__u8 flags, length;
	__u16 extended;

	if (!wire_u8(wire, &flags) || !wire_u8(wire, type))
		return false;
	if (flags & BGP_FLAG_EXTENDED_LENGTH)
		return wire_u16(wire, &extended) && wire_part(wire, extended, value);
	return wire_u8(wire, &length) && wire_part(wire, length, value);
}

int bgp_attributes_read(struct wire attributes, unsigned int as_bytes, struct bgp_attributes *ret_attributes,
			const char **ret_cause)
{
	struct bgp_attributes a = { 0 };

	while (attributes.left) {
		struct wire value;
		__u8 type;
		int r;

		if (!bgp_attribute_header(&attributes, &type, &value))
			return bgp_bad(ret_cause, "a path attribute runs over its record");
		r = bgp_attribute(type, value, as_bytes, &a, ret_cause);
		if (r < 0)
			return r;
	}
	*ret_attributes = a;
	return 0;
}

int bgp_prefix_read(struct wire *wire, __u8 family, bool path_id, struct table_route *ret_route,
		    const char **ret_cause)
{
	struct table_route route = { .family = family };
	unsigned int width = table_width(family);

	if (path_id && !wire_skip(wire, 4))
		return bgp_bad(ret_cause, "a path id runs over its record");
	if (!wire_u8(wire, &route.len))
		return bgp_bad(ret_cause, "a prefix runs over its record");
	if (route.len > width)
		return bgp_bad(ret_cause, family == AF_INET ? "an IPv4 prefix is longer than /32"
							    : "an IPv6 prefix is longer than /128");
	if (!wire_bytes(wire, route.addr, (route.len + 7) / 8))
		return bgp_bad(ret_cause, "a prefix runs over its record");
	prefix_clear_host_bits(route.addr, route.len, width);
	*ret_route = route;
	return 0;
}
