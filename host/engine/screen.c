// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/screen.h"

#include <sys/cdefs.h> /* __always_inline, which is but inline in the headers of the kernel */

#include "host/engine/target_user.h"
#include "xdp/pipeline.h"

#define AT_ONCE 16 /* frames; BURST_MOST is a multiple */
#define ROW     8  /* words of a frame that are looked at */

/* What is read of a frame. */
#define FRONT 2 /* where the words begin, so that those of the IP header are whole */
#define READ4 (ETHER_HEADER + IPV4_HEADER)
#define READ6 (ETHER_HEADER + IPV6_HEADER)

_Static_assert(BURST_MOST % AT_ONCE == 0, "the last frames fill up");
_Static_assert(FRONT + ROW * sizeof(__u32) <= READ4, "no frame is read beyond its end");

/* What frames begin with: little-endian words, those of the same place of all frames side by side. */
struct words {
	__u32 word[ROW][AT_ONCE]; /* bytes 2 to 5, 6 to 9 and so on */
	__u32 first[AT_ONCE];     /* 0 to 3 */
	__u32 own[AT_ONCE];       /* not 0: the source may be an address of ours */
};

/* By their places in the words of a frame; 1 is within the source of the link header. */
enum { STATION = 0, TYPE = 2, IP = 3 };

/* Of frames that are too short. */
static const __u8 nothing[READ6];

/* --- from words of a frame to frames of a word --- */

/* Eight words of a frame, and of the one that is eight further. */
typedef __u32 two_rows __attribute__((vector_size(2 * ROW * sizeof(__u32))));

_Static_assert(AT_ONCE == 2 * ROW, "squares are turned, two at once");

