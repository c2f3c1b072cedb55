// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * An engine runs the program for ports: in the kernel's drivers, in its generic hook, later on the NIC or in
 * user space. The manager knows engines only by this table. All calls come from the thread of the event loop.
 *
 * A port's life: attach (the program runs on it; a predecessor of ours is replaced without a gap), start
 * (other ports may send to it), stop, detach. Each undoes what its opposite changed. While a port is not
 * attached the kernel forwards for it.
 */
#pragma once

#include <stdbool.h>
#include <net/if.h>
#include <linux/types.h>

#include "host/modes/capability.h"
#include "host/modes/platform.h"
#include "host/modes/probe.h"
#include "host/why.h"
#include "xdp/image.h"

struct config;
struct grace;
struct image_store;
struct kernel_maps;
struct loop;
struct pins;

struct engine_context { /* lives as long as the engine */
	struct loop *loop;
	const struct config *config; /* as it is now; a reload puts another one here */
	struct image_store *store;
	struct grace *grace; /* threads of an engine that read the image take part */
	const struct platform *platform;
	struct kernel_maps *maps;
	struct pins *pins; /* what outlives the daemon */
	/* The engine saw a port change: ask for its state. */
	void (*changed)(void *arg, __u32 ifindex);
	void *arg;
};

struct engine_port {
	char name[IFNAMSIZ];
	__u32 ifindex;
	__u16 id; /* in the image */
	/* Behind a card: receive queues, from 0 on, that the engine there takes frames from; 0: it is all
	 * the same to it. */
	__u16 queues;
};

struct engine_state {      /* of an attached port */
	bool attached;     /* false: somebody took the program away */
	struct probe able; /* to take frames from other ports */
	bool frames;       /* of several buffers too */
	__u16 queues;      /* as in struct engine_port */
	char how[64];      /* what the mode's name leaves open, e.g. "zero copy"; empty: nothing */
	/* Engines of cards take their time after attach(), go on trying, and say here what they are at. */
	struct why why;
	bool failed; /* what `why` says is that an attempt failed */
};

/* A figure of a port that is no counter of the program, for the status. */
struct engine_fact {
	const char *name; /* constant */
	__u64 value;
};

#define ENGINE_FACTS 24

enum engine_place { ENGINE_PLACE_KERNEL, ENGINE_PLACE_USER, ENGINE_PLACE_CARD };

struct engine_ops {
	const char *name; /* as the mode is called in configuration and status */
	enum engine_place
		place; /* where the program runs; behind a card, another engine serves what it passes up */
	__u64 rights;  /* capabilities that it needs beside PLATFORM_RIGHTS, a bit each */
	const char *effect; /* what may be expected, beside Linux alone; one clause, or NULL */
	/* Engines that bring devices of their own, and only these: makes those of the configuration, each
	 * with an interface of the port's name that stands for it and by which the kernel forwards. Before
	 * anything looks at interfaces; once. Nothing is left on failure. NULL: the engine serves the
	 * kernel's devices. */
	int (*bring)(const struct config *config, const char *instance, struct why *why);
	/* After close(), if that was needed. Without bring() before: no effect. */
	void (*take)(void);
	/* Pure: whether such a port can run in this engine. */
	void (*probe)(const struct platform *platform, const struct capability *port, struct probe *ret);
	/* Pure: what of the platform's measurements stands for such a port in this engine, packets a second.
	 * 0: nothing does. NULL: the engine was never measured. */
	__u32 (*measured)(const struct platform *platform, const struct capability *port);
	int (*open)(const struct engine_context *context, void **ret_engine, struct why *why);
	/* All ports are detached before. */
	void (*close)(void *engine);
	/* -EBUSY: a foreign program is there; `why` names it, but not the port. Nothing is changed on
	 * failure. Behind a card, after the other engine's. */
	int (*attach)(void *engine, const struct engine_port *port, struct why *why);
	void (*detach)(void *engine, const struct engine_port *port);
	int (*start)(void *engine, const struct engine_port *port, struct why *why);
	void (*stop)(void *engine, const struct engine_port *port);
	/* `now`: what was seen of the port since it was attached; asks the kernel nothing that it may have to
	 * wait for. */
	int (*state)(void *engine, const struct engine_port *port, const struct capability *now,
		     struct engine_state *ret);
	/* Sums over CPUs and threads since the port's counters were made. */
	int (*counters)(void *engine, __u16 port, struct image_counters *ret);
	/* At most ENGINE_FACTS; returns how many. NULL: the engine has none. */
	unsigned int (*facts)(void *engine, const struct engine_port *port, struct engine_fact *ret);
};

/* All engines of this build, best first, ends with NULL. */
extern const struct engine_ops *const engine_list[];
