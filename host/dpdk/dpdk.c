// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/dpdk/dpdk.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "host/config.h"
#include "host/dpdk/plugin.h"
#include "host/dpdk/pool.h"
#include "host/dpdk/telemetry.h"
#include "host/engine/burst.h"
#include "host/fib/grace.h"

#define MTU_DEFAULT 1500
#define CACHE       256  /* buffers that a worker keeps at hand */
#define FRAME_EXTRA 26   /* bytes of a frame beside the IP packet: header, two tags, check sum */
#define BUFFER      2048 /* bytes at least, which all devices can do with */
#define SPARE       8192 /* buffers beside those in queues */

/* --- opening --- */

static const char *device_of(const struct config_port *port)
{
	return port->device + strlen(CONFIG_DEVICE_PREFIX);
}

static unsigned int count_buffers(const struct config *config, const struct dpdk *dpdk, const __u16 *id,
				  unsigned int devices)
{
	unsigned int sum = SPARE + dpdk->workers.count * CACHE * 2;

	if (config->dpdk.buffers)
		return config->dpdk.buffers;
	for (unsigned int i = 0; i < devices; i++)
		sum += device_buffers(id[i], dpdk->workers.count);
	return sum;
}

static int make_pool(struct dpdk *dpdk, const struct config *config, __u32 mtu, const __u16 *id,
		     unsigned int devices, struct why *why)
{
	unsigned int size = mtu + FRAME_EXTRA > BUFFER ? mtu + FRAME_EXTRA : BUFFER;

	dpdk->buffers = count_buffers(config, dpdk, id, devices);
	dpdk->pool = pool_new("penstock", dpdk->buffers, CACHE, (__u16)(RTE_PKTMBUF_HEADROOM + size));
	if (dpdk->pool)
		return 0;
	return why_set(
		why, ENOMEM,
		"dpdk: %u buffers of %u bytes do not fit the memory (%u MiB of %s): %s; fix: dpdk.memory "
		"or dpdk.buffers",
		dpdk->buffers, size, dpdk->eal.memory, dpdk->eal.huge ? "huge pages" : "ordinary pages",
		rte_strerror(rte_errno));
}

static int probe_devices(const struct config *config, __u16 *ret_id, unsigned int *ret_count, struct why *why)
{
	*ret_count = 0;
	for (uint32_t i = 0; i < config->port_count; i++) {
		int error;

		if (!config->ports[i].device)
			continue;
		error = device_probe(device_of(&config->ports[i]), &ret_id[*ret_count], why);
		if (error < 0)
			return error;
		++*ret_count;
	}
	return 0;
}

static int open_devices(struct dpdk *dpdk, const struct config *config, struct why *why)
{
	struct device_room room = { .workers = dpdk->workers.count };
	__u16 id[IMAGE_PORTS];
	unsigned int count;
	int error = probe_devices(config, id, &count, why);

	room.mtu = config->dpdk.mtu ? config->dpdk.mtu : MTU_DEFAULT;
	if (error == 0)
		error = make_pool(dpdk, config, room.mtu, id, count, why);
	room.pool = dpdk->pool;
	for (uint32_t i = 0; error == 0 && i < config->port_count; i++) {
		if (!config->ports[i].device)
			continue;
		error = device_open(id[dpdk->devices], config->ports[i].interface, &room,
				    &dpdk->device[dpdk->devices], why);
		if (error < 0)
			break;
		error = workers_deal(&dpdk->workers, dpdk->device[dpdk->devices++]);
		if (error < 0)
			(void)why_set(why, -error, "dpdk: more than %d queues for a worker; fix: dpdk.lcores",
				      WORKER_QUEUES);
	}
	return error;
}

static int make_workers(struct dpdk *dpdk, const struct config *config)
{
	dpdk->workers.count = dpdk->eal.workers;
	dpdk->workers.busy = config->dpdk.poll == CONFIG_POLL_BUSY;
	for (unsigned int i = 0; i < dpdk->workers.count; i++) {
		struct worker *worker = &dpdk->workers.worker[i];

		worker->workers = &dpdk->workers;
		worker->slot = i;
		worker->counters = aligned_alloc(64, IMAGE_PORTS * sizeof(*worker->counters));
		if (!worker->counters)
			return -ENOMEM;
		memset(worker->counters, 0, IMAGE_PORTS * sizeof(*worker->counters));
	}
	return 0;
}

