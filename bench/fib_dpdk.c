// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_dpdk.h"

#include "bench/workload/prefix.h"

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#define FIB_DPDK_FIRST 24
#define FIB_DPDK_STEP  8

static bool fib_dpdk_runs;

// As penstock's image in memory does: fewer TLB misses where the system grants it.
static int fib_dpdk_advise(const struct rte_memseg_list *list, void *arg)
{
	madvise(list->base_va, list->len, MADV_HUGEPAGE);
	return 0;
}

int fib_dpdk_start(unsigned int cpu, unsigned int megabytes)
{
	char lcore[16], memory[16];
	const char *arguments[] = {
		"penstock", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		// Where AVX-512 is asked for, DPDK shall use it also on CPUs where it would not.
		"--force-max-simd-bitwidth=512", "--log-level=*:error", "-l", lcore, "-m", memory
	};

	snprintf(lcore, sizeof(lcore), "%u", cpu);
	snprintf(memory, sizeof(memory), "%u", megabytes);
	if (rte_eal_init(sizeof(arguments) / sizeof(arguments[0]), (char **)arguments) < 0) {
		warnx("bench fib: DPDK does not start: %s; leave its tables out by --skip",
		      rte_strerror(rte_errno));
		return rte_errno ? -rte_errno : -EIO;
	}
	fib_dpdk_runs = true;
	rte_memseg_list_walk(fib_dpdk_advise, NULL);
	return 0;
}

void fib_dpdk_stop(void)
{
	if (fib_dpdk_runs)
		rte_eal_cleanup();
	fib_dpdk_runs = false;
}

static bool fib_dpdk_same(const struct table_route *a, const struct table_route *b, unsigned int length)
{
	return memcmp(a->addr, b->addr, length / 8) == 0;
}

size_t fib_dpdk_groups(const struct table *table)
{
	const struct table_route *last[128] = { NULL }; // by length: the one that the last group was for
	size_t groups = 0;

	for (size_t i = 0; i < table->count; i++)
		for (unsigned int length = FIB_DPDK_FIRST; length < table->routes[i].len;
		     length += FIB_DPDK_STEP) {
			if (last[length] && fib_dpdk_same(last[length], &table->routes[i], length))
				continue;
			last[length] = &table->routes[i];
			groups++;
		}
	return groups;
}

// Groups from the first step to a prefix of that length.
static unsigned int fib_dpdk_steps(unsigned int length)
{
	return length <= FIB_DPDK_FIRST ? 0 : (length - FIB_DPDK_FIRST + FIB_DPDK_STEP - 1) / FIB_DPDK_STEP;
}

size_t fib_dpdk_wanted_groups(const struct table *table)
{
	const struct table_route *around[129]; // the routes that the present one is in
	unsigned int depth = 0;
	size_t groups = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];

		while (depth && !prefix_covers(around[depth - 1], route->addr))
			depth--;
		groups += fib_dpdk_steps(route->len) - (depth ? fib_dpdk_steps(around[depth - 1]->len) : 0);
		around[depth++] = route;
	}
	return groups;
}

size_t fib_dpdk_allocated(void)
{
	struct rte_malloc_socket_stats stats;

	return rte_malloc_get_socket_stats(0, &stats) < 0 ? 0 : stats.heap_allocsz_bytes;
}
