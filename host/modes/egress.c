// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/egress.h"

#include <string.h>

#include "host/modes/driver.h"
#include "host/modes/xdp_features.h"

static bool is_veth(const struct capability *port)
{
	return strcmp(port->kind, "veth") == 0;
}

static const char *peer_name(const struct capability *port)
{
	return port->lower_name[0] ? port->lower_name : "PEER";
}

static void refuse_veth(const struct capability *port, struct probe *able)
{
	probe_no(able, "the other end of the veth has neither XDP nor GRO, so frames sent to it are lost");
	probe_fix(able, "ethtool -K %s gro on%s", peer_name(port),
		  port->lower_name[0] ? "" : " (in the namespace of the other end)");
}

/* What the device can do as far as anybody says. */
static bool features_of(const struct capability *port, __u64 *ret)
{
	const struct driver *driver = driver_find(port->ethtool.driver);

	if (port->features_known) {
		*ret = port->features;
		return true;
	}
	if (!driver)
		return false;
	*ret = driver->features;
	if (is_veth(port) && port->peer_known && port->peer_takes)
		*ret |= XDP_FEATURE_NDO_XMIT | XDP_FEATURE_NDO_XMIT_SG;
	return true;
}

static void refuse_queues(const struct platform *platform, const struct capability *port, struct probe *able)
{
	char channels[ETHTOOL_CHANNELS];

	ethtool_channels(&port->ethtool, platform->cpus, channels);
	probe_no(able, "driver %s loses redirected frames with fewer queues (%u) than CPUs (%u)",
		 port->ethtool.driver, port->ethtool.queues, platform->cpus);
	if (!port->ethtool.queues_max || port->ethtool.queues_max >= platform->cpus)
		probe_fix(able, "ethtool -L %s %s", port->name, channels);
}

/* Many drivers get what they need to send from elsewhere, and say so, only when XDP is attached. */
static bool may_gain_it(const struct capability *port, const struct driver *driver)
{
	if (port->program.id)
		return false;
	if (driver && driver->features & XDP_FEATURE_NDO_XMIT)
		return true;
	return port->features_known && !port->kind[0] &&
	       port->features & ~(driver ? driver->lies : 0) & XDP_FEATURE_REDIRECT;
}

/* The same where the kernel says nothing: generic XDP gives the driver nothing. */
static bool needs_native(const struct capability *port)
{
	return !port->features_known && !port->kind[0] && port->program.ours &&
	       port->program.attached == CAPABILITY_ATTACH_GENERIC;
}

/* Whether it is known what the device can do. */
static bool probe_features(const struct platform *platform, const struct capability *port, __u64 *ret,
			   struct probe *able)
{
	if (!features_of(port, ret)) {
		probe_no(able, "kernel %s does not say whether driver %s sends redirected frames",
			 platform->release, port->ethtool.driver[0] ? port->ethtool.driver : "(unknown)");
		probe_fix(able, "a kernel of version 6.3 or newer");
		return false;
	}
	if (is_veth(port) && !port->features_known && !port->peer_known) {
		probe_no(able, "the other end of the veth cannot be found, so whether it takes frames is not "
			       "known");
		probe_fix(able, "a name for its namespace: ip netns attach NAME PID");
		return false;
	}
	return true;
}

static void probe_native(const struct platform *platform, const struct capability *port, struct egress *ret)
{
	const struct driver *driver = driver_find(port->ethtool.driver);
	const char *name = port->ethtool.driver;
	__u64 features;

	if (!probe_features(platform, port, &features, &ret->able))
		return;
	if (!(features & XDP_FEATURE_NDO_XMIT)) {
		if (is_veth(port))
			refuse_veth(port, &ret->able);
		else if (may_gain_it(port, driver))
			probe_no(&ret->able, "driver %s tells only when XDP runs on it", name);
		else
			probe_no(&ret->able, "driver %s does not send redirected frames", name);
	} else if (needs_native(port)) {
		probe_no(&ret->able, "driver %s sends redirected frames only when XDP runs in it", name);
	} else if (driver && driver->queue_per_cpu && port->ethtool.queues &&
		   port->ethtool.queues < platform->cpus) {
		refuse_queues(platform, port, &ret->able);
	} else {
		probe_yes(&ret->able, "takes redirected frames");
		ret->frames = features & XDP_FEATURE_NDO_XMIT_SG;
	}
}

void egress_probe(const struct platform *platform, const struct capability *port, bool native,
		  struct egress *ret)
{
	ret->frames = false;
	if (native) {
		probe_native(platform, port, ret);
		return;
	}
	probe_yes(&ret->able, "generic XDP sends through the ordinary transmit path");
}
