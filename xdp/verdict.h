// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Every way a packet can leave the program has a name and a counter. This list is the only place that
 * knows them: enum, name, text and counter slot all come from it.
 *
 * A number is never reused and never changed: counters, the API and old captures refer to it. New
 * reasons go to the end. Numbers below REASON_MAX double as next-hop ids: a route that hands its packets
 * to the kernel because of reason R points at next hop R (see image.h), so FORWARDED, which no route can
 * stand for, is 0, the id that means "the default route of this VRF".
 *
 * X(number, NAME, action, "name", "what it means")
 */
#pragma once

#include <linux/types.h>

enum action {
	ACTION_FORWARD = 0, /* send out of verdict.port */
	ACTION_PUNT = 1,    /* the kernel decides, and answers with ICMP where due */
	ACTION_DROP = 2,
};

/* clang-format off */
#define REASONS(X)                                                                                               \
	X(0,  FORWARDED,          FORWARD, "forwarded",          "sent out of another port, or of the same one")  \
	X(1,  NO_ROUTE,           PUNT,    "no-route",           "no route covers the destination")               \
	X(2,  UNREACHABLE,        PUNT,    "unreachable",        "an unreachable route covers the destination")   \
	X(3,  PROHIBIT,           PUNT,    "prohibit",           "a prohibit route covers the destination")       \
	X(4,  THROW,              PUNT,    "throw",              "a throw route sends the search to other tables") \
	X(5,  LOCAL,              PUNT,    "local",              "the destination is an address of this host")    \
	X(6,  BROADCAST,          PUNT,    "broadcast",          "broadcast or anycast destination")              \
	X(7,  MULTICAST,          PUNT,    "multicast",          "multicast destination")                         \
	X(8,  MARTIAN_DESTINATION, PUNT,   "martian-destination", "destination that is never forwarded")          \
	X(9,  NEIGHBOUR,          PUNT,    "neighbour",          "the next hop's link address is not known")      \
	X(10, EGRESS_DOWN,        PUNT,    "egress-down",        "the egress interface is down or has no carrier") \
	X(11, EGRESS_FOREIGN,     PUNT,    "egress-foreign",     "the egress interface is not a port of penstock") \
	X(12, EGRESS_UNABLE,      PUNT,    "egress-unable",      "the egress port cannot take redirected frames") \
	X(13, ENCAP,              PUNT,    "encap",              "the route encapsulates")                        \
	X(14, POLICY_RULE,        PUNT,    "policy-rule",        "a policy rule may apply")                       \
	X(15, TOS_ROUTE,          PUNT,    "tos-route",          "the route depends on the TOS field")            \
	X(16, SOURCE_ROUTE,       PUNT,    "source-route",       "the route depends on the source address")       \
	X(17, TABLE_FULL,         PUNT,    "table-full",         "a table of the image has no room for the route") \
	X(18, UNSUPPORTED_ROUTE,  PUNT,    "unsupported-route",  "the route uses what penstock does not implement") \
	X(19, BLACKHOLE,          DROP,    "blackhole",          "a blackhole route covers the destination")      \
	X(20, NOT_FOR_US,         PUNT,    "not-for-us",         "the frame is addressed to another station")     \
	X(21, LINK_MULTICAST,     PUNT,    "link-multicast",     "broadcast or multicast frame")                  \
	X(22, NOT_IP,             PUNT,    "not-ip",             "ARP, LLDP or another protocol than IP")         \
	X(23, TAG_UNKNOWN,        PUNT,    "tag-unknown",        "a VLAN tag without a sub-interface")            \
	X(24, TAGS_TOO_DEEP,      PUNT,    "tags-too-deep",      "more than two VLAN tags")                       \
	X(25, TRUNCATED,          PUNT,    "truncated",          "the frame ends inside a header")                \
	X(26, BAD_VERSION,        PUNT,    "bad-version",        "IP version and ethertype disagree")             \
	X(27, BAD_HEADER_LENGTH,  PUNT,    "bad-header-length",  "IPv4 header length below 20")                   \
	X(28, BAD_LENGTH,         PUNT,    "bad-length",         "the IP length does not fit the frame")          \
	X(29, TRAILER,            PUNT,    "trailer",            "bytes after the IP packet that Linux would trim") \
	X(30, BAD_CHECKSUM,       PUNT,    "bad-checksum",       "wrong IPv4 header checksum")                    \
	X(31, OPTIONS,            PUNT,    "options",            "IPv4 options or an IPv6 hop-by-hop header")     \
	X(32, TTL,                PUNT,    "ttl",                "TTL or hop limit is used up")                   \
	X(33, MARTIAN_SOURCE,     PUNT,    "martian-source",     "source address that no other host may use")     \
	X(34, RPF,                PUNT,    "rpf",                "the reverse path check failed (rp_filter)")     \
	X(35, FORWARDING_OFF,     PUNT,    "forwarding-off",     "forwarding is off on the ingress interface")    \
	X(36, SAME_INTERFACE,     PUNT,    "same-interface",     "leaves by the interface it came in by; a redirect is due") \
	X(37, TOO_BIG,            PUNT,    "too-big",            "longer than the egress or route MTU")           \
	X(38, MULTI_BUFFER,       PUNT,    "multi-buffer",       "jumbo frame in several buffers; the egress takes one") \
	X(39, NO_HEADROOM,        PUNT,    "no-headroom",        "no room in front of the frame for a VLAN tag")  \
	X(40, INTERFACE_UNKNOWN,  PUNT,    "interface-unknown",  "the ingress interface is not in the tables")    \
	X(41, NETFILTER,          PUNT,    "netfilter",          "netfilter rules apply to forwarded packets")    \
	X(42, XFRM,               PUNT,    "xfrm",               "IPsec policies apply to forwarded packets")     \
	X(43, STALE,              PUNT,    "stale",              "no daemon has refreshed the tables in time")    \
	X(44, HELD,               PUNT,    "held",               "the tables are not complete yet, or the port is held in the kernel") \
	X(45, INGRESS_DOWN,       PUNT,    "ingress-down",       "the ingress interface is down")                 \
	X(46, EGRESS_GONE,        DROP,    "egress-gone",        "the egress port went while the packet was under way")   \
	X(47, EGRESS_BEYOND,      PUNT,    "egress-beyond",      "the egress port cannot be reached from here; the next tier forwards") \
	X(48, NO_WORKER,          PUNT,    "no-worker",          "nobody takes the frames of this queue from its AF_XDP socket") \
	X(49, TAG_HIDDEN,         PUNT,    "tag-hidden",         "a VLAN tag may be hidden beside the frame")

enum reason {
#define X(number, name, action, string, text) REASON_##name = number,
	REASONS(X)
#undef X
	REASON_MAX = 64, /* counter slots per port, and the first next-hop id that is not a reason */
};
/* clang-format on */

struct verdict {
	__u8 action; /* enum action */
	__u8 reason; /* enum reason */
	__u16 port;  /* FORWARD: the egress port */
};