static __always_inline void load(const __u8 *one, const __u8 *other, two_rows *ret)
{
	typedef __u32 row __attribute__((vector_size(ROW * sizeof(__u32))));
	row low, high;

	__builtin_memcpy(&low, one, sizeof(low));
	__builtin_memcpy(&high, other, sizeof(high));
	*ret = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

#define SHUFFLE(a, b, w0, w1, w2, w3, w4, w5, w6, w7)                                                        \
	__builtin_shufflevector(a, b, w0, w1, w2, w3, w4, w5, w6, w7, w0 + 8, w1 + 8, w2 + 8, w3 + 8,        \
				w4 + 8, w5 + 8, w6 + 8, w7 + 8)

/* In each half: pairs of words of two frames, those of the first or the second half of each four; fours of
 * two such pairs; eights of two such fours. */
static __always_inline void pairs(const two_rows *a, const two_rows *b, two_rows *ret_low, two_rows *ret_high)
{
	*ret_low = SHUFFLE(*a, *b, 0, 16, 1, 17, 4, 20, 5, 21);
	*ret_high = SHUFFLE(*a, *b, 2, 18, 3, 19, 6, 22, 7, 23);
}

static __always_inline void fours(const two_rows *a, const two_rows *b, two_rows *ret_low, two_rows *ret_high)
{
	*ret_low = SHUFFLE(*a, *b, 0, 1, 16, 17, 4, 5, 20, 21);
	*ret_high = SHUFFLE(*a, *b, 2, 3, 18, 19, 6, 7, 22, 23);
}

static __always_inline void eights(const two_rows *a, const two_rows *b, __u32 *ret_low, __u32 *ret_high)
{
	two_rows low = SHUFFLE(*a, *b, 0, 1, 2, 3, 16, 17, 18, 19);
	two_rows high = SHUFFLE(*a, *b, 4, 5, 6, 7, 20, 21, 22, 23);

	__builtin_memcpy(ret_low, &low, sizeof(low));
	__builtin_memcpy(ret_high, &high, sizeof(high));
}

/* Of four frames: a row holds word i of each, and word i + 4. */
static __always_inline void turn_four(const two_rows *frame, two_rows *ret_word)
{
	two_rows low01, high01, low23, high23;

	pairs(&frame[0], &frame[1], &low01, &high01);
	pairs(&frame[2], &frame[3], &low23, &high23);
	fours(&low01, &low23, &ret_word[0], &ret_word[1]);
	fours(&high01, &high23, &ret_word[2], &ret_word[3]);
}

static __always_inline void turn(const __u8 *const *data, struct words *words)
{
	two_rows frame[ROW], one[ROW / 2], two[ROW / 2];

#pragma GCC unroll 8
	for (unsigned int i = 0; i < ROW; i++)
		load(data[i] + FRONT, data[i + ROW] + FRONT, &frame[i]);
	turn_four(frame, one);
	turn_four(frame + ROW / 2, two);
	for (unsigned int i = 0; i < ROW / 2; i++)
		eights(&one[i], &two[i], words->word[i], words->word[i + ROW / 2]);
}

/* One word after the other, where vectors are too short for that. */
static __always_inline void pick(const __u8 *const *data, struct words *words)
{
	for (unsigned int i = 0; i < AT_ONCE; i++)
		for (unsigned int place = 0; place < ROW; place++)
			words->word[place][i] = load32(data[i] + FRONT + place * sizeof(__u32));
}

/* --- what is unusual; numbers that are not 0 --- */

/* The frame's type, and whether it is addressed to the port. */
static __always_inline __u32 odd_link(const struct words *words, unsigned int i, __u64 mac, __u16 type)
{
	__u32 odd = words->first[i] ^ (__u32)mac;

	odd |= words->word[STATION][i] ^ (__u32)(mac >> 16);
	return odd | (words->word[TYPE][i] >> 16 ^ type);
}

static __always_inline __u32 halves(__u32 word)
{
	return (word & 0xffff) + (word >> 16);
}

/* The sum of the header's ten halfwords, 0xffff where the checksum is right; see fold() in xdp/parse.h. */
static __always_inline __u32 sum_of(const struct words *words, unsigned int i)
{
	__u32 sum = 0;

	for (unsigned int place = IP; place < ROW; place++)
		sum += halves(words->word[place][i]);
	return halves(halves(sum));
}

/* All are numbers below 2^31, so that the sign of a difference shows which is smaller. */
static __always_inline __u32 odd4(const struct words *words, unsigned int i, __u64 mac, __u32 room)
{
	__u32 begin = words->word[IP][i], source = words->word[IP + 3][i];
	__u32 length = begin >> 24 | (begin >> 8 & 0xff00);
	__u32 ttl = words->word[IP + 2][i] & 0xff, top = source & 0xff;
	__u32 odd = words->own[i] | odd_link(words, i, mac, swap16(ETH_P_IP));

	odd |= (begin & 0xff) ^ 0x45;
	odd |= length ^ room;
	odd |= sum_of(words, i) ^ 0xffff;
	odd |= (ttl - 2) >> 31;
	/* 0/8, multicast and above, 127/8 */
	odd |= (top - 1) >> 31 | (223 - top) >> 31;
	return odd | ((top ^ 127) - 1) >> 31;
}

static __always_inline __u32 is_zero(__u32 word)
{
	return ~(word | -word) >> 31;
}

static __always_inline __u32 odd6(const struct words *words, unsigned int i, __u64 mac, __u32 room)
{
	__u32 second = words->word[IP + 1][i];
	__u32 source0 = words->word[IP + 2][i], source1 = words->word[IP + 3][i];
	__u32 length = ((second >> 8 & 0xff) | (second << 8 & 0xff00)) + IPV6_HEADER;
	__u32 odd = odd_link(words, i, mac, swap16(ETH_P_IPV6));

	odd |= (words->word[IP][i] & 0xf0) ^ 0x60;
	odd |= length ^ room;
	odd |= length >> 16;
	/* hop-by-hop options; hop limit */
	odd |= ((second >> 16 & 0xff) - 1) >> 31 | ((second >> 24) - 2) >> 31;
	/* unspecified, loopback, v4-mapped and their kin; link-local; multicast */
	odd |= is_zero(source0 | source1);
	odd |= (((source0 & 0xc0ff) ^ 0x80fe) - 1) >> 31;
	return odd | (((source0 & 0xff) ^ 0xff) - 1) >> 31;
}

/* --- all of it, AT_ONCE frames at a time --- */

struct task {
	const struct target *target;
	__u64 mac;
	const struct burst_frame *frame;
	struct screened *screened;
	bool wide; /* vectors of 64 bytes; the compiler knows */
};

/* Of the frames from a place on; those behind the last one are as the first. `whole`: there are none, and no
 * short ones. */
static __always_inline void sight(const struct task *task, unsigned int place, unsigned int count,
				  const __u32 least, const bool whole, const __u8 **ret_data)
{
	const struct burst_frame *frame = task->frame;

#pragma GCC unroll 16
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		unsigned int at = whole || place + i < count ? place + i : 0;

		ret_data[i] = whole || frame[at].length >= least ? frame[at].data : nothing;
		task->screened->length[place + i] = frame[at].length - ETHER_HEADER;
	}
}

static __always_inline __u32 screen4(const struct task *task, unsigned int place, unsigned int count,
				     const bool whole, __u32 *ret_odd)
{
	struct screened *screened = task->screened;
	const __u8 *own = task->target->tables->own, *data[AT_ONCE];
	struct words words;
	__u32 any = 0;

	sight(task, place, count, READ4, whole, data);
	if (task->wide)
		turn(data, &words);
	else
		pick(data, &words);
#pragma GCC unroll 16
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		__u32 source = load32(data[i] + ETHER_HEADER + IPV4_SOURCE);

		words.first[i] = load32(data[i]);
		words.own[i] = __atomic_load_n(&own[own_slot(source)], __ATOMIC_RELAXED);
	}
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		screened->destination4[place + i] = swap32(words.word[IP + 4][i]);
		screened->ttl_word[place + i] = rewrite_ttl_word(words.word[IP + 2][i]);
		ret_odd[i] = odd4(&words, i, task->mac, screened->length[place + i]);
		any |= ret_odd[i];
	}
	return any;
}

