// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/screen.h"

#include <sys/cdefs.h> /* __always_inline, which is but inline in the headers of the kernel */

#include "host/engine/target_user.h"
#include "xdp/pipeline.h"

#define AT_ONCE 16 /* frames; BURST_MOST is a multiple */

/* What is read of a frame. Stores to it have been words up to these places, too, more often than not. */
#define READ4 36
#define READ6 (ETHER_HEADER + IPV6_HEADER)

_Static_assert(BURST_MOST % AT_ONCE == 0, "words has room for what fills up");

/* What frames begin with, little-endian words. */
struct words {
	__u64 first[BURST_MOST];  /* bytes 12 to 19: ethertype, version, length of IPv4 */
	__u64 second[BURST_MOST]; /* 20 to 27 */
	__u64 third[BURST_MOST];  /* IPv4: 28 to 35; IPv6: 22 to 29 */
	__u64 room[BURST_MOST];   /* bytes behind the link header */
	__u64 odd[BURST_MOST];    /* 0: there is nothing unusual so far */
};

/* Of frames that are too short. */
static const __u8 nothing[READ6];

/* Frames that fill the last AT_ONCE up are as the first one. */
static __always_inline const __u8 *data_of(const struct burst_frame *frame, unsigned int count,
					   unsigned int i, __u32 least, __u64 *ret_room)
{
	frame += i < count ? i : 0;
	*ret_room = frame->length - ETHER_HEADER;
	return frame->length < least ? nothing : frame->data;
}

static __always_inline __u64 odd_station(const __u8 *data, __u64 mac)
{
	return (load64(data) ^ mac) << 16;
}

static __always_inline void gather4(const struct target *target, __u64 mac, const struct burst_frame *frame,
				    unsigned int count, unsigned int whole, struct words *words)
{
	const __u8 *own = target->tables->own;

	for (unsigned int i = 0; i < whole; i++) {
		const __u8 *data = data_of(frame, count, i, READ4, &words->room[i]);
		__u64 third = load64(data + 28);

		words->first[i] = load64(data + 12);
		words->second[i] = load64(data + 20);
		words->third[i] = third;
		/* the filter looks at the upper half of the source only */
		words->odd[i] = odd_station(data, mac) |
				__atomic_load_n(&own[own_slot((__u32)third << 16)], __ATOMIC_RELAXED);
	}
}

