// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/topology.h"

#include "bench/netns.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOPOLOGY_NUMBERS 100000 // of a lane, that names have room for

static const char topology_letters[TOPOLOGY_NAMESPACES] = { 'S', 'R', 'Q', 'T' };

static struct lane_port topology_port(const struct port *port, int netns)
{
	struct lane_port lent = { .netns = netns };

	memcpy(lent.name, port->name, sizeof(lent.name));
	memcpy(lent.mac, port->mac, sizeof(lent.mac));
	return lent;
}

static int topology_namespaces(struct topology *topology)
{
	unsigned int i;
	int err = 0;

	for (i = 0; err >= 0 && i < TOPOLOGY_NAMESPACES; i++)
		err = netns_create(topology->guard.names[i], &topology->netns[i]);
	return err;
}

// Names, guard and namespaces. The guard's ports are set; where it fails, nothing is left, its home neither.
static int topology_begin(struct topology *topology)
{
	unsigned int i;
	int err;

	for (i = 0; i < TOPOLOGY_NAMESPACES; i++) {
		topology->netns[i] = -1;
		snprintf(topology->guard.names[i], GUARD_NAME_SIZE, "penstock-bench-%d-%c", getpid(),
			 topology_letters[i]);
	}
	snprintf(topology->guard.file, GUARD_NAME_SIZE, "/run/penstock-bench-%d.yaml", getpid());
	snprintf(topology->guard.leavings[0], GUARD_PATH_SIZE, "/run/dpdk/penstock-bench-%d-*", getpid());
	err = guard_start(&topology->guard);
	if (err < 0) {
		if (topology->guard.home >= 0)
			close(topology->guard.home);
		return err;
	}
	err = topology_namespaces(topology);
	if (err < 0)
		topology_close(topology);
	return err;
}

int topology_open(struct topology *topology)
{
	const int *netns = topology->netns;
	int err;

	memset(topology, 0, sizeof(*topology));
	topology->guard.home = -1;
	err = topology_begin(topology);
	if (err < 0)
		return err;
	err = lane_open(&topology->subject, 0, netns[TOPOLOGY_SOURCE], netns[TOPOLOGY_ROUTER],
			netns[TOPOLOGY_TARGET]);
	if (err >= 0)
		err = lane_open(&topology->reference, 1, netns[TOPOLOGY_SOURCE], netns[TOPOLOGY_REFERENCE],
				netns[TOPOLOGY_TARGET]);
	if (err < 0)
		topology_close(topology);
	return err;
}

// Is the router under test another machine?
static bool topology_is_remote(const struct topology *topology)
{
	return topology->guard.ports[0].name[0] && !topology->guard.ports[2].name[0];
}

// Before anything is changed.
static int topology_look(struct topology *topology, const char *const names[GUARD_PORTS], struct why *why)
{
	static const enum topology_namespace where[GUARD_PORTS] = { TOPOLOGY_SOURCE, TOPOLOGY_TARGET,
								    TOPOLOGY_ROUTER, TOPOLOGY_ROUTER };
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < GUARD_PORTS; i++) {
		topology->guard.port_names[i] = where[i];
		if (names[i])
			err = port_look(names[i], &topology->guard.ports[i], why);
		for (unsigned int k = 0; err >= 0 && names[i] && k < i; k++)
			if (names[k] && strcmp(names[i], names[k]) == 0)
				err = why_set(why, EINVAL, "%s: is given twice", names[i]);
	}
	return err;
}

static int topology_lend(const struct topology *topology, struct why *why)
{
	const struct guard *guard = &topology->guard;
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < GUARD_PORTS; i++)
		if (guard->ports[i].name[0])
			err = port_lend(&guard->ports[i], topology->netns[guard->port_names[i]], why);
	return err;
}

// For the reference, whose ends are beside the ports: s1 and d1 may be names of those.
static unsigned int topology_number(const struct topology *topology)
{
	unsigned int number = 1;

	for (unsigned int i = 0; i < GUARD_PORTS; i++) {
		const char *name = topology->guard.ports[i].name;
		unsigned long same = strtoul(*name ? name + 1 : name, NULL, 10);

		if ((*name == 's' || *name == 'd') && same >= number && same < TOPOLOGY_NUMBERS)
			number = same + 1;
	}
	return number;
}

