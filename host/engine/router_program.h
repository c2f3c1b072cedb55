// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Instances of the program's object: one for each port, with the port's constants baked in and the maps of
 * the daemon in place of its own.
 */
#pragma once

#include "host/why.h"

struct engine_context;
struct engine_port;
struct router; /* the skeleton */

/* The instance that forwards all in the kernel. */
int router_program_forward(const struct engine_context *context, const struct engine_port *port,
			   struct router **ret, struct why *why);
/* The instance that hands what engine_afxdp forwards to its sockets. */
int router_program_steer(const struct engine_context *context, const struct engine_port *port, int sockets_fd,
			 int steering_fd, struct router **ret, struct why *why);
