// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/topology.h"

#include "bench/netns.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char topology_letters[TOPOLOGY_NAMESPACES] = { 'S', 'R', 'Q', 'T' };

static int topology_namespaces(struct topology *topology)
{
	unsigned int i;
	int err = 0;

	for (i = 0; err >= 0 && i < TOPOLOGY_NAMESPACES; i++)
		err = netns_create(topology->guard.names[i], &topology->netns[i]);
	return err;
}

int topology_open(struct topology *topology)
{
	const int *netns = topology->netns;
	unsigned int i;
	int err;

	memset(topology, 0, sizeof(*topology));
	for (i = 0; i < TOPOLOGY_NAMESPACES; i++) {
		topology->netns[i] = -1;
		snprintf(topology->guard.names[i], GUARD_NAME_SIZE, "penstock-bench-%d-%c", getpid(),
			 topology_letters[i]);
	}
	snprintf(topology->guard.file, GUARD_NAME_SIZE, "/run/penstock-bench-%d.yaml", getpid());
	err = guard_start(&topology->guard);
	if (err < 0)
		return err;
	err = topology_namespaces(topology);
	if (err >= 0)
		err = lane_open(&topology->subject, 0, netns[TOPOLOGY_SOURCE], netns[TOPOLOGY_ROUTER],
				netns[TOPOLOGY_TARGET]);
	if (err >= 0)
		err = lane_open(&topology->reference, 1, netns[TOPOLOGY_SOURCE], netns[TOPOLOGY_REFERENCE],
				netns[TOPOLOGY_TARGET]);
	if (err < 0)
		topology_close(topology);
	return err;
}

void topology_close(struct topology *topology)
{
	unsigned int i;

	guard_end(&topology->guard);
	for (i = 0; i < TOPOLOGY_NAMESPACES; i++)
		if (topology->netns[i] >= 0)
			close(topology->netns[i]);
}

int topology_mtu(const struct topology *topology, unsigned int mtu)
{
	int err = lane_mtu(&topology->subject, mtu);

	return err < 0 ? err : lane_mtu(&topology->reference, mtu);
}
