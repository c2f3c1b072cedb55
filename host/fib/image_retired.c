// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/image_retired.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_ROOM 64

struct retired_leaf {
	__u64 ticket;
	__u64 epoch; /* of the grace period, once dated */
	__u16 leaf;
};

static struct retired_leaf *at(const struct image_retired *retired, __u32 index)
{
	return &retired->leaf[(retired->first + index) & (retired->room - 1)];
}

static int grow(struct image_retired *retired)
{
	__u32 room = retired->room ? retired->room * 2 : FIRST_ROOM;
	struct retired_leaf *more = malloc(room * sizeof(*more));

	if (!more)
		return -ENOMEM;
	for (__u32 i = 0; i < retired->count; i++)
		more[i] = *at(retired, i);
	free(retired->leaf);
	retired->leaf = more;
	retired->first = 0;
	retired->room = room;
	return 0;
}

void image_retired_release(struct image_retired *retired)
{
	free(retired->leaf);
}

int image_retired_add(struct image_retired *retired, __u16 leaf, __u64 ticket)
{
	if (retired->count == retired->room && grow(retired) < 0)
		return -ENOMEM;
	*at(retired, retired->count++) = (struct retired_leaf){ .leaf = leaf, .ticket = ticket };
	return 0;
}

void image_retired_date(struct image_retired *retired, const struct image_queue *changes, __u64 epoch)
{
	while (retired->dated < retired->count) {
		struct retired_leaf *leaf = at(retired, retired->dated);

		if (!image_queue_done(changes, leaf->ticket))
			return;
		leaf->epoch = epoch;
		retired->dated++;
	}
}

__u64 image_retired_newest(const struct image_retired *retired)
{
	return retired->dated ? at(retired, retired->dated - 1)->epoch : 0;
}

bool image_retired_take(struct image_retired *retired, __u64 passed, __u16 *ret_leaf)
{
	if (!retired->dated || at(retired, 0)->epoch > passed)
		return false;
	*ret_leaf = at(retired, 0)->leaf;
	retired->first++;
	retired->count--;
	retired->dated--;
	return true;
}
