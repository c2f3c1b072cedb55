// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <asm/errno.h> /* no errno: xdp/target.h forbids it */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/card_device.h"
#include "tests/unit/image_reader.h"

struct card_device *card_device_new(const struct card_sizes *sizes)
{
	struct card_device *device = calloc(1, sizeof(*device));

	if (!device)
		abort();
	device->sizes = *sizes;
	device->reads = calloc(1, sizeof(*device->reads));
	if (!device->reads)
		abort();
	for (int map = 0; map < CARD_MAPS; map++)
		device->map[map] = calloc(sizes->entries[map], card_value_sizes[map]);
	return device;
}

void card_device_free(struct card_device *device)
{
	for (int map = 0; map < CARD_MAPS; map++)
		free(device->map[map]);
	free(device->reads);
	free(device);
}

static int write_element(void *arg, enum card_map map, __u32 index, const void *value)
{
	struct card_device *device = arg;
	size_t size = card_value_sizes[map];
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

#define TARGET_HAS_CLOCK  0
#define TARGET_FRAME_WORD __attribute__((may_alias, aligned(1)))

struct target {
	const struct card_device *device;
};

static inline __u64 target_node(const struct target *t, __u32 index)
{
	const __u64 *node = t->device->map[CARD_NODE];

	++*t->device->reads;
	return index < t->device->sizes.entries[CARD_NODE] ? node[index] : (__u64)REASON_TABLE_FULL << 32;
}

static inline __u32 target_run(const struct target *t, __u32 index)
{
	const __u32 *run = t->device->map[CARD_RUN];

	++*t->device->reads;
	return index / 2 < t->device->sizes.entries[CARD_RUN] ? run[index] : REASON_TABLE_FULL;
}

static inline bool target_reads(const struct target *t, const void *at)
{
	return true;
}

#include "xdp/walk.h"

__u32 card_device_leaf(const struct card_device *device, __u16 vrf, enum image_family family,
		       const __u8 *address)
{
	const struct target target = { .device = device };
	const struct card_space *space = (struct card_space *)device->map[CARD_VRF] + 2 * vrf + family;
	__u8 bytes[4 + 16 + 4] = { 0 };
	__u32 fallback = space->fallback, leaf;

	memcpy(bytes + 4, address, family == IMAGE_IPV4 ? 4 : 16);
	leaf = walk_find(&target, space->root, bytes + 4);
	if (leaf)
		return leaf;
	return fallback == *(const volatile __u32 *)&space->fallback ? fallback : REASON_NO_ROUTE;
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
