// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/fib.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "host/fib/bucket.h"
#include "host/fib/fib_parts.h"
#include "host/fib/grace.h"
#include "host/fib/image_store.h"
#include "host/fib/image_update.h"
#include "host/fib/nexthop.h"
#include "host/fib/vrf.h"

static void set_held(struct fib *fib, bool held)
{
	__atomic_store_n(&fib->store->tables->control.held, held, __ATOMIC_RELEASE);
}

/* What it was told is lost: nothing that is left can be relied on. */
static int lose(struct fib *fib)
{
	fib->lost = true;
	fib->releasing = false;
	set_held(fib, true);
	return -ENOMEM;
}

/* --- interfaces --- */

static void leave_table(struct fib *fib, struct table *table)
{
	if (--table->interfaces || table == fib->tables.main)
		return;
	host_routes_leave_table(&fib->hosts, table);
	/* without memory to take it out of the image it stays there, unused */
	if (vrf_close(&fib->tables, table) == 0)
		table_drop(&fib->tables, table);
}

/* The table that packets of the interface are looked up in, opened; NULL: there is no room. */
static struct table *enter_table(struct fib *fib, struct interface *interface)
{
	struct table *table =
		table_get(&fib->tables, interface->is.table ? interface->is.table : RT_TABLE_MAIN);

	if (!table)
		return NULL;
	if (!table->open) {
		if (vrf_open(&fib->tables, table) < 0) {
			table_drop(&fib->tables, table);
			interface_starve(&fib->interfaces, interface, &fib->tables.vrfs);
			return NULL;
		}
		host_routes_review_table(&fib->hosts, table);
	}
	table->interfaces++;
	return table;
}

static void refresh_adjacencies(struct fib *fib, struct interface *interface)
{
	struct adjacency *adjacency;

	LIST_FOREACH (adjacency, &interface->adjacencies, egress_link)
		leaf_refresh(&fib->leaves, adjacency);
	LIST_FOREACH (adjacency, &interface->on_link, egress_link)
		leaf_refresh(&fib->leaves, adjacency);
}

static void publish(struct fib *fib, struct interface *interface)
{
	interface_publish(&fib->interfaces, interface, interface->vrf ? interface->vrf->vrf : 0,
			  interface->vrf ? interface_tags(&fib->interfaces, interface) : REASON_TABLE_FULL);
}

/* Brings an interface's slot, VRF and adjacencies up to date with what is known of it and those below. */
static void apply(void *arg, struct interface *interface)
{
	struct fib *fib = arg;
	struct table *old = interface->vrf;

	interface_place(&fib->interfaces, interface);
	interface->vrf = interface->slot && interface->known ? enter_table(fib, interface) : NULL;
	publish(fib, interface);
	if (old)
		leave_table(fib, old);
	refresh_adjacencies(fib, interface);
}

/* Applies the interface and all above it. Their adjacencies go first, the groups these are in follow. */
static void apply_above(void *arg, struct interface *interface)
{
	struct fib *fib = arg;

	interface_above(interface, apply, fib);
	leaves_regroup(&fib->leaves);
}

/* A sub-interface came or went: whether tags matter to the device below may have changed. */
static void review_tags(struct fib *fib, struct interface *device)
{
	if (device && device->port >= 0 && fib->interfaces.ports.port[device->port].hides)
		publish(fib, device);
}

/* Puts the interface on another device; it and those above lose their slots until they are applied. */
static int restack(struct fib *fib, struct interface *interface, const struct fib_interface *is)
{
	struct interface *old = interface->parent, *parent = NULL;

	if (is->parent && is->parent != is->ifindex && is->tpid) {
		parent = interface_get(&fib->interfaces, is->parent);
		if (!parent)
			return -ENOMEM;
	}
	if (parent == old && interface->is.tpid == is->tpid && interface->is.vid == is->vid)
		return 0;
	interface_unplace(&fib->interfaces, interface);
	interface_stack(interface, parent);
	review_tags(fib, old);
	if (old)
		interface_drop(&fib->interfaces, old);
	return 0;
}

