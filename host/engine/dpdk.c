// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/dpdk.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include "host/config.h"
#include "host/dpdk/plugin.h"
#include "host/engine/engine.h"
#include "host/engine/kernel_maps.h"
#include "host/log.h"

#define PLUGIN "penstock-dpdk.so"

/* The EAL starts once in a process, so there is one. */
static struct {
	const struct dpdk_plugin *plugin;
	struct dpdk *dpdk; /* NULL: no port asks for it */
	const struct engine_context *context;
} engine;

static const struct dpdk_log words = { log_warning, log_info, log_debug };

/* --- the plugin --- */

/* Beside the executable, as in the build tree, else where `meson install` puts it. */
static void find_plugin(char *ret, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", ret, size - 1);
	char *slash;

	ret[length < 0 ? 0 : length] = '\0';
	slash = strrchr(ret, '/');
	if (slash && (size_t)(slash + 1 - ret) + sizeof(PLUGIN) <= size) {
		strcpy(slash + 1, PLUGIN);
		if (access(ret, F_OK) == 0)
			return;
	}
	snprintf(ret, size, "%s/%s", PENSTOCK_LIBDIR, PLUGIN);
}

static int load_plugin(struct why *why)
{
	char path[PATH_MAX];
	void *handle;

	find_plugin(path, sizeof(path));
	if (access(path, F_OK) < 0)
		return why_set(why, ENOENT,
			       "built without DPDK (no %s): apt install libdpdk-dev and build penstock again",
			       path);
	/* It stays: DPDK's libraries do not like to go. */
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle)
		return why_set(why, ELIBACC, "cannot load the DPDK plugin: %.250s", dlerror());
	engine.plugin = dlsym(handle, DPDK_PLUGIN_SYMBOL);
	if (!engine.plugin || strcmp(engine.plugin->build, DPDK_PLUGIN_BUILD) != 0) {
		engine.plugin = NULL;
		return why_set(why, EPROTO, "%s is of another build of penstock: install both anew", path);
	}
	return 0;
}

static bool has_devices(const struct config *config)
{
	for (uint32_t i = 0; i < config->port_count; i++)
		if (config->ports[i].device)
			return true;
	return false;
}

/* Drivers say what did not work, not what they lack. */
static int blame_rights(struct why *why, int error)
{
	struct why before = *why;
	struct platform platform;
	__u64 missing;

	platform_read(NULL, &platform);
	missing =
		(1ull << CAP_NET_RAW | 1ull << CAP_IPC_LOCK | 1ull << CAP_SYS_ADMIN) & ~platform.capabilities;
	return missing ? why_set(why, -error, "%.250s; %s is missing; run as root", before.text,
				 platform_right_name(missing))
		       : error;
}

static int bring(const struct config *config, const char *instance, struct why *why)
{
	int error;

	if (!has_devices(config))
		return 0;
	error = load_plugin(why);
	if (error < 0)
		return error;
	error = engine.plugin->open(config, instance, &words, &engine.dpdk, why);
	return error < 0 ? blame_rights(why, error) : error;
}

static void take(void)
{
	if (engine.dpdk)
		engine.plugin->close(engine.dpdk);
	engine.dpdk = NULL;
}

/* --- the engine --- */

static void probe(const struct platform *platform, const struct capability *port, struct probe *ret)
{
	if (!port->device[0]) {
		probe_no(ret, "it is not yet asked for as a port");
		probe_fix(ret, "penstock run dpdk:%s", port->pci.address);
		return;
	}
	probe_yes(ret, "%.150s is in the hands of DPDK", port->device);
}

static int open_engine(const struct engine_context *context, void **ret, struct why *why)
{
	int error = engine.plugin->load(engine.dpdk, context->store, context->grace, why);

	if (error < 0)
		return error;
	engine.context = context;
	*ret = &engine;
	return 0;
}

static void close_engine(void *arg)
{
	engine.plugin->unload(engine.dpdk);
}

static int attach(void *arg, const struct engine_port *port, struct why *why)
{
	int error = engine.plugin->attach(engine.dpdk, port->name, port->id);

	return error < 0 ? why_set(why, -error, "no device of ours has this interface") : 0;
}

static void detach(void *arg, const struct engine_port *port)
{
	engine.plugin->detach(engine.dpdk, port->id);
}

static int start(void *arg, const struct engine_port *port, struct why *why)
{
	/* What the kernel's engines redirect here goes out of the device like all that the kernel sends. */
	int error = kernel_maps_port_set(engine.context->maps, port->id, port->ifindex);

	if (error < 0)
		return why_set(why, -error, "the kernel does not take it as an egress: %s", strerror(-error));
	engine.plugin->reach(engine.dpdk, port->id, true);
	return 0;
}

static void stop(void *arg, const struct engine_port *port)
{
	engine.plugin->reach(engine.dpdk, port->id, false);
	kernel_maps_port_clear(engine.context->maps, port->id);
}

static int state(void *arg, const struct engine_port *port, const struct capability *now,
		 struct engine_state *ret)
{
	struct why why = { "" };
	int error = engine.plugin->follow(engine.dpdk, port->id, &why);

	if (error == -ENOENT)
		return error;
	*ret = (struct engine_state){ .attached = true };
	engine.plugin->how(engine.dpdk, port->id, ret->how, sizeof(ret->how));
	if (error < 0)
		probe_no(&ret->able, "%.190s", why.text);
	else
		probe_yes(&ret->able, "the device sends what the program and the kernel hand it");
	return 0;
}

static int counters(void *arg, __u16 port, struct image_counters *ret)
{
	engine.plugin->counters(engine.dpdk, port, ret);
	return 0;
}

static unsigned int facts(void *arg, const struct engine_port *port, struct engine_fact *ret)
{
	return engine.plugin->facts(engine.dpdk, port->id, ret);
}

const struct engine_ops engine_dpdk = {
	.name = "dpdk",
	.place = ENGINE_PLACE_USER,
	.rights = PLATFORM_RIGHTS_ALL, /* what a driver of a card asks for, nobody knows */
	.effect = "millions of packets a second on each CPU that polls, and that CPU is never idle",
	.bring = bring,
	.take = take,
	.probe = probe,
	.open = open_engine,
	.close = close_engine,
	.attach = attach,
	.detach = detach,
	.start = start,
	.stop = stop,
	.state = state,
	.counters = counters,
	.facts = facts,
};
