// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/router_program.h"

#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "host/engine/bake.h"
#include "host/engine/engine.h"
#include "host/engine/kernel_maps.h"
#include "host/fib/image_store.h"
#include "xdp/router.skel.h"

/* Opened, with what every instance shares. */
static int open_object(const struct engine_context *context, struct router **ret, struct why *why)
{
	struct router *program = router__open();
	int error;

	if (!program)
		return why_set(why, errno, "cannot open the program: %s", strerror(errno));
	error = bpf_map__reuse_fd(program->maps.counters, context->maps->counters_fd);
	if (error == 0)
		error = bpf_map__reuse_fd(program->maps.ports, context->maps->ports_fd);
	if (error < 0) {
		router__destroy(program);
		return why_set(why, -error, "cannot share the maps: %s", strerror(-error));
	}
	*ret = program;
	return 0;
}

/* Loads the entry, or destroys the object. */
static int load(struct router *program, struct bpf_program *entry, const struct engine_context *context,
		const struct engine_port *port, struct why *why)
{
	int error = bake_port(entry, context->store, port->id, 0);

	if (error == 0)
		error = router__load(program);
	if (error == 0)
		return 0;
	router__destroy(program);
	return why_set(why, -error,
		       "the kernel does not load the program: %s; --log-level debug shows its words",
		       strerror(-error));
}

int router_program_forward(const struct engine_context *context, const struct engine_port *port,
			   struct router **ret, struct why *why)
{
	struct router *program;
	int error = open_object(context, &program, why);

	if (error < 0)
		return error;
	(void)bpf_map__set_autocreate(program->maps.sockets, false);
	(void)bpf_map__set_autocreate(program->maps.steering, false);
	error = load(program, program->progs.penstock, context, port, why);
	if (error == 0)
		*ret = program;
	return error;
}

int router_program_steer(const struct engine_context *context, const struct engine_port *port, int sockets_fd,
			 int steering_fd, struct router **ret, struct why *why)
{
	struct router *program;
	int error = open_object(context, &program, why);

	if (error < 0)
		return error;
	error = bpf_map__reuse_fd(program->maps.sockets, sockets_fd);
	if (error == 0)
		error = bpf_map__reuse_fd(program->maps.steering, steering_fd);
	if (error < 0) {
		router__destroy(program);
		return why_set(why, -error, "cannot share the maps: %s", strerror(-error));
	}
	(void)bpf_program__set_autoload(program->progs.penstock, false);
	(void)bpf_program__set_autoload(program->progs.penstock_steer, true);
	error = load(program, program->progs.penstock_steer, context, port, why);
	if (error == 0)
		*ret = program;
	return error;
}