/* The kernel does not have it any more: it is no more than a place-holder. */
static void make_unknown(struct fib *fib, struct interface *interface)
{
	struct interface *parent = interface->parent;

	fib->interfaces.known--;
	interface->known = false;
	apply_above(fib, interface);
	interface_stack(interface, NULL);
	review_tags(fib, parent);
	if (parent)
		interface_drop(&fib->interfaces, parent);
	interface->is = (struct fib_interface){ .ifindex = interface->is.ifindex };
}

static void forget_neighbours(struct fib *fib, struct interface *interface)
{
	struct neighbour *neighbour, *next;

	for (neighbour = LIST_FIRST(&interface->neighbours); neighbour; neighbour = next) {
		next = LIST_NEXT(neighbour, link);
		fib_neighbour_set(fib, interface->is.ifindex, neighbour->family, neighbour->address, NULL);
	}
}

int fib_interface_set(struct fib *fib, const struct fib_interface *is)
{
	struct interface *interface;
	int error;

	if (is->tpid && (is->vid >= VLAN_IDS || (is->tpid != ETH_P_8021Q && is->tpid != ETH_P_8021AD)))
		return -EINVAL;
	if (is->table == RT_TABLE_LOCAL)
		return -EINVAL;
	interface = interface_get(&fib->interfaces, is->ifindex);
	if (!interface)
		return lose(fib);
	if (interface->known && !interface->starved && memcmp(&interface->is, is, sizeof(*is)) == 0)
		return 0;
	error = restack(fib, interface, is);
	if (error) {
		interface_drop(&fib->interfaces, interface);
		return lose(fib);
	}
	interface->is = *is;
	fib->interfaces.known += !interface->known;
	interface->known = true;
	review_tags(fib, interface->parent);
	apply_above(fib, interface);
	fib->changes++;
	return interface->starved ? -ENOSPC : 0;
}

void fib_interface_delete(struct fib *fib, __u32 ifindex)
{
	struct interface *interface = interface_find(&fib->interfaces, ifindex);

	if (!interface)
		return;
	if (interface->known)
		make_unknown(fib, interface);
	forget_neighbours(fib, interface);
	/* the last neighbour may have taken it along */
	interface = interface_find(&fib->interfaces, ifindex);
	if (interface)
		interface_drop(&fib->interfaces, interface);
	fib->changes++;
}

int fib_port_add(struct fib *fib, __u32 ifindex, __u16 *ret_port)
{
	struct interface *interface = interface_find(&fib->interfaces, ifindex);
	__u16 port;
	int error;

	if (!interface || !interface->known)
		return -ENOENT;
	if (interface->port >= 0)
		return -EEXIST;
	error = port_take(&fib->interfaces.ports, interface, &port);
	if (error)
		return error;
	interface->port = port;
	apply_above(fib, interface);
	fib->changes++;
	*ret_port = port;
	return 0;
}

void fib_port_egress(struct fib *fib, __u16 port, bool able, bool frames)
{
	struct port *at = port < IMAGE_PORTS ? &fib->interfaces.ports.port[port] : NULL;

	if (!at || !at->interface)
		return;
	at->able = able;
	at->frames = frames;
	apply_above(fib, at->interface);
	fib->changes++;
}

void fib_port_tags(struct fib *fib, __u16 port, bool hidden)
{
	struct port *at = port < IMAGE_PORTS ? &fib->interfaces.ports.port[port] : NULL;

	if (!at || !at->interface || at->hides == hidden)
		return;
	at->hides = hidden;
	apply_above(fib, at->interface);
	fib->changes++;
}

bool fib_port_tagged(const struct fib *fib, __u16 port)
{
	const struct interface *interface =
		port < IMAGE_PORTS ? fib->interfaces.ports.port[port].interface : NULL;

	return interface && interface_tagged(interface);
}

