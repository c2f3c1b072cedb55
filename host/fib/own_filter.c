// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/own_filter.h"

#include <arpa/inet.h>

void own_filter_count(struct own_filter *filter, const struct image_prefix *prefix, __u16 leaf, int change)
{
	__u32 first = 0, last = IMAGE_OWN - 1;

	if (prefix->family != IMAGE_IPV4 || (leaf != REASON_LOCAL && leaf != REASON_BROADCAST))
		return;
	/* a prefix that is local as a whole may hold any slot */
	if (prefix->length == 32)
		first = last = own_slot(htonl(prefix->key.word[0]));
	else if (prefix->key.word[0] >> 24 == 127)
		return; /* a martian as source in any case */
	for (__u32 slot = first; slot <= last; slot++) {
		filter->count[slot] += change;
		__atomic_store_n(&filter->image[slot], filter->count[slot] != 0, __ATOMIC_RELAXED);
	}
}
