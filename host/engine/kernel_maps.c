// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/kernel_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "host/engine/pins.h"
#include "host/fib/image_store.h"

/* The predecessor's counters, if they have our shape. */
static int adopt_counters(struct pins *pins)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	int fd = pins_map_get(pins, "counters");

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == BPF_MAP_TYPE_PERCPU_ARRAY &&
	    info.max_entries == IMAGE_PORTS && info.value_size == sizeof(struct image_counters))
		return fd;
	close(fd);
	return -EINVAL;
}

static int open_counters(struct kernel_maps *maps, struct pins *pins, bool adopt)
{
	int fd = adopt ? adopt_counters(pins) : -ENOENT;

	maps->adopted = fd >= 0;
	if (fd >= 0)
		return fd;
	return bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counters", sizeof(__u32),
			      sizeof(struct image_counters), IMAGE_PORTS, NULL);
}

int kernel_maps_open(struct pins *pins, bool adopt, struct kernel_maps **ret, struct why *why)
{
	struct kernel_maps *maps = calloc(1, sizeof(*maps));
	int cpus = libbpf_num_possible_cpus();
	int error = -ENOMEM;

	if (!maps)
		goto refuse;
	maps->cpus = cpus > 0 ? (unsigned int)cpus : 1;
	maps->counters_fd = error = open_counters(maps, pins, adopt);
	if (error < 0)
		goto free_maps;
	(void)pins_map_put(pins, "counters", maps->counters_fd); /* before a port counts; again with all */
	maps->ports_fd = error = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "ports", sizeof(__u32),
						sizeof(struct bpf_devmap_val), IMAGE_PORTS, NULL);
	if (error < 0)
		goto close_counters;
	*ret = maps;
	return 0;
close_counters:
	close(maps->counters_fd);
free_maps:
	free(maps);
refuse:
	return why_set(why, -error, "cannot make BPF maps: %s", strerror(-error));
}

void kernel_maps_close(struct kernel_maps *maps)
{
	if (!maps)
		return;
	close(maps->counters_fd);
	close(maps->ports_fd);
	free(maps);
}

int kernel_maps_pin(const struct kernel_maps *maps, const struct image_store *store, struct pins *pins,
		    struct why *why)
{
	const struct {
		const char *name;
		int fd;
	} all[] = {
		{ "node", store->node_fd },     { "run", store->run_fd },
		{ "tables", store->tables_fd }, { "counters", maps->counters_fd },
		{ "ports", maps->ports_fd },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int error = pins_map_put(pins, all[i].name, all[i].fd);

		if (error < 0)
			return why_set(why, -error, "%s/maps/%s: cannot pin: %s", pins_directory(pins),
				       all[i].name, strerror(-error));
	}
	return 0;
}

int kernel_maps_port_set(struct kernel_maps *maps, __u16 port, __u32 ifindex)
{
	struct bpf_devmap_val value = { .ifindex = ifindex };
	__u32 key = port;

	return bpf_map_update_elem(maps->ports_fd, &key, &value, BPF_ANY);
}

void kernel_maps_port_clear(struct kernel_maps *maps, __u16 port)
{
	__u32 key = port;

	(void)bpf_map_delete_elem(maps->ports_fd, &key); /* fails only for a port number out of range */
}

int kernel_maps_counters(const struct kernel_maps *maps, __u16 port, struct image_counters *ret)
{
	struct image_counters *values = calloc(maps->cpus, sizeof(*values));
	__u32 key = port;
	int error;

	if (!values)
		return -ENOMEM;
	error = bpf_map_lookup_elem(maps->counters_fd, &key, values);
	if (error < 0)
		goto free_values;
	memset(ret, 0, sizeof(*ret));
	for (unsigned int cpu = 0; cpu < maps->cpus; cpu++)
		for (int reason = 0; reason < REASON_MAX; reason++) {
			ret->reason[reason].packets += values[cpu].reason[reason].packets;
			ret->reason[reason].bytes += values[cpu].reason[reason].bytes;
		}
free_values:
	free(values);
	return error;
}