void fib_port_delete(struct fib *fib, __u16 port)
{
	struct interface *interface = port < IMAGE_PORTS ? fib->interfaces.ports.port[port].interface : NULL;

	if (!interface)
		return;
	interface->port = -1;
	apply_above(fib, interface);
	port_give(&fib->interfaces.ports, port);
	interface_drop(&fib->interfaces, interface);
	fib->changes++;
}

/* --- leaves --- */

int fib_leaf_get(struct fib *fib, const struct fib_leaf_spec *spec, __u32 *ret_leaf)
{
	return leaf_get(&fib->leaves, spec, ret_leaf);
}

int fib_leaf_new(struct fib *fib, const struct fib_leaf_spec *spec, __u32 *ret_leaf)
{
	return leaf_new(&fib->leaves, spec, ret_leaf);
}

static __u32 on_link_interface(const struct fib *fib, __u32 leaf)
{
	const struct adjacency *on_link = leaf_on_link(&fib->leaves, leaf);

	return on_link ? on_link->key.ifindex : 0;
}

static void review_leaf(struct fib *fib, __u32 leaf, __u32 ifindex)
{
	struct interface *interface = ifindex ? interface_find(&fib->interfaces, ifindex) : NULL;

	if (interface)
		host_routes_review_leaf(&fib->hosts, leaf_find(&fib->leaves, leaf), interface);
}

int fib_leaf_change(struct fib *fib, __u32 leaf, const struct fib_leaf_spec *spec)
{
	__u32 before = on_link_interface(fib, leaf), after;
	int error = leaf_change(&fib->leaves, leaf, spec);

	if (error == -EINVAL)
		return error;
	after = on_link_interface(fib, leaf);
	review_leaf(fib, leaf, before);
	if (after != before)
		review_leaf(fib, leaf, after);
	fib->changes++;
	return error;
}

void fib_leaf_put(struct fib *fib, __u32 leaf)
{
	leaf_put(&fib->leaves, leaf);
}

/* --- routes --- */

static struct image_prefix prefix_of(const struct fib_prefix *prefix, bool shadow)
{
	bool ipv4 = prefix->family == AF_INET;

	return (struct image_prefix){
		.family = ipv4 ? IMAGE_IPV4 : IMAGE_IPV6,
		.layer = shadow ? PREFIX_SHADOW : PREFIX_ROUTE,
		.length = prefix->length,
		.key = prefix_key(prefix->address, ipv4 ? 32 : 128, prefix->length),
	};
}

static void review_prefix(struct fib *fib, const struct image_prefix *prefix, struct table *table)
{
	host_routes_review_prefix(&fib->hosts, prefix, table == fib->tables.local ? NULL : table);
}

int fib_route_set(struct fib *fib, __u32 table_id, const struct fib_prefix *prefix, __u32 leaf, bool shadow)
{
	struct image_prefix at = prefix_of(prefix, shadow);
	struct table *table = table_get(&fib->tables, table_id);
	__u16 old = 0;
	int error;

	assert(leaf < REASON_MAX ? leaf > 0 : leaf_find(&fib->leaves, leaf) != NULL);
	if (!table)
		return lose(fib);
	error = leaf_note_table(&fib->leaves, leaf, table_id);
	if (!error)
		error = table_route_set(&fib->tables, table, &at, leaf, &old);
	if (error == -ENOMEM) {
		table_drop(&fib->tables, table);
		return lose(fib);
	}
	leaf_hold(&fib->leaves, leaf);
	review_prefix(fib, &at, table);
	leaf_put(&fib->leaves, old);
	fib->changes++;
	return error;
}

void fib_route_delete(struct fib *fib, __u32 table_id, const struct fib_prefix *prefix)
{
	struct image_prefix at = prefix_of(prefix, false);
	struct table *table = table_find(&fib->tables, table_id);
	__u16 old = table ? table_route_delete(&fib->tables, table, &at) : 0;

	if (!old)
		return;
	review_prefix(fib, &at, table);
	leaf_put(&fib->leaves, old);
	table_drop(&fib->tables, table);
	fib->changes++;
}

