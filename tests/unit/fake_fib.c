// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/unit/fake_fib.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES     (REASON_MAX + 1024)
#define BUCKETS    4096
#define INTERFACES 64
#define NEIGHBOURS 256

struct node {
	struct node *next;
	struct fake_route route;
};

struct fake_neighbour {
	__u32 ifindex;
	__u8 family, address[16], mac[6];
	bool usable;
};

struct fib {
	struct fake_leaf leaf[LEAVES];
	struct node *bucket[BUCKETS];
	__u32 routes, leaves;
	__u64 changes;
	bool full;
	struct fib_interface interface[INTERFACES];
	__u32 interfaces;
	struct fake_neighbour neighbour[NEIGHBOURS], gateway[NEIGHBOURS];
	__u32 neighbours, gateways;
};

static __u32 bucket_of(__u32 table, const struct fib_prefix *prefix)
{
	__u32 hash = table * 31 + prefix->length;

	for (int i = 0; i < 16; i++)
		hash = hash * 16777619u + prefix->address[i];
	return (hash ^ hash >> 16) % BUCKETS;
}

static struct node **find(const struct fib *fib, __u32 table, const struct fib_prefix *prefix)
{
	struct node **at = (struct node **)&fib->bucket[bucket_of(table, prefix)];

	while (*at && ((*at)->route.table != table || memcmp(&(*at)->route.prefix, prefix, sizeof(*prefix))))
		at = &(*at)->next;
	return at;
}

static void fill(struct fake_leaf *leaf, const struct fib_leaf_spec *spec)
{
	assert(spec->reason || (spec->path_count && spec->path_count <= FAKE_PATHS));
	leaf->reason = spec->reason;
	leaf->family = spec->family;
	leaf->mtu = spec->mtu;
	leaf->path_count = spec->reason ? 0 : spec->path_count;
	for (__u32 i = 0; i < leaf->path_count; i++)
		leaf->path[i] = spec->path[i];
}

static void release(struct fib *fib, __u32 id)
{
	if (id < REASON_MAX)
		return;
	assert(fib->leaf[id].used && fib->leaf[id].references);
	if (--fib->leaf[id].references)
		return;
	fib->leaf[id].used = false;
	fib->leaves--;
}

int fib_leaf_new(struct fib *fib, const struct fib_leaf_spec *spec, __u32 *ret_leaf)
{
	*ret_leaf = REASON_TABLE_FULL;
	if (fib->full)
		return -ENOSPC;
	for (__u32 id = REASON_MAX; id < LEAVES; id++) {
		if (fib->leaf[id].used)
			continue;
		fib->leaf[id] = (struct fake_leaf){ .used = true, .owned = true, .references = 1 };
		fill(&fib->leaf[id], spec);
		fib->leaves++;
		*ret_leaf = id;
		return 0;
	}
	return -ENOSPC;
}

int fib_leaf_get(struct fib *fib, const struct fib_leaf_spec *spec, __u32 *ret_leaf)
{
	if (!spec->reason)
		return fib_leaf_new(fib, spec, ret_leaf);
	*ret_leaf = spec->reason;
	return 0;
}

int fib_leaf_change(struct fib *fib, __u32 leaf, const struct fib_leaf_spec *spec)
{
	assert(leaf >= REASON_MAX && fib->leaf[leaf].used && fib->leaf[leaf].owned);
	fill(&fib->leaf[leaf], spec);
	return 0;
}

void fib_leaf_put(struct fib *fib, __u32 leaf)
{
	release(fib, leaf);
}

int fib_route_set(struct fib *fib, __u32 table, const struct fib_prefix *prefix, __u32 leaf, bool shadow)
{
	struct node **at = find(fib, table, prefix);
	__u32 old = 0;

	assert(leaf && (leaf < REASON_MAX || fib->leaf[leaf].used));
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		(*at)->route.table = table;
		(*at)->route.prefix = *prefix;
		fib->routes++;
	} else {
		old = (*at)->route.leaf;
	}
	if (leaf >= REASON_MAX)
		fib->leaf[leaf].references++;
	if (old)
		release(fib, old);
	(*at)->route.leaf = leaf;
	(*at)->route.shadow = shadow;
	fib->changes++;
	return 0;
}

