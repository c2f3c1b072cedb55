// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The buffers of all devices, as rte_pktmbuf_pool_create() makes them, but close together wherever that is
 * possible. DPDK gives each buffer of 2 KiB a page of its own where pages are ordinary ones, lest a card has
 * to follow it over two of them. All buffers then begin at the same place of a page, and so share one in 64
 * of the sets of a cache: to receive and send frames took twice as long. Cards that have virtual addresses,
 * and devices that are no cards, do not care for pages.
 */
#pragma once

#include <linux/types.h>

#include <rte_mempool.h>

/* Of count buffers with room for so many bytes each, headroom among them; NULL: see rte_errno. */
struct rte_mempool *pool_new(const char *name, unsigned int count, unsigned int cache, __u16 room);