/* --- neighbours --- */

static bool same_mac(const struct neighbour *neighbour, const __u8 *mac)
{
	if (!mac || !neighbour->usable)
		return !mac && !neighbour->usable;
	return memcmp(neighbour->mac, mac, sizeof(neighbour->mac)) == 0;
}

static int change_neighbour(struct fib *fib, struct neighbour *neighbour, const __u8 *mac)
{
	bool usable = neighbour->usable;
	struct adjacency *adjacency;
	int error;

	if (same_mac(neighbour, mac))
		return 0;
	error = neighbour_set_mac(&fib->neighbours, neighbour, mac);
	if (error)
		return error;
	LIST_FOREACH (adjacency, &neighbour->adjacencies, gateway_link)
		leaf_refresh(&fib->leaves, adjacency);
	leaves_regroup(&fib->leaves);
	if (usable != neighbour->usable)
		host_routes_review_neighbour(&fib->hosts, neighbour);
	fib->changes++;
	return 0;
}

int fib_neighbour_set(struct fib *fib, __u32 ifindex, __u8 family, const __u8 *address, const __u8 *mac)
{
	struct interface *interface =
		mac ? interface_get(&fib->interfaces, ifindex) : interface_find(&fib->interfaces, ifindex);
	struct neighbour *neighbour;
	int error = 0;

	if (!interface)
		return mac ? -ENOMEM : 0;
	neighbour = mac ? neighbour_get(&fib->neighbours, interface, family, address)
			: neighbour_find(&fib->neighbours, interface, family, address);
	if (neighbour) {
		neighbour->pinned = true;
		error = change_neighbour(fib, neighbour, mac);
		neighbour->pinned = false;
		neighbour_drop(&fib->neighbours, neighbour);
	} else if (mac) {
		error = -ENOMEM;
	}
	interface_drop(&fib->interfaces, interface);
	return error;
}

struct gateways_call {
	const struct fib *fib;
	void (*each)(void *arg, __u32 ifindex, __u8 family, const __u8 *address);
	void *arg;
};

static void call_gateway(void *arg, const struct neighbour *neighbour)
{
	const struct gateways_call *call = arg;

	if (leaves_by_gateway(&call->fib->leaves, neighbour))
		call->each(call->arg, neighbour->interface->is.ifindex, neighbour->family,
			   neighbour->address);
}

void fib_gateways(const struct fib *fib,
		  void (*each)(void *arg, __u32 ifindex, __u8 family, const __u8 *address), void *arg)
{
	neighbours_each(&fib->neighbours, call_gateway, &(struct gateways_call){ fib, each, arg });
}

/* --- the whole --- */

static int init_control(struct image_tables *tables)
{
	struct image_control control = { .version = IMAGE_VERSION, .held = 1, .deadline = ~0ull };

	if (getrandom(control.hash_key, sizeof(control.hash_key), 0) != sizeof(control.hash_key))
		return -EIO;
	tables->control = control;
	return 0;
}

/* The parts that are on their own; what was made before a failure is freed by fib_free(). */
static int make_ground(struct fib *fib, __u32 nexthops, __u32 buckets)
{
	int error = grace_new(&fib->grace);

	if (!error)
		error = image_update_new(fib->store, fib->grace, &fib->update);
	if (!error)
		error = nexthops_new(fib->store->tables, fib->update, fib->grace, nexthops, &fib->nexthops);
	if (!error)
		error = buckets_new(fib->grace, buckets, &fib->buckets);
	return error;
}

