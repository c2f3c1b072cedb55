// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The maps that all engines of the kernel share beside the image: counters (per CPU, by port) and the devmap
 * of ports that take redirected frames.
 */
#pragma once

#include <stdbool.h>

#include "host/why.h"
#include "xdp/image.h"

struct image_store;
struct pins;

struct kernel_maps {
	int counters_fd;
	int ports_fd;
	bool adopted;               /* the counters are those of the last daemon */
	unsigned int cpus;          /* possible ones: values of a per-CPU map */
	unsigned int generic_ports; /* ports under generic XDP */
	unsigned int native_ports;  /* ports under native XDP; they cannot redirect everywhere */
};

/* adopt: go on with the counters of the last daemon, if it left any. They are pinned at once, so that the
 * next daemon goes on with them whenever this one is killed. */
int kernel_maps_open(struct pins *pins, bool adopt, struct kernel_maps **ret, struct why *why);
/* NULL is fine. */
void kernel_maps_close(struct kernel_maps *maps);
/* Pins these maps and the image's in place of a predecessor's. */
int kernel_maps_pin(const struct kernel_maps *maps, const struct image_store *store, struct pins *pins,
		    struct why *why);

/* Lets other ports send to this one, or no longer. */
int kernel_maps_port_set(struct kernel_maps *maps, __u16 port, __u32 ifindex);
void kernel_maps_port_clear(struct kernel_maps *maps, __u16 port);
int kernel_maps_counters(const struct kernel_maps *maps, __u16 port, struct image_counters *ret);
