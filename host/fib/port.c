// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/port.h"

int ports_init(struct ports *ports, const struct grace *grace)
{
	*ports = (struct ports){ 0 };
	return pool_init(&ports->pool, grace, 0, IMAGE_PORTS);
}

void ports_exit(struct ports *ports)
{
	pool_exit(&ports->pool);
}

int port_take(struct ports *ports, struct interface *interface, __u16 *ret_port)
{
	__u32 number;
	int error = pool_take(&ports->pool, &number);

	if (error)
		return error;
	ports->port[number] = (struct port){ .interface = interface };
	*ret_port = number;
	return 0;
}

void port_give(struct ports *ports, __u16 port)
{
	ports->port[port] = (struct port){ 0 };
	pool_give(&ports->pool, port);
}