/* The parts that stand on these. */
static int make_parts(struct fib *fib)
{
	struct image_tables *image = fib->store->tables;
	int error = interfaces_init(&fib->interfaces, image, fib->grace);

	if (error)
		return error;
	error = neighbours_init(&fib->neighbours);
	if (error)
		goto exit_interfaces;
	error = adjacencies_init(&fib->adjacencies, &fib->interfaces, &fib->neighbours, fib->nexthops);
	if (error)
		goto exit_neighbours;
	error = leaves_init(&fib->leaves, &fib->adjacencies, fib->buckets, fib->nexthops, image);
	if (error)
		goto exit_adjacencies;
	error = tables_init(&fib->tables, fib->update, image, fib->grace, IMAGE_VRFS);
	if (error)
		goto exit_leaves;
	error = vrf_open(&fib->tables, fib->tables.main);
	if (error)
		goto exit_tables;
	fib->hosts = (struct host_routes){
		.leaves = &fib->leaves,
		.neighbours = &fib->neighbours,
		.tables = &fib->tables,
	};
	return 0;

exit_tables:
	tables_exit(&fib->tables);
exit_leaves:
	leaves_exit(&fib->leaves);
exit_adjacencies:
	adjacencies_exit(&fib->adjacencies);
exit_neighbours:
	neighbours_exit(&fib->neighbours);
exit_interfaces:
	interfaces_exit(&fib->interfaces);
	return error;
}

static void free_ground(struct fib *fib)
{
	buckets_free(fib->buckets);
	nexthops_free(fib->nexthops);
	image_update_free(fib->update);
	grace_free(fib->grace);
	free(fib);
}

int fib_new(const struct fib_limits *limits, struct image_store *store, struct fib **ret)
{
	__u32 nexthops = limits && limits->nexthops ? limits->nexthops : IMAGE_NEXTHOPS;
	__u32 buckets = limits && limits->buckets ? limits->buckets : IMAGE_BUCKETS;
	struct fib *fib;
	int error;

	if (nexthops > IMAGE_NEXTHOPS || buckets > IMAGE_BUCKETS)
		return -EINVAL;
	fib = calloc(1, sizeof(*fib));
	if (!fib)
		return -ENOMEM;
	fib->store = store;
	error = init_control(store->tables);
	if (!error)
		error = make_ground(fib, nexthops, buckets);
	if (!error)
		error = make_parts(fib);
	if (error) {
		free_ground(fib);
		return error;
	}
	vrfs_hold(&fib->tables, true);
	*ret = fib;
	return 0;
}

void fib_free(struct fib *fib)
{
	if (!fib)
		return;
	host_routes_exit(&fib->hosts);
	tables_exit(&fib->tables);
	leaves_exit(&fib->leaves);
	adjacencies_exit(&fib->adjacencies);
	neighbours_exit(&fib->neighbours);
	interfaces_exit(&fib->interfaces);
	free_ground(fib);
}

struct grace *fib_grace(struct fib *fib)
{
	return fib->grace;
}

void fib_hold(struct fib *fib, bool held)
{
	if (held)
		set_held(fib, true);
	vrfs_hold(&fib->tables, held);
	fib->releasing = !held && fib_held(fib) && !fib->lost;
}

bool fib_held(const struct fib *fib)
{
	return fib->store->tables->control.held;
}

bool fib_lost(const struct fib *fib)
{
	return fib->lost;
}

/* Whether something waits for a grace period. Each part goes on with what has waited long enough. */
static bool settle_parts(struct fib *fib)
{
	bool nexthops = nexthops_settle(fib->nexthops), buckets = buckets_settle(fib->buckets);
	bool tables = vrfs_settle(&fib->tables), interfaces = interfaces_wait(&fib->interfaces);

	return nexthops || buckets || tables || interfaces;
}

static void heal_all(struct fib *fib)
{
	__u32 leaf;

	interfaces_starved(&fib->interfaces, apply_above, fib);
	while ((leaf = leaves_heal(&fib->leaves)) != 0)
		review_leaf(fib, leaf, on_link_interface(fib, leaf));
	host_routes_heal(&fib->hosts);
}

