// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A worker: one thread on one CPU that polls its share of all devices' receive queues and runs the program
 * over what it finds. Devices that are not attached hand all their frames to the kernel.
 *
 * What workers look at (queues, ports, the image) changes only while they pause.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/dpdk/device.h"

#define WORKER_QUEUES 256

struct burst;
struct grace_reader;
struct workers;

struct worker {
	struct workers *workers;
	unsigned int slot;               /* also its number */
	struct image_counters *counters; /* by port, IMAGE_PORTS of them; only this thread writes */
	struct burst *burst;             /* NULL: no image yet */
	struct grace_reader *reader;     /* with the burst */
	unsigned int queues;
	struct {
		struct device *device;
		__u16 number;
	} queue[WORKER_QUEUES];
	bool paused;
} __attribute__((aligned(64)));

struct workers {
	unsigned int count;
	bool busy; /* poll without a nap */
	bool running, stop, pause;
	struct device *egress[IMAGE_PORTS];
	struct worker worker[EAL_WORKERS];
};

/* The workers start; the queues of devices are dealt out among them. */
int workers_start(struct workers *workers);
void workers_stop(struct workers *workers);
/* A device's receive queues are dealt out. Before they start. -ENOSPC. */
int workers_deal(struct workers *workers, struct device *device);
/* None is within a burst when this returns. */
void workers_pause(struct workers *workers);
void workers_resume(struct workers *workers);
