// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/native_probe.h"

#include <string.h>

#include "host/modes/driver.h"
#include "host/modes/place.h"
#include "host/modes/xdp_features.h"

/* Frames up to this MTU fit one page beside headroom and the kernel's own data. */
#define SINGLE_BUFFER_MTU 3498

static const char *name_of(const struct capability *port)
{
	return port->ethtool.driver[0] ? port->ethtool.driver : "(unknown)";
}

static __u64 features_of(const struct capability *port, const struct driver *driver)
{
	if (port->features_known)
		return port->features & ~(driver ? driver->lies : 0);
	return driver ? driver->features : 0;
}

/* What the driver itself would refuse. Returns false after a "no". */
static bool probe_settings(const struct capability *port, const struct driver *driver, __u64 features,
			   struct probe *ret)
{
	const struct ethtool_facts *ethtool = &port->ethtool;
	char channels[ETHTOOL_CHANNELS];
	__u32 most = driver && driver->max_mtu ? driver->max_mtu : SINGLE_BUFFER_MTU;

	if (port->mtu > most && !(features & XDP_FEATURE_RX_SG)) {
		probe_no(ret, "driver %s takes native XDP only up to MTU %u, %s has %u", name_of(port), most,
			 port->name, port->mtu);
		probe_fix(ret, "ip link set dev %s mtu %u", port->name, most);
	} else if (ethtool->lro) {
		probe_no(ret, "LRO merges received frames");
		probe_fix(ret, "ethtool -K %s lro off", port->name);
	} else if (ethtool->gro_hw_fixed) {
		probe_no(ret, "the host merges received frames (GRO-HW) and does not let %s turn it off",
			 port->name);
	} else if (driver && driver->half_queues && ethtool->queues_max &&
		   ethtool->queues > ethtool->queues_max / 2) {
		probe_no(ret, "driver %s needs half of its %u queues for XDP, %u are in use", name_of(port),
			 ethtool->queues_max, ethtool->queues);
		ethtool_channels(ethtool, ethtool->queues_max / 2, channels);
		probe_fix(ret, "ethtool -L %s %s", port->name, channels);
	} else if (driver && driver->combined_only && ethtool->queues && !ethtool->combined) {
		probe_no(ret, "driver %s needs combined channels for XDP", name_of(port));
		probe_fix(ret, "ethtool -L %s rx 0 tx 0 combined %u", port->name, ethtool->rx_queues);
	} else {
		return true;
	}
	return false;
}

void native_probe(const struct platform *platform, const struct capability *port, struct probe *ret)
{
	const struct driver *driver = driver_find(port->ethtool.driver);
	__u64 features = features_of(port, driver);

	if (!place_probe(port, ret))
		return;
	if (!driver && !port->features_known)
		probe_no(
			ret,
			"kernel %s does not say whether driver %s has native XDP, and no table here knows it",
			platform->release, name_of(port));
	else if (!(features & XDP_FEATURE_BASIC))
		probe_no(ret, "driver %s has no native XDP", name_of(port));
	else if (!(features & XDP_FEATURE_REDIRECT))
		probe_no(ret, "driver %s cannot redirect frames to other ports", name_of(port));
	else if (probe_settings(port, driver, features, ret))
		probe_yes(ret, "driver %s runs XDP%s", name_of(port),
			  port->features_known ? "" : " (from a table)");
}

void native_probe_generic(const struct platform *platform, const struct capability *port, struct probe *ret)
{
	if (place_probe(port, ret))
		probe_yes(ret, "works on any Ethernet interface, at the cost of a socket buffer a packet");
}

bool native_probe_attaches(const struct capability *port, __u64 needed)
{
	const struct driver *driver = driver_find(port->ethtool.driver);
	__u64 features = features_of(port, driver);
	struct probe probe;

	needed |= XDP_FEATURE_BASIC;
	return (features & needed) == needed && probe_settings(port, driver, features, &probe);
}

__u32 native_probe_measured(const struct platform *platform, const struct capability *port)
{
	return platform->measured.native;
}

__u32 native_probe_measured_generic(const struct platform *platform, const struct capability *port)
{
	return platform->measured.generic;
}
