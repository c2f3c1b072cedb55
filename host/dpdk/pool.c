// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/dpdk/pool.h"

#include <errno.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

static int fill(struct rte_mempool *pool, __u16 room)
{
	struct rte_pktmbuf_pool_private settings = { .mbuf_data_room_size = room };
	int error = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);

	if (error < 0)
		return error;
	rte_pktmbuf_pool_init(pool, &settings);
	error = rte_mempool_populate_default(pool);
	if (error < 0)
		return error;
	(void)rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return 0;
}

struct rte_mempool *pool_new(const char *name, unsigned int count, unsigned int cache, __u16 room)
{
	bool virtual = rte_eal_iova_mode() == RTE_IOVA_VA;
	struct rte_mempool *pool =
		rte_mempool_create_empty(name, count, (unsigned int)sizeof(struct rte_mbuf) + room, cache,
					 sizeof(struct rte_pktmbuf_pool_private), SOCKET_ID_ANY,
					 virtual ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0);
	int error = pool ? fill(pool, room) : 0;

	if (error < 0) {
		rte_mempool_free(pool);
		rte_errno = -error;
		pool = NULL;
	}
	return pool;
}
