// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/interface.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>

#define FIRST_SLOT (IMAGE_PORTS + 1) /* behind those of the ports */
#define MAX_TAGS   2                 /* that the program parses and writes */
#define TAG_LENGTH 4
#define MAX_STACK  8 /* devices above each other, as the kernel allows; also ends loops */

static struct interface *container(struct hash_node *node)
{
	return (struct interface *)((char *)node - offsetof(struct interface, node));
}

static __u64 hash_of(__u32 ifindex)
{
	return hash_bytes(&ifindex, sizeof(ifindex));
}

static bool is_vlan(const struct interface *interface)
{
	return interface->known && interface->parent && interface->is.tpid;
}

/* Which of the two VLAN tables of the device below leads to the interface. */
static int tag_kind(const struct interface *interface)
{
	return interface->is.tpid == ETH_P_8021AD;
}

/* VLAN tags between the interface and its port; -1: there is no port below. */
static int tags_to_port(const struct interface *interface)
{
	for (int tags = 0; tags <= MAX_STACK; tags++, interface = interface->parent) {
		if (interface->port >= 0)
			return tags;
		if (!is_vlan(interface))
			return -1;
	}
	return -1;
}

/* The interface's tag leads nowhere any more; the last one takes the table with it. */
static void unlink_tag(struct interfaces *interfaces, struct interface *interface)
{
	struct interface *device = interface->parent;
	__u16 table = interface->tag_table, *at;

	if (!table)
		return;
	interface->tag_table = 0;
	if (vlan_table_unlink(&interfaces->vlan_tables, table, interface->is.vid, interface->slot,
			      device->slot))
		return;
	at = &device->vlan[tag_kind(interface)];
	*at = 0;
	__atomic_store_n(&interfaces->image->interface[device->slot].vlan[tag_kind(interface)], 0,
			 __ATOMIC_RELEASE);
	vlan_table_give(&interfaces->vlan_tables, table);
}

static int link_tag(struct interfaces *interfaces, struct interface *interface)
{
	struct interface *device = interface->parent;
	__u16 *table = &device->vlan[tag_kind(interface)];

	if (!*table) {
		int error = vlan_table_take(&interfaces->vlan_tables, device->slot, table);

		if (error)
			return error;
	}
	interface->tag_table = *table;
	vlan_table_link(&interfaces->vlan_tables, *table, interface->is.vid, interface->slot);
	__atomic_store_n(&interfaces->image->interface[device->slot].vlan[tag_kind(interface)], *table,
			 __ATOMIC_RELEASE);
	return 0;
}

/* A slot's switches off and its name away: packets that still find it go to the kernel. */
static void blank(struct image_interface *slot)
{
	__atomic_store_n(&slot->flags, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->punt, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->ifindex, 0, __ATOMIC_RELEASE);
}

static void unplace(struct interfaces *interfaces, struct interface *interface, int depth)
{
	struct interface *child;

	if (depth > MAX_STACK)
		return;
	LIST_FOREACH (child, &interface->children, sibling)
		unplace(interfaces, child, depth + 1);
	unlink_tag(interfaces, interface);
	if (!interface->slot)
		return;
	blank(&interfaces->image->interface[interface->slot]);
	if (interface->slot >= FIRST_SLOT)
		pool_give(&interfaces->slots, interface->slot);
	interface->slot = 0;
}

static void above(struct interface *interface, void (*each)(void *arg, struct interface *interface),
		  void *arg, int depth)
{
	struct interface *child;

	if (depth > MAX_STACK)
		return;
	each(arg, interface);
	LIST_FOREACH (child, &interface->children, sibling)
		above(child, each, arg, depth + 1);
}

static __u16 flags_of(const struct fib_interface *is, enum reason punt)
{
	return (is->forward4 && !punt ? INTERFACE_FORWARD4 : 0) |
	       (is->forward6 && !punt ? INTERFACE_FORWARD6 : 0) |
	       (is->rp_filter == 1 ? INTERFACE_RPF_STRICT : 0) |
	       (is->rp_filter == 2 ? INTERFACE_RPF_LOOSE : 0) | (is->redirects ? INTERFACE_REDIRECTS : 0);
}

static __u64 mac_word(const __u8 *mac)
{
	__u64 word = 0;

	memcpy(&word, mac, 6);
	return word;
}

/* Field by field, each store right in itself; what is turned off goes off first, what is turned on last. */
static void write_slot(struct image_interface *slot, const struct image_interface *want)
{
	__atomic_store_n(&slot->punt, want->punt, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->flags, slot->flags & want->flags, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->ifindex, want->ifindex, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->mac, want->mac, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->vrf, want->vrf, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->vlan[0], want->vlan[0], __ATOMIC_RELEASE);
	__atomic_store_n(&slot->vlan[1], want->vlan[1], __ATOMIC_RELEASE);
	__atomic_store_n(&slot->flags, want->flags, __ATOMIC_RELEASE);
}

