// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workloads.h"

#include <stddef.h>
#include <string.h>

static const struct workload workloads[] = {
	{ .name = "home",
	  .text = "a home router: default routes and a few more, mixed sizes",
	  .prefixes = { "0.0.0.0/0", "10.0.0.0/8", "172.16.8.0/22", "192.168.178.0/24", "::/0",
			"2a02:8100::/40", "2a02:8100:17::/56" },
	  .size = "imix" },
	{ .name = "leaf",
	  .text = "a leaf of a data centre: 16,384 prefixes, all over 64 next hops (ECMP)",
	  .routes = "16384",
	  .fan = 64,
	  .size = "64" },
	{ .name = "edge",
	  .text = "an edge of the Internet: full tables, 1,000 changes of routes a second meanwhile",
	  .routes = "full",
	  .size = "64",
	  .updates = 1000 },
	{ .name = "stick",
	  .text = "a router on a stick: in by VLANs 10, 20 and 30, out by the same port with VLAN 40",
	  .routes = "1",
	  .size = "64",
	  .vlans = { .in = { 10, 20, 30 }, .count = 3, .out = 40 } },
	{ .name = "attack",
	  .text = "12 of 16 packets are an attack: random sources, TTL 1, no route; what becomes of the "
		  "others?",
	  .routes = "1",
	  .size = "64",
	  .attack = 12 },
};

#define WORKLOADS (sizeof(workloads) / sizeof(workloads[0]))

const struct workload *workload_list(unsigned int *ret_count)
{
	*ret_count = WORKLOADS;
	return workloads;
}

const struct workload *workload_find(const char *name)
{
	for (unsigned int i = 0; i < WORKLOADS; i++)
		if (strcmp(workloads[i].name, name) == 0)
			return &workloads[i];
	return NULL;
}