static void close_all(struct dpdk *dpdk)
{
	telemetry_show(NULL);
	ferry_stop(dpdk->ferry);
	workers_stop(&dpdk->workers);
	for (unsigned int i = 0; i < dpdk->devices; i++)
		device_close(dpdk->device[i]);
	rte_mempool_free(dpdk->pool);
	eal_stop(&dpdk->eal);
	for (unsigned int i = 0; i < EAL_WORKERS; i++)
		free(dpdk->workers.worker[i].counters);
	free(dpdk);
}

int dpdk_start(struct dpdk *dpdk, struct why *why)
{
	int error = workers_start(&dpdk->workers);

	if (error == 0)
		error = ferry_start(dpdk->device, dpdk->devices, dpdk->pool, &dpdk->ferry);
	if (error < 0) {
		close_all(dpdk);
		return why_set(why, -error, "dpdk: cannot start the workers: %s", strerror(-error));
	}
	telemetry_show(dpdk);
	return 0;
}

int dpdk_make(const struct config *config, const char *instance, const struct dpdk_log *log,
	      struct dpdk **ret, struct why *why)
{
	struct dpdk *dpdk = aligned_alloc(64, (sizeof(*dpdk) + 63) & ~63ul);
	int error;

	if (!dpdk)
		return why_set(why, ENOMEM, "out of memory");
	memset(dpdk, 0, sizeof(*dpdk));
	error = eal_start(config, instance, log, &dpdk->eal, why);
	if (error < 0) {
		free(dpdk);
		return error;
	}
	if (make_workers(dpdk, config) < 0)
		error = why_set(why, ENOMEM, "out of memory");
	if (error == 0)
		error = open_devices(dpdk, config, why);
	if (error < 0) {
		close_all(dpdk);
		return error;
	}
	*ret = dpdk;
	return 0;
}

static int open_plugin(const struct config *config, const char *instance, const struct dpdk_log *log,
		       struct dpdk **ret, struct why *why)
{
	sigset_t all, before;
	struct dpdk *dpdk;
	int error;

	/* Signals are the event loop's: threads of DPDK and of its drivers inherit the mask. */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = dpdk_make(config, instance, log, &dpdk, why);
	if (error == 0)
		error = dpdk_start(dpdk, why);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error < 0)
		return error;
	for (unsigned int i = 0; i < dpdk->devices; i++) {
		const struct device *device = dpdk->device[i];

		log->info(
			"%s: stands for dpdk:%s, which has %u receive and %u transmit queues; offloads: %s%s",
			device->tap.name, device->name, device->receive_queues, device->transmit_queues,
			device->rss ? "RSS " : "",
			*device->offloads || device->rss ? device->offloads : "none");
	}
	log->info("dpdk: %u worker%s, %u buffers in %s pages", dpdk->workers.count,
		  dpdk->workers.count == 1 ? "" : "s", dpdk->buffers, dpdk->eal.huge ? "huge" : "ordinary");
	*ret = dpdk;
	return 0;
}

/* --- the image --- */

static void unload(struct dpdk *dpdk)
{
	workers_pause(&dpdk->workers);
	for (unsigned int i = 0; i < dpdk->workers.count; i++) {
		struct worker *worker = &dpdk->workers.worker[i];

		burst_free(worker->burst);
		if (worker->reader)
			grace_reader_remove(dpdk->grace, worker->reader);
		worker->burst = NULL;
		worker->reader = NULL;
	}
	workers_resume(&dpdk->workers);
}

static int load(struct dpdk *dpdk, const struct image_store *store, struct grace *grace, struct why *why)
{
	int error = 0;

	dpdk->grace = grace;
	workers_pause(&dpdk->workers);
	for (unsigned int i = 0; error == 0 && i < dpdk->workers.count; i++) {
		struct worker *worker = &dpdk->workers.worker[i];

		error = burst_new(store, worker->counters, &worker->burst);
		if (error == 0)
			error = grace_reader_add(grace, &worker->reader);
		if (error == 0)
			burst_reach(worker->burst, dpdk->reach);
	}
	workers_resume(&dpdk->workers);
	if (error < 0) {
		unload(dpdk);
		return why_set(why, -error, "dpdk: the workers get no tables: %s", strerror(-error));
	}
	return 0;
}

/* --- ports --- */

static struct device *find(const struct dpdk *dpdk, __u16 port)
{
	for (unsigned int i = 0; i < dpdk->devices; i++)
		if (dpdk->device[i]->port == port)
			return dpdk->device[i];
	return NULL;
}

