// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/gateways.h"

#include "bench/workload/random.h"
#include "bench/workload/zipf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// An open-addressing hash of ids over an array of names. slots is a power of two, at most half full.
struct gateways {
	char (*names)[GATEWAYS_NAME_MAX + 1];
	__u32 *ids;
	__u32 count, slots;
	struct zipf *origins; // NULL: by next hop
};

static __u32 gateways_hash(const char *name)
{
	__u32 hash = 0x811c9dc5;

	for (; *name; name++)
		hash = (hash ^ (__u8)*name) * 0x01000193; // FNV-1a
	return hash;
}

static __u32 *gateways_slot(const struct gateways *gateways, __u32 *ids, __u32 slots, const char *name)
{
	__u32 i = gateways_hash(name) & (slots - 1);

	while (ids[i] && strcmp(gateways->names[ids[i] - 1], name))
		i = (i + 1) & (slots - 1);
	return &ids[i];
}

static int gateways_grow(struct gateways *gateways)
{
	__u32 slots = gateways->slots ? gateways->slots * 2 : 64;
	void *names = reallocarray(gateways->names, slots / 2, sizeof(*gateways->names));
	__u32 *ids = calloc(slots, sizeof(*ids));

	if (names)
		gateways->names = names;
	if (!names || !ids) {
		free(ids);
		return -ENOMEM;
	}
	for (__u32 i = 0; i < gateways->count; i++)
		*gateways_slot(gateways, ids, slots, gateways->names[i]) = i + 1;
	free(gateways->ids);
	gateways->ids = ids;
	gateways->slots = slots;
	return 0;
}

struct gateways *gateways_new(void)
{
	return calloc(1, sizeof(struct gateways));
}

struct gateways *gateways_new_by_origin(__u32 count)
{
	struct gateways *gateways = gateways_new();

	if (!gateways)
		return NULL;
	gateways->origins = zipf_new(count);
	if (gateways->origins)
		return gateways;
	gateways_free(gateways);
	return NULL;
}

void gateways_free(struct gateways *gateways)
{
	if (!gateways)
		return;
	zipf_free(gateways->origins);
	free(gateways->names);
	free(gateways->ids);
	free(gateways);
}

int gateways_id(struct gateways *gateways, const char *name)
{
	char key[GATEWAYS_NAME_MAX + 1];
	__u32 *id;
	int r;

	if (gateways->count * 2 >= gateways->slots) {
		r = gateways_grow(gateways);
		if (r < 0)
			return r;
	}
	strncpy(key, name, GATEWAYS_NAME_MAX);
	key[GATEWAYS_NAME_MAX] = 0;
	id = gateways_slot(gateways, gateways->ids, gateways->slots, key);
	if (*id)
		return *id;
	if (gateways->count == GATEWAYS_MAX)
		return -E2BIG;
	memcpy(gateways->names[gateways->count], key, sizeof(key));
	*id = ++gateways->count;
	return *id;
}

int gateways_bgp_id(struct gateways *gateways, const struct bgp_nexthop *nexthop, __u32 origin_as)
{
	char name[INET6_ADDRSTRLEN] = "no next hop";

	if (gateways->origins)
		return 1 + zipf_rank(gateways->origins, random_mix(origin_as));
	if (nexthop->family)
		inet_ntop(nexthop->family, nexthop->addr, name, sizeof(name));
	return gateways_id(gateways, name);
}

__u32 gateways_count(const struct gateways *gateways)
{
	return gateways->count;
}
