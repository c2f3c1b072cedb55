// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A card as its engine reaches it: maps and programs that the kernel binds to a device. One table, so that
 * tests can have cards of their own. Where firmware does not answer, every call may take many seconds; none
 * is made from the loop's thread but detach().
 */
#pragma once

#include "host/fib/card.h"
#include "host/why.h"

struct engine_context;
struct engine_port;

struct offload_device_ops {
	/* Maps on the card that has this interface, all zero, as large as it takes them. */
	int (*open)(const struct engine_context *context, __u32 ifindex, void **ret_device,
		    struct card_sizes *ret_sizes, struct why *why);
	/* All programs are unloaded. */
	void (*close)(void *device);
	int (*write)(void *device, enum card_map map, __u32 index, const void *value);
	/* The port's instance of the program, with these maps. -ENOPROTOOPT: what the driver refuses is that
	 * it chooses queues (port->queues), which not all firmware lets it do: nobody says beforehand. */
	int (*load)(void *device, const struct engine_port *port, void **ret_program, struct why *why);
	/* From now on the card runs it. -EBUSY: a foreign program is there. */
	int (*attach)(void *program, struct why *why);
	/* No longer. By any thread, while another may be in check(); again: no effect. */
	void (*detach)(void *program);
	void (*unload)(void *program);
	/* What an attached program has counted since it was loaded. -ENOLINK: it is attached no more. */
	int (*check)(void *program, struct image_counters *ret);
};

/* The kernel's. */
extern const struct offload_device_ops offload_device;

/* For libbpf's print function: keeps what the kernel says to this thread's attach(). True: it was wanted. */
bool offload_device_hear(const char *format, va_list arguments);
