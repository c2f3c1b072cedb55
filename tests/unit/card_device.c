// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <asm/errno.h> /* no errno: xdp/target.h forbids it */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/card_device.h"
#include "tests/unit/image_reader.h"

static const size_t sizes_of_values[CARD_MAPS] = {
	[CARD_NODE] = sizeof(__u64),
	[CARD_RUN] = sizeof(__u32),
	[CARD_CONTROL] = sizeof(struct image_control),
	[CARD_VRF] = sizeof(struct image_vrf),
	[CARD_INTERFACE] = sizeof(struct image_interface),
	[CARD_OWN] = sizeof(__u32),
	[CARD_HOP] = sizeof(struct image_nexthop),
	[CARD_VLAN] = sizeof(__u32),
	[CARD_BUCKET] = sizeof(__u32),
	[CARD_COUNTERS] = sizeof(struct image_counter),
};

struct card_device *card_device_new(const struct card_sizes *sizes)
{
	struct card_device *device = calloc(1, sizeof(*device));

	if (!device)
		abort();
	device->sizes = *sizes;
	for (int map = 0; map < CARD_MAPS; map++)
		device->map[map] = calloc(sizes->entries[map], sizes_of_values[map]);
	return device;
}

void card_device_free(struct card_device *device)
{
	for (int map = 0; map < CARD_MAPS; map++)
		free(device->map[map]);
	free(device);
}

static int write_element(void *arg, enum card_map map, __u32 index, const void *value)
{
	struct card_device *device = arg;
	size_t size = sizes_of_values[map];
	bool fails = ++device->writes == device->fault_at;

	if (index >= device->sizes.entries[map])
		return -E2BIG;
	if (!fails || device->fault == CARD_FAULT_UNTOLD)
		memcpy((char *)device->map[map] + index * size, value, size);
	if (device->look)
		device->look(device->arg, device);
	return fails ? -ETIMEDOUT : 0;
}

struct card_writer card_device_writer(struct card_device *device)
{
	return (struct card_writer){ .write = write_element, .arg = device };
}

/* --- the search on the card; offload/target_nfp.h says what its answers are --- */

#define TARGET_HAS_CLOCK 0
#define TARGET_SMALL     1

struct target {
	const struct card_device *device;
};

static inline __u64 target_node(const struct target *t, __u32 index)
{
	const __u64 *node = t->device->map[CARD_NODE];

	return index < t->device->sizes.entries[CARD_NODE] ? node[index] : (__u64)REASON_TABLE_FULL << 32;
}

static inline __u32 target_run(const struct target *t, __u32 index)
{
	const __u32 *run = t->device->map[CARD_RUN];

	return index < t->device->sizes.entries[CARD_RUN] ? run[index] : REASON_TABLE_FULL;
}

static inline __u16 target_leaf(const struct target *t, __u32 index)
{
	return target_run(t, (index & ~DESCRIPTOR_LEAVES) >> 1) >> (index & 1) * 16;
}

#include "xdp/route.h"

__u32 card_device_leaf(const struct card_device *device, __u16 vrf, enum image_family family,
		       const __u8 *address)
{
	const struct target target = { .device = device };
	const struct image_vrf *vrfs = device->map[CARD_VRF];

	return route_leaf(&target, &vrfs[vrf], family, image_reader_key(family, address), 128);
}

const struct image_nexthop *card_device_hop(const struct card_device *device, __u32 id)
{
	return &((const struct image_nexthop *)device->map[CARD_HOP])[id];
}

bool card_device_held(const struct card_device *device)
{
	const struct image_control *control = device->map[CARD_CONTROL];

	return control->held || control->version != IMAGE_VERSION;
}
