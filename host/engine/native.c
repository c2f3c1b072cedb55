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
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "host/engine/bake.h"
#include "host/engine/engine.h"
#include "host/engine/kernel_maps.h"
#include "host/engine/native_probe.h"
#include "host/engine/pins.h"
#include "host/fib/image_store.h"
#include "host/loop.h"
#include "host/modes/egress.h"
#include "host/modes/xdp_features.h"
#include "xdp/router.skel.h"

struct native_port {
	LIST_ENTRY(native_port) link;
	struct engine_port port;
	struct router *program;
	int link_fd;
};

struct native {
	const struct engine_context *context;
	const char *mode;
	__u32 flags;                   /* XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE */
	struct xdp_features *features; /* NULL: the kernel does not tell */
	LIST_HEAD(, native_port) ports;
};

static bool is_native(const struct native *native)
{
	return native->flags == XDP_FLAGS_DRV_MODE;
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

static int open_hook(const struct engine_context *context, const char *mode, __u32 flags, void **ret,
		     struct why *why)
{
	struct native *native = calloc(1, sizeof(*native));
	int error;

	if (!native)
		return why_set(why, ENOMEM, "out of memory");
	native->context = context;
	native->mode = mode;
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
	return open_hook(context, "native", XDP_FLAGS_DRV_MODE, ret, why);
}

static int open_generic(const struct engine_context *context, void **ret, struct why *why)
{
	return open_hook(context, "generic", XDP_FLAGS_SKB_MODE, ret, why);
}

static void close_hook(void *engine)
{
	struct native *native = engine;

	xdp_features_close(native->features);
	free(native);
}

/* --- attaching --- */

static int reuse_maps(struct router *program, const struct engine_context *context)
{
	int error = bpf_map__reuse_fd(program->maps.counters, context->maps->counters_fd);

	return error ? error : bpf_map__reuse_fd(program->maps.ports, context->maps->ports_fd);
}

static int bake_port(struct router *program, const struct image_store *store, __u16 port)
{
	struct bake bake = { 0 };

	bake.fd[BAKED_TABLES] = store->tables_fd;
	bake.fd[BAKED_INGRESS] = store->tables_fd;
	bake.offset[BAKED_INGRESS] = offsetof(struct image_tables, interface[port + 1]);
	bake.fd[BAKED_NODE] = store->node_fd;
	bake.fd[BAKED_RUN] = store->run_fd;
	bake.number[BAKED_PORT] = port;
	bake.number[BAKED_NODE_MASK] = store->node_chunks * NODE_CHUNK_WORDS - 1;
	bake.number[BAKED_RUN_MASK] = store->run_cells - 1;
	return bake_program(program->progs.penstock, &bake);
}

static int load_program(struct native *native, const struct engine_port *port, struct router **ret,
			struct why *why)
{
	struct router *program = router__open();
	int error;

	if (!program)
		return why_set(why, errno, "cannot open the program: %s", strerror(errno));
	error = bake_port(program, native->context->store, port->id);
	if (error == 0)
		error = reuse_maps(program, native->context);
	if (error == 0)
		error = router__load(program);
	if (error < 0) {
		router__destroy(program);
		return why_set(why, -error,
			       "the kernel does not load the program: %s; --log-level debug shows its words",
			       strerror(-error));
	}
	*ret = program;
	return 0;
}

static bool link_serves(int link_fd, __u32 ifindex, __u32 *ret_program)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(link_fd, &info, &size) < 0 || info.type != BPF_LINK_TYPE_XDP ||
	    info.xdp.ifindex != ifindex)
		return false;
	if (ret_program)
		*ret_program = info.prog_id;
	return true;
}

/*
 * The link that a dead daemon left for the interface, if it still holds it by the same hook. A link that
 * holds something else (ifindex and namespace numbers are used again) is no more than rubbish, but one that
 * could be another namespace's is not touched: what counts is the program seen on our own interface.
 */