static int topology_furnish(struct topology *topology)
{
	const struct port *ports = topology->guard.ports;
	const int *netns = topology->netns;
	bool remote = topology_is_remote(topology);
	int err = lane_open(&topology->reference, topology_number(topology), netns[TOPOLOGY_SOURCE],
			    netns[TOPOLOGY_REFERENCE], netns[TOPOLOGY_TARGET]);

	if (err < 0)
		return err;
	topology->subject.s = topology_port(&ports[0], netns[TOPOLOGY_SOURCE]);
	topology->subject.d = topology->subject.s;
	if (ports[1].name[0])
		topology->subject.d = topology_port(&ports[1], netns[TOPOLOGY_TARGET]);
	if (remote) { // stand for a router that is elsewhere
		topology->subject.r0 = topology->reference.r0;
		topology->subject.r1 = topology->reference.r1;
	} else {
		topology->subject.r0 = topology_port(&ports[2], netns[TOPOLOGY_ROUTER]);
		topology->subject.r1 = topology_port(&ports[3], netns[TOPOLOGY_ROUTER]);
	}
	return lane_adopt(&topology->subject, !remote);
}

int topology_open_ports(struct topology *topology, const struct topology_ports *ports, struct why *why)
{
	bool both = ports->stick && strcmp(ports->tx, ports->rx) == 0;
	const char *const names[GUARD_PORTS] = { ports->tx, both ? NULL : ports->rx, ports->dut[0],
						 ports->dut[1] };
	int err;

	memset(topology, 0, sizeof(*topology));
	topology->guard.home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (topology->guard.home < 0)
		return -errno;
	err = topology_look(topology, names, why);
	if (err < 0) {
		close(topology->guard.home);
		return err;
	}
	err = topology_begin(topology);
	if (err < 0)
		return err;
	err = topology_lend(topology, why);
	if (err >= 0)
		err = topology_furnish(topology);
	if (err < 0)
		topology_close(topology);
	return err;
}

bool topology_has_ports(const struct topology *topology)
{
	return topology->guard.ports[2].name[0];
}

void topology_close(struct topology *topology)
{
	unsigned int i;

	guard_end(&topology->guard);
	for (i = 0; i < TOPOLOGY_NAMESPACES; i++)
		if (topology->netns[i] >= 0)
			close(topology->netns[i]);
	if (topology->guard.home >= 0)
		close(topology->guard.home);
}

int topology_tag(struct topology *topology, const struct lane_vlans *vlans, struct why *why)
{
	struct lane *lane = &topology->subject;
	int err;

	lane->vlans = *vlans;
	err = topology_is_remote(topology) ? 0 : lane_tag(lane);
	if (err == -EOPNOTSUPP)
		return why_set(why, EOPNOTSUPP,
			       "VLANs need the module 8021q, which this kernel does not have");
	if (err < 0)
		return why_set(why, -err, "cannot make VLANs over %s: %s", lane->r0.name, strerror(-err));
	err = lane_see_tags(lane);
	if (err == -EOPNOTSUPP)
		return why_set(why, EOPNOTSUPP,
			       "%s takes VLAN tags off what it receives and cannot leave that (ethtool -K "
			       "%s rxvlan off); give another port by --rx",
			       lane->d.name, lane->d.name);
	return err;
}

int topology_mtu(const struct topology *topology, unsigned int mtu)
{
	int err = lane_mtu(&topology->subject, mtu);

	return err < 0 ? err : lane_mtu(&topology->reference, mtu);
}

int topology_open_for(const char *bench, const struct topology_ports *ports, struct topology *topology)
{
	bool lent = ports && ports->tx;
	struct why why = { "" };
	int err = lent ? topology_open_ports(topology, ports, &why) : topology_open(topology);

	if (err < 0 && !why.text[0])
		(void)why_set(&why, -err, "cannot make network namespaces: %s", strerror(-err));
	if (err < 0)
		warnx("%s: %s%s", bench, why.text, err == -EPERM || err == -EACCES ? "; run as root" : "");
	return err;
}