static int attach(struct dpdk *dpdk, const char *interface, __u16 port)
{
	for (unsigned int i = 0; i < dpdk->devices; i++) {
		if (strcmp(dpdk->device[i]->tap.name, interface) != 0)
			continue;
		workers_pause(&dpdk->workers);
		dpdk->device[i]->port = port;
		workers_resume(&dpdk->workers);
		return 0;
	}
	return -ENODEV;
}

static void set_reach(struct dpdk *dpdk, __u16 port, struct device *device)
{
	workers_pause(&dpdk->workers);
	dpdk->workers.egress[port] = device;
	dpdk->reach[port] = device != NULL;
	workers_resume(&dpdk->workers);
}

static void detach(struct dpdk *dpdk, __u16 port)
{
	struct device *device = find(dpdk, port);

	if (!device)
		return;
	set_reach(dpdk, port, NULL);
	workers_pause(&dpdk->workers);
	device->port = DEVICE_NONE;
	workers_resume(&dpdk->workers);
}

static void reach(struct dpdk *dpdk, __u16 port, bool able)
{
	struct device *device = find(dpdk, port);

	if (device)
		set_reach(dpdk, port, able ? device : NULL);
}

static int follow(struct dpdk *dpdk, __u16 port, struct why *why)
{
	struct device *device = find(dpdk, port);
	struct representor_settings settings;
	int error;

	if (!device || representor_settings(&device->tap, &settings) < 0)
		return -ENOENT;
	if (settings.mtu == device->settings.mtu && settings.promiscuous == device->settings.promiscuous &&
	    memcmp(settings.mac, device->settings.mac, sizeof(settings.mac)) == 0)
		return 0;
	workers_pause(&dpdk->workers);
	ferry_pause(dpdk->ferry);
	error = device_follow(device, &settings, why);
	ferry_resume(dpdk->ferry);
	workers_resume(&dpdk->workers);
	return error;
}

static void how(const struct dpdk *dpdk, __u16 port, char *ret, size_t size)
{
	const struct device *device = find(dpdk, port);

	if (device)
		snprintf(ret, size, "%.24s, %u queue%s%s, %s pages", device->name, device->receive_queues,
			 device->receive_queues == 1 ? "" : "s", device->rss ? " by RSS" : "",
			 dpdk->eal.huge ? "huge" : "ordinary");
}

static unsigned int facts(const struct dpdk *dpdk, __u16 port, struct engine_fact *ret)
{
	const struct device *device = find(dpdk, port);
	struct rte_eth_stats stats = { 0 };
	struct device_tally tally;

	if (!device)
		return 0;
	(void)rte_eth_stats_get(device->id, &stats);
	device_tally(device, &tally);
	ret[0] = (struct engine_fact){ "received", stats.ipackets };
	ret[1] = (struct engine_fact){ "sent", stats.opackets };
	ret[2] = (struct engine_fact){ "missed", stats.imissed };
	ret[3] = (struct engine_fact){ "receive_errors", stats.ierrors };
	ret[4] = (struct engine_fact){ "no_buffer", stats.rx_nombuf };
	ret[5] = (struct engine_fact){ "send_errors", stats.oerrors };
	ret[6] = (struct engine_fact){ "unsent", tally.unsent };
	ret[7] = (struct engine_fact){ "to_kernel", tally.to_kernel };
	ret[8] = (struct engine_fact){ "to_kernel_lost", tally.to_kernel_lost };
	ret[9] = (struct engine_fact){ "from_kernel", tally.from_kernel };
	return 10;
}

void dpdk_counters(const struct dpdk *dpdk, __u16 port, struct image_counters *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned int i = 0; i < dpdk->workers.count; i++) {
		const struct image_counters *own = &dpdk->workers.worker[i].counters[port];

		for (unsigned int reason = 0; reason < REASON_MAX; reason++) {
			ret->reason[reason].packets +=
				__atomic_load_n(&own->reason[reason].packets, __ATOMIC_RELAXED);
			ret->reason[reason].bytes +=
				__atomic_load_n(&own->reason[reason].bytes, __ATOMIC_RELAXED);
		}
	}
}

extern const struct dpdk_plugin penstock_dpdk __attribute__((visibility("default")));
const struct dpdk_plugin penstock_dpdk = {
	.build = DPDK_PLUGIN_BUILD,
	.open = open_plugin,
	.close = close_all,
	.load = load,
	.unload = unload,
	.attach = attach,
	.detach = detach,
	.reach = reach,
	.follow = follow,
	.how = how,
	.facts = facts,
	.counters = dpdk_counters,
};