/* The sum of the header's ten halfwords, 0xffff where the checksum is right; see fold() in xdp/parse.h. */
static __always_inline __u64 sum_of(__u64 first, __u64 second, __u64 third)
{
	__u64 sum = (first >> 16 & 0xffffffff) + (first >> 48) + (second & 0xffffffff) + (second >> 32) +
		    (third & 0xffffffff) + (third >> 32 & 0xffff);

	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* All are numbers below 2^63, so that the sign of a difference shows which is smaller. */
static __always_inline __u64 odd4(const struct words *words, unsigned int i)
{
	const __u64 begin = swap16(ETH_P_IP) | 0x45 << 16;
	__u64 first = words->first[i], second = words->second[i], third = words->third[i];
	__u64 length = (first >> 40 & 0xff) | (first >> 24 & 0xff00);
	__u64 ttl = second >> 16 & 0xff, top = second >> 48 & 0xff; /* of the source */
	__u64 odd = words->odd[i];

	odd |= (first ^ begin) & 0xffffff;
	odd |= length ^ words->room[i];
	odd |= sum_of(first, second, third) ^ 0xffff;
	odd |= (ttl - 2) >> 63;
	/* 0/8, multicast and above, 127/8 */
	odd |= (top - 1) >> 63 | (223 - top) >> 63;
	return odd | ((top ^ 127) - 1) >> 63;
}

static __always_inline void gather6(__u64 mac, const struct burst_frame *frame, unsigned int count,
				    unsigned int whole, struct words *words,
				    struct route_key *ret_destination)
{
	for (unsigned int i = 0; i < whole; i++) {
		const __u8 *data = data_of(frame, count, i, READ6, &words->room[i]);
		const __u8 *destination = data + ETHER_HEADER + IPV6_DESTINATION;

		words->first[i] = load64(data + 12);
		words->second[i] = load16(data + 20);
		words->third[i] = load64(data + ETHER_HEADER + IPV6_SOURCE);
		words->odd[i] = odd_station(data, mac);
		ret_destination[i] = route_key6(load64(destination), load64(destination + 8));
	}
}

static __always_inline __u64 odd6(const struct words *words, unsigned int i)
{
	const __u64 begin = swap16(ETH_P_IPV6) | 0x60 << 16;
	__u64 first = words->first[i], second = words->second[i], source = words->third[i];
	__u64 length = (first >> 56) + (first >> 40 & 0xff00) + IPV6_HEADER;
	__u64 odd = words->odd[i];

	odd |= (first ^ begin) & 0xf0ffff;
	odd |= length ^ words->room[i];
	odd |= length >> 16;
	/* hop-by-hop options; hop limit */
	odd |= ((second & 0xff) - 1) >> 63 | ((second >> 8) - 2) >> 63;
	/* unspecified, loopback, v4-mapped and their kin; link-local; multicast */
	odd |= (((source >> 32 | source) & 0xffffffff) - 1) >> 63;
	odd |= (((source & 0xc0ff) ^ 0x80fe) - 1) >> 63;
	return odd | (((source & 0xff) ^ 0xff) - 1) >> 63;
}

static __always_inline __u64 usual(const __u64 *odd, unsigned int count)
{
	__u64 usual = 0;

	for (unsigned int i = 0; i < count; i++)
		usual |= (__u64)!odd[i] << i;
	return usual;
}

static __always_inline unsigned int fill_up(unsigned int count)
{
	return (count + AT_ONCE - 1) & ~(AT_ONCE - 1u);
}

static __always_inline __u64 screen4(const struct target *target, __u64 mac, const struct burst_frame *frame,
				     unsigned int count, __u32 *ret_destination)
{
	unsigned int whole = fill_up(count);
	struct words words;
	__u64 any = 0;

	gather4(target, mac, frame, count, whole, &words);
	for (unsigned int i = 0; i < whole; i++) {
		ret_destination[i] = swap32(words.third[i] >> 16);
		words.odd[i] = odd4(&words, i);
		any |= words.odd[i];
	}
	return likely(!any) ? ~0ull >> (64 - count) : usual(words.odd, count);
}

static __always_inline __u64 screen6(__u64 mac, const struct burst_frame *frame, unsigned int count,
				     struct route_key *ret_destination)
{
	unsigned int whole = fill_up(count);
	struct words words;
	__u64 any = 0;

	gather6(mac, frame, count, whole, &words, ret_destination);
	for (unsigned int i = 0; i < whole; i++) {
		words.odd[i] = odd6(&words, i);
		any |= words.odd[i];
	}
	return likely(!any) ? ~0ull >> (64 - count) : usual(words.odd, count);
}

/* --- for each set of instructions --- */

struct screen {
	__u64 (*ipv4)(const struct target *target, __u64 mac, const struct burst_frame *frame,
		      unsigned int count, __u32 *ret_destination);
	__u64 (*ipv6)(__u64 mac, const struct burst_frame *frame, unsigned int count,
		      struct route_key *ret_destination);
};

#define SCREEN(name, ...)                                                                                    \
	__VA_ARGS__ static __u64 name##4(const struct target *target, __u64 mac,                             \
					 const struct burst_frame *frame, unsigned int count,                \
					 __u32 *ret_destination)                                             \
	{                                                                                                    \
		return screen4(target, mac, frame, count, ret_destination);                                  \
	}                                                                                                    \
	__VA_ARGS__ static __u64 name##6(__u64 mac, const struct burst_frame *frame, unsigned int count,     \
					 struct route_key *ret_destination)                                  \
	{                                                                                                    \
		return screen6(mac, frame, count, ret_destination);                                          \
	}                                                                                                    \
	static const struct screen name = { name##4, name##6 };

/* Compilers do not take the widest vectors by themselves. */
#ifdef __clang__
#define WIDEST target("arch=x86-64-v4"), min_vector_width(512)
#else
#define WIDEST target("arch=x86-64-v4,prefer-vector-width=512")
#endif

SCREEN(plain)
#ifdef __x86_64__
SCREEN(avx2, __attribute__((target("arch=x86-64-v3"))))
SCREEN(avx512, __attribute__((WIDEST)))
#endif

static const struct screen *best(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("x86-64-v4"))
		return &avx512;
	if (__builtin_cpu_supports("x86-64-v3"))
		return &avx2;
#endif
	return &plain;
}

static const struct screen *screen(void)
{
	static const struct screen *chosen; /* all threads choose the same */
	const struct screen *one = __atomic_load_n(&chosen, __ATOMIC_RELAXED);

	if (unlikely(!one)) {
		one = best();
		__atomic_store_n(&chosen, one, __ATOMIC_RELAXED);
	}
	return one;
}

__u64 screen_ipv4(const struct target *target, const struct burst_frame *frame, unsigned int count,
		  __u32 ret_destination[BURST_MOST])
{
	const __u16 switches = INTERFACE_FORWARD4 | INTERFACE_RPF_STRICT | INTERFACE_RPF_LOOSE;
	const struct image_interface *in = target_ingress(target);

	if (unlikely((in->flags & switches) != INTERFACE_FORWARD4))
		return 0;
	return screen()->ipv4(target, in->mac, frame, count, ret_destination);
}

__u64 screen_ipv6(const struct target *target, const struct burst_frame *frame, unsigned int count,
		  struct route_key ret_destination[BURST_MOST])
{
	const struct image_interface *in = target_ingress(target);

	if (unlikely(!(in->flags & INTERFACE_FORWARD6)))
		return 0;
	return screen()->ipv6(in->mac, frame, count, ret_destination);
}
