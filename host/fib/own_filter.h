// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The filter over this host's IPv4 addresses in image_tables.own. The program looks a source address up where
 * the filter says that it may be our own: nobody else may use that as a source.
 */
#pragma once

#include "host/fib/image_update.h"
#include "xdp/image.h"

struct own_filter {
	__u8 *image;
	__u32 count[IMAGE_OWN]; /* prefixes behind each slot */
};

/* A route of this prefix to this leaf has come (1) or gone (-1); leaf 0: there is none. */
void own_filter_count(struct own_filter *filter, const struct image_prefix *prefix, __u16 leaf, int change);
