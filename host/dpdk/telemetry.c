// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/dpdk/telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_telemetry.h>

#include "host/dpdk/dpdk.h"

/* Commands cannot be taken back, and come in a thread of DPDK's. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct dpdk *shown;

static const char *const reasons[REASON_MAX] = {
#define X(number, name, action, string, text) [number] = string,
	REASONS(X)
#undef X
};

static int list_ports(const char *command, const char *parameters, struct rte_tel_data *ret)
{
	rte_tel_data_start_array(ret, RTE_TEL_STRING_VAL);
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; shown && i < shown->devices; i++)
		rte_tel_data_add_array_string(ret, shown->device[i]->tap.name);
	pthread_mutex_unlock(&lock);
	return 0;
}

static const struct device *find(const char *name)
{
	for (unsigned int i = 0; shown && name && i < shown->devices; i++)
		if (strcmp(shown->device[i]->tap.name, name) == 0)
			return shown->device[i];
	return NULL;
}

static void add_tally(struct rte_tel_data *data, const struct device *device)
{
	struct device_tally sum;

	device_tally(device, &sum);
	rte_tel_data_add_dict_u64(data, "to_kernel", sum.to_kernel);
	rte_tel_data_add_dict_u64(data, "to_kernel_lost", sum.to_kernel_lost);
	rte_tel_data_add_dict_u64(data, "from_kernel", sum.from_kernel);
	rte_tel_data_add_dict_u64(data, "unsent", sum.unsent);
}

static void add_device(struct rte_tel_data *data, const struct device *device)
{
	struct image_counters counters = { 0 };

	rte_tel_data_add_dict_string(data, "device", device->name);
	rte_tel_data_add_dict_int(data, "id", device->id);
	rte_tel_data_add_dict_int(data, "receive_queues", device->receive_queues);
	rte_tel_data_add_dict_int(data, "transmit_queues", device->transmit_queues);
	rte_tel_data_add_dict_int(data, "rss", device->rss);
	rte_tel_data_add_dict_string(data, "offloads", device->offloads);
	add_tally(data, device);
	if (device->port == DEVICE_NONE)
		return;
	dpdk_counters(shown, (__u16)device->port, &counters);
	for (unsigned int i = 0; i < REASON_MAX; i++)
		if (reasons[i] && counters.reason[i].packets)
			rte_tel_data_add_dict_u64(data, reasons[i], counters.reason[i].packets);
}

static int show_port(const char *command, const char *parameters, struct rte_tel_data *ret)
{
	const struct device *device;

	pthread_mutex_lock(&lock);
	device = find(parameters);
	if (device) {
		rte_tel_data_start_dict(ret);
		add_device(ret, device);
	}
	pthread_mutex_unlock(&lock);
	return device ? 0 : -ENODEV;
}

void telemetry_show(const struct dpdk *dpdk)
{
	pthread_mutex_lock(&lock);
	shown = dpdk;
	pthread_mutex_unlock(&lock);
	if (!dpdk)
		return;
	(void)rte_telemetry_register_cmd("/penstock/ports", list_ports,
					 "Names of the interfaces of devices.");
	(void)rte_telemetry_register_cmd("/penstock/port", show_port,
					 "Verdicts and frames of a device. Parameter: its interface");
}