/* The tags from the interface down to its port, outermost first; false: more than two, or not plain ones. */
static bool collect_tags(const struct interface *interface, struct egress *ret)
{
	__be32 tag[MAX_TAGS];
	int count = 0;

	for (; interface->port < 0; interface = interface->parent) {
		if (count == MAX_TAGS || !interface->is.plain_tag)
			return false;
		tag[count++] = htonl((__u32)interface->is.tpid << 16 | interface->is.vid);
	}
	ret->tags = count;
	for (int i = 0; i < count; i++)
		ret->tag[i] = tag[count - 1 - i];
	return true;
}

/*
 * The kernel drops redirected frames longer than the port's MTU, an Ethernet header and one tag; frames of
 * its own may be longer. So two tags shorten what may be redirected.
 */
static __u32 port_room(const struct interface *port, unsigned tags)
{
	__u32 room = port->is.mtu4 + TAG_LENGTH;

	return room > tags * TAG_LENGTH ? room - tags * TAG_LENGTH : 0;
}

static bool is_down(const struct interface *interface)
{
	for (int i = 0; i <= MAX_STACK; i++, interface = interface->parent) {
		if (!interface->known || !interface->is.up)
			return true;
		if (interface->port >= 0 || !is_vlan(interface))
			return false;
	}
	return true;
}

static enum reason egress_reason(const struct interfaces *interfaces, const struct interface *interface,
				 struct egress *ret)
{
	const struct port *port;
	const struct interface *bottom = interface;

	if (is_down(interface))
		return REASON_EGRESS_DOWN;
	if (!interface->is.ethernet || tags_to_port(interface) < 0)
		return REASON_EGRESS_FOREIGN;
	while (bottom->port < 0)
		bottom = bottom->parent;
	port = &interfaces->ports.port[bottom->port];
	ret->port = bottom->port;
	ret->frames = port->frames;
	if (!collect_tags(interface, ret) || !port->able)
		return REASON_EGRESS_UNABLE;
	ret->room = port_room(bottom, ret->tags);
	/* without a slot the reverse path and same-interface rules cannot be kept */
	return interface->slot ? REASON_FORWARDED : REASON_TABLE_FULL;
}

int interfaces_init(struct interfaces *interfaces, struct image_tables *image, const struct grace *grace)
{
	int error;

	*interfaces = (struct interfaces){ .image = image };
	error = hash_init(&interfaces->hash);
	if (error)
		return error;
	error = pool_init(&interfaces->slots, grace, FIRST_SLOT, IMAGE_INTERFACES - FIRST_SLOT);
	if (error)
		goto free_hash;
	error = ports_init(&interfaces->ports, grace);
	if (error)
		goto free_slots;
	error = vlan_tables_init(&interfaces->vlan_tables, image, grace);
	if (error)
		goto free_ports;
	return 0;

free_ports:
	ports_exit(&interfaces->ports);
free_slots:
	pool_exit(&interfaces->slots);
free_hash:
	hash_exit(&interfaces->hash);
	return error;
}

static void free_one(void *arg, struct hash_node *node)
{
	free(container(node));
}

void interfaces_exit(struct interfaces *interfaces)
{
	hash_each(&interfaces->hash, free_one, NULL);
	vlan_tables_exit(&interfaces->vlan_tables);
	ports_exit(&interfaces->ports);
	pool_exit(&interfaces->slots);
	hash_exit(&interfaces->hash);
}

struct interface *interface_find(const struct interfaces *interfaces, __u32 ifindex)
{
	struct hash_node *node = hash_first(&interfaces->hash, hash_of(ifindex));

	for (; node; node = hash_next(node))
		if (container(node)->is.ifindex == ifindex)
			return container(node);
	return NULL;
}

struct interface *interface_get(struct interfaces *interfaces, __u32 ifindex)
{
	struct interface *interface = interface_find(interfaces, ifindex);

	if (interface)
		return interface;
	interface = calloc(1, sizeof(*interface));
	if (!interface)
		return NULL;
	interface->is.ifindex = ifindex;
	interface->port = -1;
	hash_insert(&interfaces->hash, &interface->node, hash_of(ifindex));
	return interface;
}

void interface_drop(struct interfaces *interfaces, struct interface *interface)
{
	if (interface->known || interface->port >= 0 || !LIST_EMPTY(&interface->children) ||
	    !LIST_EMPTY(&interface->adjacencies) || !LIST_EMPTY(&interface->on_link) ||
	    !LIST_EMPTY(&interface->neighbours))
		return;
	hash_remove(&interfaces->hash, &interface->node);
	free(interface);
}

