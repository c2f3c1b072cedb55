// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * XDP in the driver (native) and in the kernel's generic hook: one source, the hook is a parameter. Each port
 * has its own instance of the program, whose port number is a constant for the verifier; they share all maps.
 */
#include "host/engine/native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "host/engine/engine.h"
#include "host/engine/kernel_maps.h"
#include "host/engine/native_probe.h"
#include "host/engine/router_program.h"
#include "host/engine/xdp_link.h"
#include "host/loop.h"
#include "host/modes/egress.h"
#include "host/modes/xdp_features.h"
#include "xdp/router.skel.h"

struct native_port {
	LIST_ENTRY(native_port) link;
	struct engine_port port;
	struct router *program;
	int link_fd;
	__u32 program_id;
};

struct native {
	const struct engine_context *context;
	__u32 flags;                   /* XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE */
	struct xdp_features *features; /* NULL: the kernel does not tell */
	LIST_HEAD(, native_port) ports;
};

static bool is_native(const struct native *native)
{
	return native->flags == XDP_FLAGS_DRV_MODE;
}

static unsigned int *count_of(const struct native *native)
{
	struct kernel_maps *maps = native->context->maps;

	return is_native(native) ? &maps->native_ports : &maps->generic_ports;
}

static struct native_port *find_port(struct native *native, const struct engine_port *port)
{
	struct native_port *each;

	LIST_FOREACH (each, &native->ports, link)
		if (each->port.id == port->id)
			return each;
	return NULL;
}

/* --- opening --- */

static void features_changed(void *arg, __u32 ifindex, __u64 features)
{
	struct native *native = arg;
	struct native_port *port;

	LIST_FOREACH (port, &native->ports, link)
		if (ifindex == 0 || port->port.ifindex == ifindex)
			native->context->changed(native->context->arg, port->port.ifindex);
}

static int open_hook(const struct engine_context *context, __u32 flags, void **ret, struct why *why)
{
	struct native *native = calloc(1, sizeof(*native));
	int error;

	if (!native)
		return why_set(why, ENOMEM, "out of memory");
	native->context = context;
	native->flags = flags;
	LIST_INIT(&native->ports);
	error = xdp_features_open(&native->features);
	if (error == 0)
		error = xdp_features_watch(native->features, context->loop, features_changed, native);
	if (error < 0 && error != -EOPNOTSUPP) {
		xdp_features_close(native->features);
		free(native);
		return why_set(why, -error, "cannot watch the features of devices: %s", strerror(-error));
	}
	*ret = native;
	return 0;
}

static int open_native(const struct engine_context *context, void **ret, struct why *why)
{
	return open_hook(context, XDP_FLAGS_DRV_MODE, ret, why);
}

static int open_generic(const struct engine_context *context, void **ret, struct why *why)
{
	return open_hook(context, XDP_FLAGS_SKB_MODE, ret, why);
}

static void close_hook(void *engine)
{
	struct native *native = engine;

	xdp_features_close(native->features);
	free(native);
}

/* --- attaching --- */

static int attach(void *engine, const struct engine_port *port, struct why *why)
{
	struct native *native = engine;
	struct native_port *entry = calloc(1, sizeof(*entry));
	int error, program_fd;

	if (!entry)
		return why_set(why, ENOMEM, "out of memory");
	entry->port = *port;
	error = router_program_forward(native->context, port, &entry->program, why);
	if (error < 0)
		goto free_entry;
	program_fd = bpf_program__fd(entry->program->progs.penstock);
	entry->link_fd = error = xdp_link_attach(native->context->pins, port, native->flags, program_fd, why);
	if (error < 0)
		goto destroy_program;
	entry->program_id = xdp_link_program(program_fd);
	LIST_INSERT_HEAD(&native->ports, entry, link);
	++*count_of(native);
	return 0;
destroy_program:
	router__destroy(entry->program);
free_entry:
	free(entry);
	return error;
}

static void detach(void *engine, const struct engine_port *port)
{
	struct native *native = engine;
	struct native_port *entry = find_port(native, port);

	if (!entry)
		return;
	xdp_link_detach(native->context->pins, &entry->port, entry->link_fd);
	router__destroy(entry->program);
	LIST_REMOVE(entry, link);
	free(entry);
	--*count_of(native);
}

static int start(void *engine, const struct engine_port *port, struct why *why)
{
	struct native *native = engine;
	int error = kernel_maps_port_set(native->context->maps, port->id, port->ifindex);

	if (error < 0)
		return why_set(why, -error, "the kernel does not take it as an egress: %s", strerror(-error));
	return 0;
}

static void stop(void *engine, const struct engine_port *port)
{
	struct native *native = engine;

	kernel_maps_port_clear(native->context->maps, port->id);
}

static int state(void *engine, const struct engine_port *port, const struct capability *now,
		 struct engine_state *ret)
{
	struct native *native = engine;
	struct native_port *entry = find_port(native, port);
	enum capability_attach hook =
		is_native(native) ? CAPABILITY_ATTACH_NATIVE : CAPABILITY_ATTACH_GENERIC;
	struct egress egress;

	if (!entry)
		return -ENOENT;
	egress_probe(native->context->platform, now, native->context->maps->native_ports > 0, &egress);
	memset(ret, 0, sizeof(*ret));
	ret->attached = now->ifindex == port->ifindex && now->program.at[hook] == entry->program_id;
	ret->able = egress.able;
	ret->frames = egress.frames;
	return 0;
}

static int counters(void *engine, __u16 port, struct image_counters *ret)
{
	struct native *native = engine;

	return kernel_maps_counters(native->context->maps, port, ret);
}

const struct engine_ops engine_native = {
	.name = "native",
	.effect = "some 4 times as many packets on a CPU as Linux forwards, more with large tables",
	.probe = native_probe,
	.measured = native_probe_measured,
	.open = open_native,
	.close = close_hook,
	.attach = attach,
	.detach = detach,
	.start = start,
	.stop = stop,
	.state = state,
	.counters = counters,
};

const struct engine_ops engine_generic = {
	.name = "generic",
	.effect = "routes are found faster than by Linux, but every packet still costs a socket buffer",
	.probe = native_probe_generic,
	.measured = native_probe_measured_generic,
	.open = open_generic,
	.close = close_hook,
	.attach = attach,
	.detach = detach,
	.start = start,
	.stop = stop,
	.state = state,
	.counters = counters,
};
