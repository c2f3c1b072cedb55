// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/fixed_range.h"

static const struct range {
	__u8 family, length;
	__u32 top; /* the first 32 bits; the others are 0 */
	enum reason reason;
} ranges[] = {
	{ IMAGE_IPV4, 8, 0x00000000, REASON_MARTIAN_DESTINATION },  /* 0.0.0.0/8: this network */
	{ IMAGE_IPV4, 8, 0x7f000000, REASON_MARTIAN_DESTINATION },  /* 127.0.0.0/8: loopback */
	{ IMAGE_IPV4, 16, 0xa9fe0000, REASON_MARTIAN_DESTINATION }, /* 169.254.0.0/16: link-local */
	{ IMAGE_IPV4, 4, 0xe0000000, REASON_MULTICAST },
	{ IMAGE_IPV4, 4, 0xf0000000, REASON_MARTIAN_DESTINATION },  /* 240.0.0.0/4: reserved, and broadcast */
	{ IMAGE_IPV6, 80, 0x00000000, REASON_MARTIAN_DESTINATION }, /* ::, ::1, v4-compatible and v4-mapped */
	{ IMAGE_IPV6, 10, 0xfe800000, REASON_MARTIAN_DESTINATION }, /* link-local */
	{ IMAGE_IPV6, 8, 0xff000000, REASON_MULTICAST },
};
#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

bool fixed_range_is(const struct image_prefix *prefix)
{
	for (size_t i = 0; i < RANGES; i++) {
		if (prefix->layer == PREFIX_SHADOW && prefix->family == ranges[i].family &&
		    prefix->length == ranges[i].length && prefix->key.word[0] == ranges[i].top &&
		    !(prefix->key.word[1] | prefix->key.word[2]))
			return true;
	}
	return false;
}

void fixed_ranges_each(void (*each)(void *arg, const struct image_prefix *prefix, __u16 leaf), void *arg)
{
	for (size_t i = 0; i < RANGES; i++) {
		struct image_prefix prefix = {
			.family = ranges[i].family,
			.layer = PREFIX_SHADOW,
			.length = ranges[i].length,
			.key.word[0] = ranges[i].top,
		};

		each(arg, &prefix, ranges[i].reason);
	}
}