void interface_stack(struct interface *interface, struct interface *parent)
{
	if (interface->parent)
		LIST_REMOVE(interface, sibling);
	interface->parent = parent;
	if (parent)
		LIST_INSERT_HEAD(&parent->children, interface, sibling);
}

void interface_above(struct interface *interface, void (*each)(void *arg, struct interface *interface),
		     void *arg)
{
	above(interface, each, arg, 0);
}

void interface_unplace(struct interfaces *interfaces, struct interface *interface)
{
	unplace(interfaces, interface, 0);
}

void interface_place(struct interfaces *interfaces, struct interface *interface)
{
	int tags = tags_to_port(interface);
	__u32 slot = 0;

	interfaces->starved -= interface->starved != NULL;
	interface->starved = NULL;
	if (interface->port >= 0)
		slot = interface->port + 1;
	else if (tags > 0 && tags <= MAX_TAGS && interface->slot >= FIRST_SLOT)
		slot = interface->slot;
	if (interface->slot != slot)
		interface_unplace(interfaces, interface);
	if (!slot && tags > 0 && tags <= MAX_TAGS && pool_take(&interfaces->slots, &slot) < 0)
		interface_starve(interfaces, interface, &interfaces->slots);
	interface->slot = slot;
}

bool interface_tagged(const struct interface *interface)
{
	const struct interface *child;

	LIST_FOREACH (child, &interface->children, sibling)
		if (is_vlan(child))
			return true;
	return false;
}

enum reason interface_tags(const struct interfaces *interfaces, const struct interface *interface)
{
	if (tags_to_port(interface) < 0)
		return REASON_FORWARDED;
	while (interface->port < 0)
		interface = interface->parent;
	return interfaces->ports.port[interface->port].hides && interface_tagged(interface)
		       ? REASON_TAG_HIDDEN
		       : REASON_FORWARDED;
}

void interface_publish(struct interfaces *interfaces, struct interface *interface, __u16 vrf,
		       enum reason punt)
{
	const struct fib_interface *is = &interface->is;

	if (!interface->slot)
		return;
	if (!interface->known) {
		blank(&interfaces->image->interface[interface->slot]);
		return;
	}
	if (!punt)
		punt = is->punt ? is->punt : is_down(interface) ? REASON_INGRESS_DOWN : REASON_FORWARDED;
	write_slot(&interfaces->image->interface[interface->slot],
		   &(struct image_interface){
			   .mac = mac_word(is->mac),
			   .flags = flags_of(is, punt),
			   .vrf = vrf,
			   .vlan = { interface->vlan[0], interface->vlan[1] },
			   .ifindex = is->ifindex,
			   .punt = punt,
		   });
	if (is_vlan(interface) && interface->parent->slot && !interface->tag_table &&
	    link_tag(interfaces, interface) < 0)
		interface_starve(interfaces, interface, &interfaces->vlan_tables.pool);
}

void interface_starve(struct interfaces *interfaces, struct interface *interface, struct pool *pool)
{
	interfaces->starved += !interface->starved;
	interfaces->refused++;
	interface->starved = pool;
}

struct starved_call {
	void (*each)(void *arg, struct interface *interface);
	void *arg;
};

static void call_starved(void *arg, struct hash_node *node)
{
	const struct starved_call *call = arg;
	struct interface *interface = container(node);

	if (interface->starved && pool_has(interface->starved))
		call->each(call->arg, interface);
}

void interfaces_starved(struct interfaces *interfaces, void (*each)(void *arg, struct interface *interface),
			void *arg)
{
	if (interfaces->starved)
		hash_each(&interfaces->hash, call_starved, &(struct starved_call){ each, arg });
}

struct each_call {
	void (*each)(void *arg, const struct interface *interface);
	void *arg;
};

static void call_each(void *arg, struct hash_node *node)
{
	const struct each_call *call = arg;

	call->each(call->arg, container(node));
}

void interfaces_each(const struct interfaces *interfaces,
		     void (*each)(void *arg, const struct interface *interface), void *arg)
{
	hash_each(&interfaces->hash, call_each, &(struct each_call){ each, arg });
}

bool interfaces_wait(const struct interfaces *interfaces)
{
	return pool_waits(&interfaces->slots) || pool_waits(&interfaces->ports.pool) ||
	       pool_waits(&interfaces->vlan_tables.pool);
}

void interface_egress(const struct interfaces *interfaces, const struct interface *interface,
		      struct egress *ret)
{
	*ret = (struct egress){ 0 };
	ret->reason = egress_reason(interfaces, interface, ret);
}
