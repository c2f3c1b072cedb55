// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/neighbour.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/fib/interface.h"

#define FIRST_SIZE 64

static struct neighbour *container(struct hash_node *node)
{
	return (struct neighbour *)((char *)node - offsetof(struct neighbour, node));
}

static unsigned address_bytes(__u8 family)
{
	return family == AF_INET ? 4 : 16;
}

static __u64 hash_of(__u32 ifindex, __u8 family, const __u8 *address)
{
	struct {
		__u32 ifindex, family;
		__u8 address[16];
	} key = { .ifindex = ifindex, .family = family };

	memcpy(key.address, address, address_bytes(family));
	return hash_bytes(&key, sizeof(key));
}

static int compare_keys(const struct prefix_key *a, const struct prefix_key *b)
{
	for (int i = 0; i < 4; i++)
		if (a->word[i] != b->word[i])
			return a->word[i] < b->word[i] ? -1 : 1;
	return 0;
}

/* The first place whose neighbour's address is not below the key. */
static __u32 lower_bound(const struct neighbour_order *order, const struct prefix_key *key)
{
	__u32 low = 0, high = order->count;

	while (low < high) {
		__u32 middle = low + (high - low) / 2;

		if (compare_keys(&order->at[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The key behind the last address of a prefix; false: the prefix ends where the address space does. */
static bool key_behind(const struct prefix_key *key, unsigned length, struct prefix_key *ret)
{
	unsigned at = length;

	*ret = *key;
	/* add one at the last bit of the prefix, with carry */
	while (at > 0) {
		__u32 bit = 1u << (31 - (at - 1) % 32), *word = &ret->word[(at - 1) / 32];

		*word ^= bit;
		if (*word & bit)
			return true;
		at--;
	}
	return false;
}

static struct neighbour_order *order_of(struct neighbours *neighbours, const struct neighbour *neighbour)
{
	return &neighbours->order[neighbour->family == AF_INET ? IMAGE_IPV4 : IMAGE_IPV6];
}

static int order_insert(struct neighbour_order *order, struct neighbour *neighbour)
{
	__u32 place = lower_bound(order, &neighbour->key);

	if (order->count == order->size) {
		__u32 size = order->size ? order->size * 2 : FIRST_SIZE;
		struct neighbour **at = realloc(order->at, size * sizeof(*at));

		if (!at)
			return -ENOMEM;
		order->at = at;
		order->size = size;
	}
	memmove(&order->at[place + 1], &order->at[place], (order->count - place) * sizeof(*order->at));
	order->at[place] = neighbour;
	order->count++;
	return 0;
}

static void order_remove(struct neighbour_order *order, const struct neighbour *neighbour)
{
	__u32 place = lower_bound(order, &neighbour->key);

	while (order->at[place] != neighbour) /* the same address on several interfaces */
		place++;
	order->count--;
	memmove(&order->at[place], &order->at[place + 1], (order->count - place) * sizeof(*order->at));
}

static void free_one(void *arg, struct hash_node *node)
{
	free(container(node));
}

int neighbours_init(struct neighbours *neighbours)
{
	*neighbours = (struct neighbours){ 0 };
	return hash_init(&neighbours->hash);
}

void neighbours_exit(struct neighbours *neighbours)
{
	hash_each(&neighbours->hash, free_one, NULL);
	hash_exit(&neighbours->hash);
	for (int i = 0; i < 2; i++)
		free(neighbours->order[i].at);
}

struct neighbour *neighbour_find(const struct neighbours *neighbours, const struct interface *interface,
				 __u8 family, const __u8 *address)
{
	struct hash_node *node =
		hash_first(&neighbours->hash, hash_of(interface->is.ifindex, family, address));

	for (; node; node = hash_next(node)) {
		struct neighbour *neighbour = container(node);

		if (neighbour->interface == interface && neighbour->family == family &&
		    memcmp(neighbour->address, address, address_bytes(family)) == 0)
			return neighbour;
	}
	return NULL;
}

struct neighbour *neighbour_get(struct neighbours *neighbours, struct interface *interface, __u8 family,
				const __u8 *address)
{
	struct neighbour *neighbour = neighbour_find(neighbours, interface, family, address);
	unsigned bytes = address_bytes(family);

	if (neighbour)
		return neighbour;
	neighbour = calloc(1, sizeof(*neighbour));
	if (!neighbour)
		return NULL;
	neighbour->interface = interface;
	neighbour->family = family;
	memcpy(neighbour->address, address, bytes);
	neighbour->key = prefix_key(neighbour->address, bytes * 8, bytes * 8);
	LIST_INSERT_HEAD(&interface->neighbours, neighbour, link);
	hash_insert(&neighbours->hash, &neighbour->node, hash_of(interface->is.ifindex, family, address));
	return neighbour;
}

void neighbour_drop(struct neighbours *neighbours, struct neighbour *neighbour)
{
	if (neighbour->usable || neighbour->pinned || !LIST_EMPTY(&neighbour->adjacencies) ||
	    !LIST_EMPTY(&neighbour->hosts))
		return;
	hash_remove(&neighbours->hash, &neighbour->node);
	LIST_REMOVE(neighbour, link);
	free(neighbour);
}

int neighbour_set_mac(struct neighbours *neighbours, struct neighbour *neighbour, const __u8 *mac)
{
	struct neighbour_order *order = order_of(neighbours, neighbour);

	if (mac && !neighbour->usable && order_insert(order, neighbour) < 0)
		return -ENOMEM;
	if (!mac && neighbour->usable)
		order_remove(order, neighbour);
	neighbour->usable = mac != NULL;
	if (mac)
		memcpy(neighbour->mac, mac, sizeof(neighbour->mac));
	return 0;
}

const struct neighbour_order *neighbours_under(const struct neighbours *neighbours, enum image_family family,
					       const struct prefix_key *key, unsigned length,
					       __u32 *ret_first, __u32 *ret_end)
{
	const struct neighbour_order *order = &neighbours->order[family];
	struct prefix_key behind;

	*ret_first = lower_bound(order, key);
	*ret_end = key_behind(key, length, &behind) ? lower_bound(order, &behind) : order->count;
	return order;
}

struct each_call {
	void (*each)(void *arg, const struct neighbour *neighbour);
	void *arg;
};

static void call_each(void *arg, struct hash_node *node)
{
	const struct each_call *call = arg;

	call->each(call->arg, container(node));
}

void neighbours_each(const struct neighbours *neighbours,
		     void (*each)(void *arg, const struct neighbour *neighbour), void *arg)
{
	hash_each(&neighbours->hash, call_each, &(struct each_call){ each, arg });
}
