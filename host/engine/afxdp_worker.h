// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Threads that turn the burst loop over AF_XDP sockets.
 *
 * Queue q of every port belongs to worker q modulo their number: it receives there, and sends on the queue of
 * the same number of the egress port (modulo its queues, where it has fewer), so that workers meet only
 * there. What all workers read, the ports and their sockets, changes only while they rest.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/engine/afxdp_socket.h"
#include "host/why.h"
#include "xdp/steering.h"

struct afxdp_counters;
struct afxdp_handback;
struct afxdp_worker;
struct engine_context;

struct afxdp_port {
	__u32 ifindex;
	unsigned int sockets;  /* 0: not a port of the engine */
	unsigned int transmit; /* of these, how many may send: the device has that many transmit queues */
	struct afxdp_socket *socket[STEERING_QUEUES];
};

struct afxdp_crew { /* what the workers share */
	const struct engine_context *context;
	struct afxdp_frames *frames;
	struct afxdp_counters *counters;
	struct afxdp_handback *handback;
	struct steering *steering; /* memory of the map */
	bool reach[IMAGE_PORTS];   /* ports that take frames */
	struct afxdp_port port[IMAGE_PORTS];
	bool busy; /* workers never sleep */
	unsigned int workers;
	struct afxdp_worker *worker[STEERING_QUEUES];
};

/* Starts `workers` threads, each bound to one of the CPUs in turn; cpus 0: to none. */
int afxdp_crew_start(struct afxdp_crew *crew, unsigned int workers, const int *cpu, unsigned int cpus,
		     struct why *why);
/* No port is left. Frames in the workers' caches go back to the pool. */
void afxdp_crew_stop(struct afxdp_crew *crew);

/* Between the two no worker touches ports, sockets or frames. Short: packets wait. */
void afxdp_crew_rest(struct afxdp_crew *crew);
void afxdp_crew_go(struct afxdp_crew *crew);
/* While they rest: the sockets of crew->port[] have changed. */
void afxdp_crew_assign(struct afxdp_crew *crew);

/* While they rest: frames in the caches. */
__u32 afxdp_crew_cached(const struct afxdp_crew *crew);

struct afxdp_crew_facts {
	__u64 handed_back; /* frames given to the kernel after all */
	__u64 lost;        /* that could not be */
	__u64 sleeps;
};
void afxdp_crew_facts(const struct afxdp_crew *crew, struct afxdp_crew_facts *ret);
