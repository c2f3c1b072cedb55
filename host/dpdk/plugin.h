// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the daemon and the DPDK plugin (penstock-dpdk.so) say to each other. The daemon knows nothing of DPDK;
 * the plugin is loaded when a port asks for it. Both are of one build, which dpdk_plugin.build proves.
 *
 * All calls come from the thread of the event loop.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/engine/engine.h"
#include "host/why.h"
#include "xdp/image.h"

struct config;
struct dpdk;
struct grace;
struct image_store;

#define DPDK_PLUGIN_SYMBOL "penstock_dpdk"
#define DPDK_PLUGIN_BUILD  PENSTOCK_VERSION " image 1 plugin 1"

struct dpdk_log { /* the daemon's */
	void (*warning)(const char *format, ...) __attribute__((format(printf, 1, 2)));
	void (*info)(const char *format, ...) __attribute__((format(printf, 1, 2)));
	void (*debug)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

struct dpdk_plugin {
	const char *build; /* DPDK_PLUGIN_BUILD */
	/*
	 * Starts the EAL, makes the devices of the configuration and for each the interface that stands for
	 * it, and begins to carry frames between the two. Once in a process. `instance`: the daemon's name.
	 * Nothing is left on failure.
	 */
	int (*open)(const struct config *config, const char *instance, const struct dpdk_log *log,
		    struct dpdk **ret, struct why *why);
	void (*close)(struct dpdk *dpdk);
	/* Gives the workers the image, or takes it away; no port is attached when that is done. */
	int (*load)(struct dpdk *dpdk, const struct image_store *store, struct grace *grace, struct why *why);
	void (*unload)(struct dpdk *dpdk);
	/* The program runs on what comes in by a device, which is `port` in the image from now on. -ENODEV.
	 */
	int (*attach)(struct dpdk *dpdk, const char *interface, __u16 port);
	void (*detach)(struct dpdk *dpdk, __u16 port);
	/* Whether other devices may send out of this one. */
	void (*reach)(struct dpdk *dpdk, __u16 port, bool able);
	/* Makes the device follow the settings of its interface. An error: it cannot, `why` says which.
	 * -ENOENT: no such port. */
	int (*follow)(struct dpdk *dpdk, __u16 port, struct why *why);
	/* How the device is driven, for the status. */
	void (*how)(const struct dpdk *dpdk, __u16 port, char *ret, size_t size);
	unsigned int (*facts)(const struct dpdk *dpdk, __u16 port, struct engine_fact *ret);
	void (*counters)(const struct dpdk *dpdk, __u16 port, struct image_counters *ret);
};