static int adopt_link(struct native *native, const struct engine_port *port, int program_fd)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct pins *pins = native->context->pins;
	__u32 held = 0, seen;
	__u16 old_port = 0;
	int fd = pins_link_get(pins, port->ifindex, &old_port);
	int error;

	if (fd < 0)
		return fd;
	if (!link_serves(fd, port->ifindex, &held) || bpf_xdp_query((int)port->ifindex, 0, &query) < 0)
		goto drop;
	seen = is_native(native) ? query.drv_prog_id : query.skb_prog_id;
	if (seen != held)
		goto drop;
	error = bpf_link_update(fd, program_fd, NULL);
	if (error < 0)
		goto drop;
	(void)pins_link_move(pins, (struct pins_link){ port->ifindex, old_port },
			     (struct pins_link){ port->ifindex, port->id });
	return fd;
drop:
	close(fd);
	pins_link_remove(pins, (struct pins_link){ port->ifindex, old_port });
	return -ENOENT;
}

static int refuse_attach(struct native *native, const struct engine_port *port, int error, struct why *why)
{
	struct capability now;

	if ((error == -EBUSY || error == -EEXIST) && capability_read_plain(port->name, NULL, &now) == 0 &&
	    now.program.id)
		return why_set(why, EBUSY,
			       "XDP program '%s' (id %u) is attached by someone else; remove it first: ip "
			       "link set dev %s xdp off",
			       now.program.name[0] ? now.program.name : "?", now.program.id, port->name);
	return why_set(why, -error, "the kernel refuses %s XDP: %s", native->mode, strerror(-error));
}

static int create_link(struct native *native, const struct engine_port *port, int program_fd, struct why *why)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = native->flags);
	struct pins *pins = native->context->pins;
	int fd = bpf_link_create(program_fd, (int)port->ifindex, BPF_XDP, &options);
	int error;

	if (fd < 0)
		return refuse_attach(native, port, fd, why);
	error = pins_link_put(pins, (struct pins_link){ port->ifindex, port->id }, fd);
	if (error < 0) {
		close(fd);
		return why_set(why, -error, "cannot pin the link in %s: %s", pins_directory(pins),
			       strerror(-error));
	}
	return fd;
}

static int attach(void *engine, const struct engine_port *port, struct why *why)
{
	struct native *native = engine;
	struct native_port *entry = calloc(1, sizeof(*entry));
	int error, program_fd;

	if (!entry)
		return why_set(why, ENOMEM, "out of memory");
	entry->port = *port;
	error = load_program(native, port, &entry->program, why);
	if (error < 0)
		goto free_entry;
	program_fd = bpf_program__fd(entry->program->progs.penstock);
	entry->link_fd = adopt_link(native, port, program_fd);
	if (entry->link_fd < 0)
		entry->link_fd = error = create_link(native, port, program_fd, why);
	if (entry->link_fd < 0)
		goto destroy_program;
	LIST_INSERT_HEAD(&native->ports, entry, link);
	if (is_native(native))
		native->context->maps->native_ports++;
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
	pins_link_remove(native->context->pins, (struct pins_link){ entry->port.ifindex, entry->port.id });
	close(entry->link_fd);
	router__destroy(entry->program);
	LIST_REMOVE(entry, link);
	free(entry);
	if (is_native(native))
		native->context->maps->native_ports--;
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

static int state(void *engine, const struct engine_port *port, struct engine_state *ret)
{
	struct native *native = engine;
	struct native_port *entry = find_port(native, port);
	struct capability now;
	struct egress egress;
	int error;

	if (!entry)
		return -ENOENT;
	error = capability_read(port->name, native->features, &now);
	if (error < 0)
		return error;
	egress_probe(native->context->platform, &now, native->context->maps->native_ports > 0, &egress);
	memset(ret, 0, sizeof(*ret));
	ret->attached = link_serves(entry->link_fd, port->ifindex, NULL);
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
	.open = open_generic,
	.close = close_hook,
	.attach = attach,
	.detach = detach,
	.start = start,
	.stop = stop,
	.state = state,
	.counters = counters,
};