bool fib_settle(struct fib *fib)
{
	bool reviews = host_routes_settle(&fib->hosts);
	bool busy = image_update_settle(fib->update) || reviews, waits = settle_parts(fib);

	if (grace_poll(fib->grace, waits))
		waits = settle_parts(fib);
	heal_all(fib);
	if (fib->releasing && !reviews && !image_update_busy(fib->update)) {
		fib->releasing = false;
		set_held(fib, false);
	}
	return busy || waits || fib->releasing;
}

bool fib_busy(const struct fib *fib)
{
	return fib->hosts.wanted || image_update_busy(fib->update);
}

bool fib_room(struct fib *fib)
{
	return leaves_room(&fib->leaves);
}

__u32 fib_lookup(const struct fib *fib, __u32 table_id, __u8 family, const __u8 *address)
{
	const struct table *table = table_find(&fib->tables, table_id ? table_id : RT_TABLE_MAIN);
	bool ipv4 = family == AF_INET;
	struct prefix_key key = prefix_key(address, ipv4 ? 32 : 128, ipv4 ? 32 : 128);

	if (!table || !table->open)
		return REASON_INTERFACE_UNKNOWN;
	return image_update_lookup(fib->update, table->vrf, ipv4 ? IMAGE_IPV4 : IMAGE_IPV6, &key);
}

static void add_routes(void *arg, const struct table *table)
{
	struct fib_stats *stats = arg;

	stats->routes[0] += table->routes[0];
	stats->routes[1] += table->routes[1];
	stats->vrfs += table->open;
}

static void add_usage(const struct fib *fib, struct fib_stats *stats)
{
	struct nexthops_stats nexthops;
	struct image_usage usage;

	image_update_usage(fib->update, &usage);
	stats->punted_routes = usage.punted_routes;
	stats->node_used = usage.node_used;
	stats->node_limbo = usage.node_limbo;
	stats->node_total = usage.node_total;
	stats->run_used = usage.run_used;
	stats->run_free = usage.run_free;
	stats->run_limbo = usage.run_limbo;
	stats->run_total = usage.run_total;
	nexthops_stats(fib->nexthops, &nexthops);
	stats->nexthop_used = nexthops.used;
	stats->nexthop_total = nexthops.total;
	stats->nexthop_stores = nexthops.stores;
	buckets_usage(fib->buckets, &stats->bucket_used, &stats->bucket_total);
}

void fib_stats(const struct fib *fib, struct fib_stats *ret)
{
	*ret = (struct fib_stats){
		.changes = fib->changes,
		.lost = fib->lost,
		.leaves_refused = fib->leaves.refused + fib->interfaces.refused + fib->tables.refused,
		.leaves = fib->leaves.count,
		.groups = fib->leaves.group_count,
		.neighbours = fib->neighbours.order[0].count + fib->neighbours.order[1].count,
		.host_routes = fib->hosts.count,
		.interfaces = fib->interfaces.known,
		.port_used = pool_used(&fib->interfaces.ports.pool),
		.interface_used = pool_used(&fib->interfaces.slots),
		.vlan_table_used = pool_used(&fib->interfaces.vlan_tables.pool),
	};
	tables_each(&fib->tables, add_routes, ret);
	add_usage(fib, ret);
}

void fib_parts(const struct fib_stats *stats, struct fib_part ret[FIB_PARTS])
{
	const struct fib_part parts[FIB_PARTS] = {
		{ "node chunks", stats->node_used, stats->node_total },
		{ "run cells", stats->run_used, stats->run_total },
		{ "next hops", stats->nexthop_used, stats->nexthop_total },
		{ "buckets", stats->bucket_used, stats->bucket_total },
		{ "interfaces", stats->interfaces, IMAGE_INTERFACES },
		{ "VRFs", stats->vrfs, IMAGE_VRFS },
	};

	memcpy(ret, parts, sizeof(parts));
}
