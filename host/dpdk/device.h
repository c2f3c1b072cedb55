// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A device of DPDK with the interface that stands for it. Each thread that sends (a worker, the ferry) has a
 * slot; where a device has fewer transmit queues than there are slots, some share one under a lock.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include "host/dpdk/eal.h"
#include "host/dpdk/representor.h"

#define DEVICE_SLOTS (EAL_WORKERS + 1)
#define DEVICE_NONE  (-1)

struct device_tally {         /* of one slot, which alone writes it */
	__u64 to_kernel;      /* frames handed to the kernel */
	__u64 to_kernel_lost; /* that it did not take: the interface is down, or out of memory */
	__u64 from_kernel;
	__u64 unsent; /* frames the device did not take */
} __attribute__((aligned(64)));

struct device_queue {
	rte_spinlock_t lock;
} __attribute__((aligned(64)));

struct device {
	struct representor tap;
	char name[RTE_ETH_NAME_MAX_LEN]; /* as DPDK calls it */
	__u16 id;                        /* so, too */
	unsigned int ifindex;            /* of the interface of the kernel below it; 0: it needs none */
	int port;                        /* in the image; DEVICE_NONE: not attached */
	unsigned int slots;
	__u16 receive_queues, transmit_queues;
	bool shared;       /* transmit queues */
	bool rss;          /* the device spreads flows over queues as we ask for; else in its own way */
	char offloads[64]; /* that it does for us, as DPDK calls them; empty: none */
	struct device_queue queue[DEVICE_SLOTS];
	struct device_tally tally[DEVICE_SLOTS];
	struct representor_settings settings; /* that it has */
	__u32 largest_mtu;                    /* for which there is room */
};

struct device_room { /* what all devices share */
	struct rte_mempool *pool;
	unsigned int workers;
	__u32 mtu;
};

/* Has DPDK make the device, which it then has not configured. `device`: as DPDK names it. */
int device_probe(const char *device, __u16 *ret_id, struct why *why);
/* Frames that its queues hold. */
unsigned int device_buffers(__u16 id, unsigned int workers);
/* Configures and starts a probed device, and makes the interface that stands for it. On failure the device is
 * closed. */
int device_open(__u16 id, const char *interface, const struct device_room *room, struct device **ret,
		struct why *why);
void device_close(struct device *device);

/* Nobody sends or receives now. Makes it follow the settings of its interface; `why`: what it cannot. */
int device_follow(struct device *device, const struct representor_settings *settings, struct why *why);
/* Shows the link's state on the interface. */
void device_watch(struct device *device);

/* Sum over the slots. */
void device_tally(const struct device *device, struct device_tally *ret);

/* Takes the frames over, at most 64. */
void device_send(struct device *device, unsigned int slot, struct rte_mbuf **frame, unsigned int count);
/* Hands one to the kernel; it stays the caller's. */
void device_punt(struct device *device, unsigned int slot, const struct rte_mbuf *frame);
