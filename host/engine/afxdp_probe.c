// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/afxdp_probe.h"

#include "host/engine/native_probe.h"
#include "host/modes/place.h"
#include "host/modes/xdp_features.h"

bool afxdp_probe_zero_copy(const struct capability *port)
{
	return native_probe_attaches(port, XDP_FEATURE_XSK_ZEROCOPY);
}

bool afxdp_probe_driver(const struct capability *port)
{
	return native_probe_attaches(port, XDP_FEATURE_REDIRECT) || afxdp_probe_zero_copy(port);
}

void afxdp_probe(const struct platform *platform, const struct capability *port, struct probe *ret)
{
	if (!place_probe(port, ret))
		return;
	if (!platform->xsk) {
		probe_no(ret, "this kernel has no AF_XDP sockets, or we may not open them");
		probe_fix(ret, "a kernel with CONFIG_XDP_SOCKETS, and CAP_NET_RAW");
	} else if (platform->version < 51800) {
		probe_no(ret, "kernel %s cannot take frames back from user space", platform->release);
		probe_fix(ret, "a kernel of version 5.18 or newer");
	} else if (afxdp_probe_zero_copy(port)) {
		probe_yes(ret, "driver %s shares its rings with user space (zero copy)",
			  port->ethtool.driver[0] ? port->ethtool.driver : "(unknown)");
	} else {
		probe_yes(ret, "AF_XDP with a copy a packet; slower than the program in the kernel, so only "
			       "when asked for");
		ret->asked = true;
	}
}

__u32 afxdp_probe_measured(const struct platform *platform, const struct capability *port)
{
	if (afxdp_probe_zero_copy(port))
		return 0;
	return afxdp_probe_driver(port) ? platform->measured.afxdp : platform->measured.afxdp_generic;
}