void fib_route_delete(struct fib *fib, __u32 table, const struct fib_prefix *prefix)
{
	struct node **at = find(fib, table, prefix), *node = *at;

	if (!node)
		return;
	release(fib, node->route.leaf);
	*at = node->next;
	free(node);
	fib->routes--;
	fib->changes++;
}

int fib_interface_set(struct fib *fib, const struct fib_interface *interface)
{
	__u32 i;

	for (i = 0; i < fib->interfaces && fib->interface[i].ifindex != interface->ifindex; i++)
		;
	assert(i < INTERFACES);
	fib->interfaces += i == fib->interfaces;
	fib->interface[i] = *interface;
	return 0;
}

void fib_interface_delete(struct fib *fib, __u32 ifindex)
{
	for (__u32 i = 0; i < fib->interfaces; i++)
		if (fib->interface[i].ifindex == ifindex)
			fib->interface[i--] = fib->interface[--fib->interfaces];
}

static struct fake_neighbour *neighbour(const struct fib *fib, __u32 ifindex, __u8 family,
					const __u8 *address)
{
	for (__u32 i = 0; i < fib->neighbours; i++)
		if (fib->neighbour[i].ifindex == ifindex && fib->neighbour[i].family == family &&
		    !memcmp(fib->neighbour[i].address, address, family == 2 ? 4 : 16))
			return (struct fake_neighbour *)&fib->neighbour[i];
	return NULL;
}

int fib_neighbour_set(struct fib *fib, __u32 ifindex, __u8 family, const __u8 *address, const __u8 *mac)
{
	struct fake_neighbour *known = neighbour(fib, ifindex, family, address);

	if (!known) {
		assert(fib->neighbours < NEIGHBOURS);
		known = &fib->neighbour[fib->neighbours++];
		*known = (struct fake_neighbour){ .ifindex = ifindex, .family = family };
		memcpy(known->address, address, family == 2 ? 4 : 16);
	}
	known->usable = mac;
	if (mac)
		memcpy(known->mac, mac, 6);
	return 0;
}

void fib_gateways(const struct fib *fib,
		  void (*each)(void *arg, __u32 ifindex, __u8 family, const __u8 *address), void *arg)
{
	for (__u32 i = 0; i < fib->gateways; i++)
		each(arg, fib->gateway[i].ifindex, fib->gateway[i].family, fib->gateway[i].address);
}

struct fib *fake_fib_new(void)
{
	return calloc(1, sizeof(struct fib));
}

void fake_fib_free(struct fib *fib)
{
	for (__u32 i = 0; i < BUCKETS; i++) {
		while (fib->bucket[i]) {
			struct node *node = fib->bucket[i];

			fib->bucket[i] = node->next;
			free(node);
		}
	}
	free(fib);
}

void fake_fib_full(struct fib *fib, bool full)
{
	fib->full = full;
}

const struct fake_leaf *fake_fib_leaf(const struct fib *fib, __u32 leaf)
{
	return &fib->leaf[leaf];
}

const struct fake_route *fake_fib_route(const struct fib *fib, __u32 table, const struct fib_prefix *prefix)
{
	struct node *node = *find(fib, table, prefix);

	return node ? &node->route : NULL;
}

__u32 fake_fib_routes(const struct fib *fib)
{
	return fib->routes;
}

__u32 fake_fib_leaves(const struct fib *fib)
{
	return fib->leaves;
}

const struct fib_interface *fake_fib_interface(const struct fib *fib, __u32 ifindex)
{
	for (__u32 i = 0; i < fib->interfaces; i++)
		if (fib->interface[i].ifindex == ifindex)
			return &fib->interface[i];
	return NULL;
}

__u64 fake_fib_changes(const struct fib *fib)
{
	return fib->changes;
}

const __u8 *fake_fib_neighbour(const struct fib *fib, __u32 ifindex, __u8 family, const __u8 *address)
{
	const struct fake_neighbour *known = neighbour(fib, ifindex, family, address);

	return known && known->usable ? known->mac : NULL;
}

void fake_fib_gateway(struct fib *fib, __u32 ifindex, __u8 family, const __u8 *address)
{
	struct fake_neighbour *gateway = &fib->gateway[fib->gateways++];

	assert(fib->gateways <= NEIGHBOURS);
	*gateway = (struct fake_neighbour){ .ifindex = ifindex, .family = family };
	memcpy(gateway->address, address, family == 2 ? 4 : 16);
}
