// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The image: everything the program reads. The only thing that the host's builder and the program share.
 *
 * Plain arrays, indices instead of pointers, no locks. It has three parts:
 *
 *   node[]   u64 descriptors and lines in 64-byte chunks: the route search (route.h)
 *   run[]    u32 entries that descriptors select from; some of it holds u16 leaves instead
 *   tables   struct image_tables: control block, interfaces, VLAN tables, VRFs, next hops, buckets
 *
 * Publishing. The host is the only writer. Whatever is reachable is changed by single aligned stores that
 * each leave the image right; anything larger is written where no reader can see it, then made reachable by
 * one store, children before parents. What was replaced is reused only after a grace period.
 *
 * Search. A node takes the next `bits` bits of the address and selects an ENTRY (u32) with them; an entry is
 * either a leaf (bit 31 clear: a next-hop id, 0 = no route here, use the VRF's default) or says where the
 * next node is: kind, bits and chunk. Chunks are 64 bytes, of node[] or of run[].
 *
 *   NODE_BITMAP  2^(bits - 5) descriptors in node[]. A DESCRIPTOR (u64 {base:32 | bitmap:32}) stands for 32
 *                consecutive slots: bit c >= 1 of the bitmap set means that slot c starts a new run of equal
 *                slots; entry(slot) = run[base + popcount(bitmap << (31 - slot))]. A group whose 32 slots are
 *                all equal has bitmap 0 and the leaf itself as base: run[] begins with one cell for each
 *                next-hop id, run[id] == id for id < IMAGE_NEXTHOPS, so nobody has to look at the difference.
 *                In the root of a large IPv4 table, where memory is what costs time, a group of nothing but
 *                leaves takes u16 for them: DESCRIPTOR_LEAVES set in base, which then counts in halves of
 *                cells. Such a group with all slots equal has the index of the leaf's own half as base; these
 *                halves lie behind the identical cells.
 *                Behind the descriptors of such a root stands its SUMMARY: a u16 for each of the 2^16 /16s,
 *                the leaf if all of it has the same one. Most of the address space ends there, in 128 KiB.
 *                What it is read for can always be found in the descriptors, too.
 *   NODE_DIRECT  2^bits entries in run[]: the root of a large IPv6 table.
 *
 * A large IPv4 table begins with a bitmap of 24 bits and goes on with bitmaps of 8. A large IPv6 table begins
 * with a direct node of 16 bits, goes on with bitmaps of 16, and then as small tables do: with bitmaps of 8
 * or 16 bits, as the builder sees fit (host/fib/image_build.c).
 */
#pragma once

#include <linux/types.h>

#include "xdp/verdict.h"

#define IMAGE_VERSION 2

/* --- limits of the fixed tables; node[] and run[] are sized when the image is created --- */
#define IMAGE_PORTS       256
#define IMAGE_INTERFACES  4096
#define IMAGE_VRFS        1024
#define IMAGE_VLAN_TABLES 256 /* one per device and protocol that has sub-interfaces; 0 is unused */
#define IMAGE_NEXTHOPS    65536
#define IMAGE_BUCKETS     (1u << 20)
#define IMAGE_OWN         4096

/* --- entries --- */
#define ENTRY_NODE       0x80000000u
#define ENTRY_KIND_SHIFT 29 /* 2 bits */
#define ENTRY_BITS_SHIFT 24 /* 5 bits */
#define ENTRY_CHUNK_MASK 0x00ffffffu

enum node_kind {
	NODE_BITMAP = 0, /* 8 bits (one chunk), 16 or 24 */
	NODE_DIRECT = 1, /* 16 bits */
};

#define NODE_CHUNK_WORDS 8  /* u64 words in a chunk of node[] */
#define RUN_CHUNK_CELLS  16 /* u32 cells in a chunk of run[] */

/* In the base of a descriptor of ROOT4_BITS: the index of u16 leaves. */
#define DESCRIPTOR_LEAVES 0x80000000u
#define LEAVES_IDENTITY   (2 * IMAGE_NEXTHOPS) /* + id: the half cell that holds id */

#define ROOT4_BITS   24 /* bitmap: the root of a large IPv4 table */
#define SUMMARY_BITS 16
#define SUMMARY_NONE 0xffffu                  /* several leaves, or this one: see the descriptors */
#define ROOT4_WORDS  (1u << (ROOT4_BITS - 5)) /* of descriptors; then four of the summary to a word */

#define ROOT6_BITS   16 /* direct: the root of a large IPv6 table */
#define SECOND6_BITS 16 /* bitmap: all nodes below that root */

/* An address as the search wants it: its first bit is bit 63 of high; IPv4 leaves the rest 0. */
struct route_key {
	__u64 high;
	__u64 low;
};

/* --- interfaces --- */
enum interface_flag {
	INTERFACE_FORWARD4 = 1 << 0,   /* forwarding sysctl, IPv4 */
	INTERFACE_FORWARD6 = 1 << 1,   /* forwarding sysctl, IPv6 */
	INTERFACE_RPF_STRICT = 1 << 2, /* rp_filter 1 */
	INTERFACE_RPF_LOOSE = 1 << 3,  /* rp_filter 2 */
	INTERFACE_REDIRECTS = 1 << 4,  /* send_redirects: same-interface IPv4 goes to the kernel */
};

struct image_interface {
	__u64 mac;   /* the six bytes as they stand in the frame, loaded little-endian; upper 16 bits zero */
	__u16 flags; /* enum interface_flag; 0 in an unused slot */
	__u16 vrf;   /* index into image_tables.vrf */
	__u16 vlan[2]; /* VLAN table for 802.1Q and 802.1ad tags; 0 = no sub-interface of that kind */
	__u32 ifindex;
	__u16 punt; /* enum reason that sends every packet of this interface to the kernel; 0 = none */
	__u16 reserved[3];
};

/* --- next hops --- */
enum nexthop_kind {
	NEXTHOP_PUNT = 0,    /* .reason says why; also every unused slot, with reason NO_ROUTE */
	NEXTHOP_FORWARD = 1, /* an adjacency: .mac0 .mac1 .port .mtu .tag */
	NEXTHOP_GROUP = 2,   /* .bucket .bucket_mask: the flow's hash picks the member */
	NEXTHOP_DROP = 3,
};

enum nexthop_flag {
	NEXTHOP_UNICAST = 1 << 0, /* stands for a unicast route: loose rp_filter accepts it */
	NEXTHOP_FRAMES = 1 << 1,  /* the egress port takes frames of several buffers */
	NEXTHOP_RPF_MANY =
		1 << 2, /* group with more egress interfaces than .rpf holds: strict rp_filter punts */
};

#define NEXTHOP_RPF 6

struct image_nexthop {
	union {
		struct {
			__u64 mac0; /* destination MAC, then the first two bytes of the source MAC, as in the
				       frame */
			__u32 mac1; /* the last four bytes of the source MAC */
			__u16 mtu;  /* longest IP packet: the smaller of egress MTU and route MTU */
			__u16 port; /* egress port */
		};
		__u16 rpf[NEXTHOP_RPF]; /* group: the distinct egress interfaces of its members, 0 = end */
	};
	__u16 interface; /* egress interface, for rp_filter and the same-interface rule; 0 = not one of ours
			  */
	__u8 kind;
	__u8 reason;
	__u8 flags;
	__u8 tags; /* VLAN tags on the egress interface, 0..2 */
	__u16 reserved;
	union {
		__be32 tag[2]; /* {tpid, tci} as in the frame, outermost first */
		struct {
			__u32 bucket;      /* group: first index into image_tables.bucket */
			__u32 bucket_mask; /* group: number of buckets - 1, a power of two less one */
		};
	};
};

/* --- VRFs --- */
struct image_vrf {
	__u32 root[2];     /* entry where the search begins: [0] IPv4, [1] IPv6 */
	__u32 fallback[2]; /* next-hop id where the search ends in leaf 0: the default route, or NO_ROUTE */
};

/* --- control --- */
struct image_control {
	__u32 version;     /* IMAGE_VERSION */
	__u32 held;        /* not 0: the tables are not complete; punt everything */
	__u64 deadline;    /* jiffies after which nobody may trust the tables; all ones = no limit */
	__u32 hash_key[4]; /* secret of the ECMP flow hash */
};

/*
 * own[] is a filter over the IPv4 addresses of this host, local and broadcast. A source address that it lets
 * through cannot be ours; for any other the program looks the source up, to punt it where it is.
 */
struct image_tables {
	struct image_control control;
	struct image_vrf vrf[IMAGE_VRFS];
	struct image_interface
		interface[IMAGE_INTERFACES]; /* [0] unused; [port + 1] for untagged frames of a port */
	__u8 own[IMAGE_OWN];                 /* [own_slot(address)]: not 0: may be an address of ours */
	struct image_nexthop
		nexthop[IMAGE_NEXTHOPS];      /* [r] for r < REASON_MAX: punt (or drop) with reason r */
	__u16 vlan[IMAGE_VLAN_TABLES * 4096]; /* [table * 4096 + VID]: interface, 0 = none */
	__u32 bucket[IMAGE_BUCKETS];          /* next-hop ids */
};

/* Per CPU, per port: one counter for each reason. */
struct image_counter {
	__u64 packets;
	__u64 bytes; /* whole frames without FCS, as they leave the program */
};

struct image_counters {
	struct image_counter reason[REASON_MAX];
};

static inline enum node_kind entry_kind(__u32 entry)
{
	return (enum node_kind)(entry >> ENTRY_KIND_SHIFT & 3);
}

static inline __u32 entry_bits(__u32 entry)
{
	return entry >> ENTRY_BITS_SHIFT & 31;
}

static inline __u32 entry_chunk(__u32 entry)
{
	return entry & ENTRY_CHUNK_MASK;
}

static inline __u32 entry_node(enum node_kind kind, __u32 bits, __u32 chunk)
{
	return ENTRY_NODE | (__u32)kind << ENTRY_KIND_SHIFT | bits << ENTRY_BITS_SHIFT | chunk;
}

/* By the last octet and half of the one before. */
static inline __u32 own_slot(__be32 address)
{
	return address >> 20;
}

_Static_assert(sizeof(struct image_interface) == 32, "two interfaces to a cache line");
_Static_assert(sizeof(struct image_nexthop) == 32, "two next hops to a cache line");
_Static_assert(sizeof(struct image_vrf) == 16, "VRF");
_Static_assert(sizeof(struct image_control) == 32, "control");