static __always_inline __u32 screen6(const struct task *task, unsigned int place, unsigned int count,
				     const bool whole, __u32 *ret_odd)
{
	struct screened *screened = task->screened;
	const __u8 *data[AT_ONCE];
	struct words words;
	__u32 any = 0;

	sight(task, place, count, READ6, whole, data);
	if (task->wide)
		turn(data, &words);
	else
		pick(data, &words);
#pragma GCC unroll 16
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		const __u8 *destination = data[i] + ETHER_HEADER + IPV6_DESTINATION;

		words.first[i] = load32(data[i]);
		screened->destination6[place + i] = route_key6(load64(destination), load64(destination + 8));
	}
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		ret_odd[i] = odd6(&words, i, task->mac, screened->length[place + i]);
		any |= ret_odd[i];
	}
	return any;
}

static __always_inline bool is_whole(const struct task *task, unsigned int count, const __u32 least)
{
	__u32 any = 0;

	if (count != BURST_MOST)
		return false;
	for (unsigned int i = 0; i < BURST_MOST; i++)
		any |= task->frame[i].length - least;
	return !(any >> 31);
}

static __always_inline __u64 usual(const __u32 *odd, unsigned int count)
{
	__u64 usual = 0;

	for (unsigned int i = 0; i < count; i++)
		usual |= (__u64)!odd[i] << i;
	return usual;
}

static __always_inline __u64 screen_some(const struct task *task, unsigned int count, const bool ipv6,
					 const bool wide, const bool whole)
{
	/* that no store to what is screened can change */
	const struct task own = { task->target, task->mac, task->frame, task->screened, wide };
	__u32 odd[BURST_MOST], any = 0;

	for (unsigned int place = 0; place < (whole ? BURST_MOST : count); place += AT_ONCE)
		any |= ipv6 ? screen6(&own, place, count, whole, odd + place)
			    : screen4(&own, place, count, whole, odd + place);
	return likely(!any) ? ~0ull >> (64 - count) : usual(odd, count);
}

static __always_inline __u64 screen_all(const struct task *task, unsigned int count, const bool ipv6,
					const bool wide)
{
	return is_whole(task, count, ipv6 ? READ6 : READ4) ? screen_some(task, BURST_MOST, ipv6, wide, true)
							   : screen_some(task, count, ipv6, wide, false);
}

/* --- for each set of instructions --- */

struct screen {
	__u64 (*ipv4)(const struct task *task, unsigned int count);
	__u64 (*ipv6)(const struct task *task, unsigned int count);
};

#define SCREEN(name, wide, ...)                                                                              \
	__VA_ARGS__ static __u64 name##4(const struct task *task, unsigned int count)                        \
	{                                                                                                    \
		return screen_all(task, count, false, wide);                                                 \
	}                                                                                                    \
	__VA_ARGS__ static __u64 name##6(const struct task *task, unsigned int count)                        \
	{                                                                                                    \
		return screen_all(task, count, true, wide);                                                  \
	}                                                                                                    \
	static const struct screen name = { name##4, name##6 };

/* Compilers do not take the widest vectors by themselves. */
#ifdef __clang__
#define WIDEST target("arch=x86-64-v4"), min_vector_width(512)
#else
#define WIDEST target("arch=x86-64-v4,prefer-vector-width=512")
#endif

SCREEN(plain, false)
#ifdef __x86_64__
SCREEN(avx2, false, __attribute__((target("arch=x86-64-v3"))))
SCREEN(avx512, true, __attribute__((WIDEST)))
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
		  struct screened *ret)
{
	const __u16 switches = INTERFACE_FORWARD4 | INTERFACE_RPF_STRICT | INTERFACE_RPF_LOOSE;
	const struct image_interface *in = target_ingress(target);
	const struct task task = { .target = target, .mac = in->mac, .frame = frame, .screened = ret };

	if (unlikely((in->flags & switches) != INTERFACE_FORWARD4))
		return 0;
	return screen()->ipv4(&task, count);
}

__u64 screen_ipv6(const struct target *target, const struct burst_frame *frame, unsigned int count,
		  struct screened *ret)
{
	const struct image_interface *in = target_ingress(target);
	const struct task task = { .target = target, .mac = in->mac, .frame = frame, .screened = ret };

	if (unlikely(!(in->flags & INTERFACE_FORWARD6)))
		return 0;
	return screen()->ipv6(&task, count);
}
