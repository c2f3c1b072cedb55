// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/offload_probe.h"

#include <string.h>

#include "host/modes/driver.h"
#include "host/modes/place.h"
#include "host/modes/xdp_features.h"

#define FIRMWARE_FIX                                                                                         \
	"a firmware with eBPF (bpf-2.0.6.124 is known), then: devlink dev reload, or load nfp anew"

static void probe_netronome(const struct capability *port, struct probe *ret)
{
	const struct ethtool_facts *ethtool = &port->ethtool;
	bool runs = port->features_known ? port->features & XDP_FEATURE_HW_OFFLOAD
					 : strcmp(ethtool->app, "ebpf") == 0;

	if (runs) {
		probe_yes(ret, "the card runs programs itself (firmware %s)",
			  ethtool->firmware[0] ? ethtool->firmware : "unknown");
		return;
	}
	probe_no(ret, "the card's firmware runs no programs (%s)",
		 ethtool->app[0] ? ethtool->app : "unknown");
	probe_fix(ret, FIRMWARE_FIX);
}

void offload_probe(const struct platform *platform, const struct capability *port, struct probe *ret)
{
	const char *driver = port->ethtool.driver[0] ? port->ethtool.driver : "(unknown)";

	bool netronome = strcmp(driver, "nfp") == 0;
	bool says = port->features_known && port->features & XDP_FEATURE_HW_OFFLOAD;

	if (!place_probe(port, ret))
		; /* it says why */
	else if (netronome)
		probe_netronome(port, ret);
	else if (says)
		probe_yes(ret, "driver %s says that the device runs programs itself", driver);
	else
		probe_no(ret, "driver %s cannot run programs on the device", driver);
	ret->alien = !netronome && !says;
}
