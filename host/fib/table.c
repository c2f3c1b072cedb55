// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/table.h"

#include <assert.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <linux/rtnetlink.h>

#include "host/fib/grace.h"

/* Ranges that no router forwards to, or that Linux decides about by more than the address. */
static const struct fixed {
	__u8 family, length;
	__u32 top; /* the first 32 bits; the others are 0 */
	enum reason reason;
} fixed_ranges[] = {
	{ IMAGE_IPV4, 8, 0x00000000, REASON_MARTIAN_DESTINATION },  /* 0.0.0.0/8: this network */
	{ IMAGE_IPV4, 8, 0x7f000000, REASON_MARTIAN_DESTINATION },  /* 127.0.0.0/8: loopback */
	{ IMAGE_IPV4, 16, 0xa9fe0000, REASON_MARTIAN_DESTINATION }, /* 169.254.0.0/16: link-local */
	{ IMAGE_IPV4, 4, 0xe0000000, REASON_MULTICAST },
	{ IMAGE_IPV4, 4, 0xf0000000, REASON_MARTIAN_DESTINATION },  /* 240.0.0.0/4: reserved, and broadcast */
	{ IMAGE_IPV6, 80, 0x00000000, REASON_MARTIAN_DESTINATION }, /* ::, ::1, v4-compatible and v4-mapped */
	{ IMAGE_IPV6, 10, 0xfe800000, REASON_MARTIAN_DESTINATION }, /* link-local */
	{ IMAGE_IPV6, 8, 0xff000000, REASON_MULTICAST },
};
#define FIXED_RANGES (sizeof(fixed_ranges) / sizeof(fixed_ranges[0]))

static struct table *container(struct hash_node *node)
{
	return (struct table *)((char *)node - offsetof(struct table, node));
}

static unsigned width_of(enum image_family family)
{
	return family == IMAGE_IPV4 ? 32 : 128;
}

static const struct prefix_tree *image_tree(const struct tables *tables, const struct table *table,
					    enum image_family family)
{
	return image_update_tree(tables->update, table->vrf, family);
}

static struct image_prefix in_layer(const struct image_prefix *prefix, __u16 vrf, enum prefix_layer layer)
{
	struct image_prefix result = *prefix;

	result.vrf = vrf;
	result.layer = layer;
	return result;
}

/* --- own routes: in the image, or in the host's tree --- */

/* Whether the table's own route shows in the image. */
static bool shows(const struct tables *tables, const struct table *table, const struct image_prefix *prefix)
{
	if (!table->open)
		return false;
	if (prefix->layer == PREFIX_ROUTE)
		return prefix->length < width_of(prefix->family) || !table->host[prefix->family] ||
		       !prefix_tree_get(table->host[prefix->family], &prefix->key, prefix->length,
					PREFIX_ROUTE);
	return !table_fixed(prefix) && !prefix_tree_get(tables->local->tree[prefix->family], &prefix->key,
							prefix->length, PREFIX_SHADOW);
}

static __u16 own_get(const struct tables *tables, const struct table *table,
		     const struct image_prefix *prefix)
{
	const struct prefix_tree *tree = shows(tables, table, prefix)
						 ? image_tree(tables, table, prefix->family)
						 : table->tree[prefix->family];

	return prefix_tree_get(tree, &prefix->key, prefix->length, prefix->layer);
}

static int own_set(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf,
		   __u16 *ret_old)
{
	struct image_prefix at = in_layer(prefix, table->vrf, prefix->layer);

	if (shows(tables, table, prefix))
		return image_update_set(tables->update, &at, leaf, ret_old);
	return prefix_tree_set(table->tree[prefix->family], &prefix->key, prefix->length, prefix->layer, leaf,
			       ret_old);
}

static __u16 own_delete(struct tables *tables, struct table *table, const struct image_prefix *prefix)
{
	struct image_prefix at = in_layer(prefix, table->vrf, prefix->layer);

	if (shows(tables, table, prefix))
		return image_update_delete(tables->update, &at);
	return prefix_tree_delete(table->tree[prefix->family], &prefix->key, prefix->length, prefix->layer);
}

/* --- what covers own routes: the local table, fixed ranges, host routes --- */

/*
 * Lets `leaf` show instead of the table's own route, which is kept. `again`: something covered it before.
 * Nothing is changed on -ENOMEM.
 */
static int cover(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf,
		 bool again)
{
	struct image_prefix at = in_layer(prefix, table->vrf, prefix->layer);
	struct prefix_tree *tree = table->tree[prefix->family];
	__u16 own = 0, old;
	int error;

	if (!again)
		own = prefix_tree_get(image_tree(tables, table, prefix->family), &prefix->key, prefix->length,
				      prefix->layer);
	if (own) {
		error = prefix_tree_set(tree, &prefix->key, prefix->length, prefix->layer, own, &old);
		if (error)
			return error;
	}
	error = image_update_set(tables->update, &at, leaf, &old);
	if (error == -ENOMEM && own)
		prefix_tree_delete(tree, &prefix->key, prefix->length, prefix->layer);
	return error;
}

/* The table's own route shows again instead of `leaf`, if there is one. No effect if `leaf` does not show. */
static void uncover(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf)
{
	struct image_prefix at = in_layer(prefix, table->vrf, prefix->layer);
	__u16 own, old;

	if (prefix_tree_get(image_tree(tables, table, prefix->family), &prefix->key, prefix->length,
			    prefix->layer) != leaf)
		return;
	own = prefix_tree_delete(table->tree[prefix->family], &prefix->key, prefix->length, prefix->layer);
	/* replacing a value takes no memory */
	if (own)
		image_update_set(tables->update, &at, own, &old);
	else
		image_update_delete(tables->update, &at);
}

/* --- opening and closing --- */

struct opening {
	struct tables *tables;
	struct table *table;
	enum image_family family;
	int error;
};

static void keep_error(struct opening *opening, int error)
{
	/* full tables heal by themselves; only lost routes are a failure */
	if (error == -ENOMEM)
		opening->error = error;
}

static void open_local(void *arg, const struct prefix_key *key, unsigned length, enum prefix_layer layer,
		       __u16 value)
{
	struct opening *opening = arg;
	struct image_prefix prefix = {
		.vrf = opening->table->vrf,
		.family = opening->family,
		.layer = PREFIX_SHADOW,
		.length = length,
		.key = *key,
	};
	__u16 old;

	if (!table_fixed(&prefix))
		keep_error(opening, image_update_set(opening->tables->update, &prefix, value, &old));
}

static void open_own(void *arg, const struct prefix_key *key, unsigned length, enum prefix_layer layer,
		     __u16 value)
{
	struct opening *opening = arg;
	struct image_prefix prefix = {
		.family = opening->family,
		.layer = layer,
		.length = length,
		.key = *key,
	};
	__u16 old;

	keep_error(opening, own_set(opening->tables, opening->table, &prefix, value, &old));
}

static void open_fixed(struct opening *opening)
{
	for (size_t i = 0; i < FIXED_RANGES; i++) {
		const struct fixed *range = &fixed_ranges[i];
		struct image_prefix prefix = {
			.vrf = opening->table->vrf,
			.family = range->family,
			.layer = PREFIX_SHADOW,
			.length = range->length,
			.key.word[0] = range->top,
		};
		__u16 old;

		keep_error(opening, image_update_set(opening->tables->update, &prefix, range->reason, &old));
	}
}

/* Fills a VRF that has just been opened; old: all own routes of the table. */
static int fill(struct tables *tables, struct table *table, struct prefix_tree *const old[2])
{
	struct opening opening = { .tables = tables, .table = table };

	open_fixed(&opening);
	for (int family = 0; family < 2; family++) {
		opening.family = family;
		prefix_tree_each(tables->local->tree[family], open_local, &opening);
		prefix_tree_each(old[family], open_own, &opening);
	}
	return opening.error;
}

static int new_trees(struct prefix_tree *ret[2])
{
	int error = prefix_tree_new(32, &ret[IMAGE_IPV4]);

	if (error)
		return error;
	error = prefix_tree_new(128, &ret[IMAGE_IPV6]);
	if (error)
		prefix_tree_free(ret[IMAGE_IPV4]);
	return error;
}

static void free_trees(struct prefix_tree *const tree[2])
{
	prefix_tree_free(tree[IMAGE_IPV4]);
	prefix_tree_free(tree[IMAGE_IPV6]);
}

static void abandon_vrf(struct tables *tables, __u16 vrf)
{
	image_update_close(tables->update, vrf);
	tables->closing[tables->closing_count++] = vrf;
}

struct closing {
	const struct tables *tables;
	const struct table *table;
	struct prefix_tree *const *tree;
	enum image_family family;
	int error;
};

static void close_own(void *arg, const struct prefix_key *key, unsigned length, enum prefix_layer layer,
		      __u16 value)
{
	struct closing *closing = arg;
	struct image_prefix prefix = {
		.family = closing->family,
		.layer = layer,
		.length = length,
		.key = *key,
	};
	__u16 old;

	if (shows(closing->tables, closing->table, &prefix) && !closing->error)
		closing->error =
			prefix_tree_set(closing->tree[closing->family], key, length, layer, value, &old);
}

static void close_hidden(void *arg, const struct prefix_key *key, unsigned length, enum prefix_layer layer,
			 __u16 value)
{
	struct closing *closing = arg;
	__u16 old;

	if (!closing->error)
		closing->error =
			prefix_tree_set(closing->tree[closing->family], key, length, layer, value, &old);
}

/* --- own addresses --- */

/*
 * The program looks a source address up where the filter says that it may be our own. A prefix that is local
 * as a whole may hold any slot.
 */
static void count_own(struct tables *tables, const struct image_prefix *prefix, __u16 leaf, int change)
{
	__u32 first = 0, last = IMAGE_OWN - 1;

	if (prefix->family != IMAGE_IPV4 || (leaf != REASON_LOCAL && leaf != REASON_BROADCAST))
		return;
	if (prefix->length == 32)
		first = last = own_slot(htonl(prefix->key.word[0]));
	else if (prefix->key.word[0] >> 24 == 127)
		return; /* a martian as source in any case */
	for (__u32 slot = first; slot <= last; slot++) {
		tables->own_count[slot] += change;
		__atomic_store_n(&tables->own_image[slot], tables->own_count[slot] != 0, __ATOMIC_RELAXED);
	}
}

/* --- the local table --- */

static int local_show(struct tables *tables, const struct image_prefix *prefix, __u16 leaf, bool again)
{
	struct table *table;
	int error = 0;

	if (table_fixed(prefix))
		return 0;
	LIST_FOREACH (table, &tables->open, open_link) {
		int failed = cover(tables, table, prefix, leaf, again);

		error = failed ? failed : error;
	}
	return error;
}

static void local_hide(struct tables *tables, const struct image_prefix *prefix, __u16 leaf)
{
	struct table *table;

	if (table_fixed(prefix))
		return;
	LIST_FOREACH (table, &tables->open, open_link)
		uncover(tables, table, prefix, leaf);
}

/* All routes of the local table are shadows of the others'. */
static int local_set(struct tables *tables, const struct image_prefix *prefix, __u16 leaf, __u16 *ret_old)
{
	struct image_prefix shadow = in_layer(prefix, 0, PREFIX_SHADOW);
	__u16 before = own_get(tables, tables->local, &shadow), old = 0;
	int error = local_show(tables, &shadow, leaf, before != 0);

	if (error == -ENOMEM || own_set(tables, tables->local, &shadow, leaf, &old) < 0) {
		if (before)
			local_show(tables, &shadow, before, true);
		else
			local_hide(tables, &shadow, leaf);
		return -ENOMEM;
	}
	*ret_old = old;
	return error;
}

static __u16 local_delete(struct tables *tables, const struct image_prefix *prefix)
{
	struct image_prefix shadow = in_layer(prefix, 0, PREFIX_SHADOW);
	__u16 leaf = own_delete(tables, tables->local, &shadow);

	if (leaf)
		local_hide(tables, &shadow, leaf);
	return leaf;
}

/* --- any other table: a prefix has a route in one of the layers --- */

static int either_set(struct tables *tables, struct table *table, const struct image_prefix *prefix,
		      __u16 leaf, __u16 *ret_old)
{
	bool shadow = prefix->layer == PREFIX_SHADOW;
	struct image_prefix other = in_layer(prefix, table->vrf, shadow ? PREFIX_ROUTE : PREFIX_SHADOW);
	__u16 old, moved = 0;
	int error = own_set(tables, table, prefix, leaf, &old);

	if (error == -ENOMEM)
		return error;
	if (!old && (shadow || table->shadows[prefix->family]))
		moved = own_delete(tables, table, &other);
	table->shadows[prefix->family] += shadow && !old;
	table->shadows[prefix->family] -= !shadow && moved;
	*ret_old = old ? old : moved;
	return error;
}

static __u16 either_delete(struct tables *tables, struct table *table, const struct image_prefix *prefix)
{
	struct image_prefix at = in_layer(prefix, table->vrf, PREFIX_ROUTE);
	__u16 old = own_delete(tables, table, &at);

	if (old || !table->shadows[prefix->family])
		return old;
	at.layer = PREFIX_SHADOW;
	old = own_delete(tables, table, &at);
	table->shadows[prefix->family] -= old != 0;
	return old;
}

static void free_table(void *arg, struct hash_node *node)
{
	struct table *table = container(node);

	free_trees(table->tree);
	free_trees(table->host);
	free(table);
}

int tables_init(struct tables *tables, struct image_update *update, struct image_tables *image,
		const struct grace *grace, __u32 vrfs)
{
	int error;

	*tables = (struct tables){ .update = update, .own_image = image->own };
	error = hash_init(&tables->hash);
	if (error)
		return error;
	tables->closing = calloc(vrfs, sizeof(*tables->closing));
	tables->own_count = calloc(IMAGE_OWN, sizeof(*tables->own_count));
	error = pool_init(&tables->vrfs, grace, 0, vrfs);
	if (error)
		goto exit;
	tables->local = table_get(tables, RT_TABLE_LOCAL);
	tables->main = table_get(tables, RT_TABLE_MAIN);
	error = -ENOMEM;
	if (!tables->closing || !tables->own_count || !tables->local || !tables->main)
		goto exit;
	error = table_open(tables, tables->main);
	if (error)
		goto exit;
	return 0;

exit:
	tables_exit(tables);
	return error;
}

void tables_exit(struct tables *tables)
{
	hash_each(&tables->hash, free_table, NULL);
	hash_exit(&tables->hash);
	pool_exit(&tables->vrfs);
	free(tables->closing);
	free(tables->own_count);
}

struct table *table_find(const struct tables *tables, __u32 id)
{
	struct hash_node *node = hash_first(&tables->hash, hash_bytes(&id, sizeof(id)));

	for (; node; node = hash_next(node))
		if (container(node)->id == id)
			return container(node);
	return NULL;
}

struct table *table_get(struct tables *tables, __u32 id)
{
	struct table *table = table_find(tables, id);

	if (table)
		return table;
	table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	table->id = id;
	if (new_trees(table->tree) < 0) {
		free(table);
		return NULL;
	}
	hash_insert(&tables->hash, &table->node, hash_bytes(&id, sizeof(id)));
	return table;
}

void table_drop(struct tables *tables, struct table *table)
{
	if (table == tables->main || table == tables->local || table->open || table->interfaces ||
	    table->routes[IMAGE_IPV4] || table->routes[IMAGE_IPV6])
		return;
	hash_remove(&tables->hash, &table->node);
	free_table(NULL, &table->node);
}

int table_open(struct tables *tables, struct table *table)
{
	struct prefix_tree *old[2] = { table->tree[0], table->tree[1] }, *fresh[2];
	__u32 vrf;
	int error;

	if (table->open)
		return 0;
	error = pool_take(&tables->vrfs, &vrf);
	if (error) {
		tables->refused++;
		return error;
	}
	error = image_update_open(tables->update, vrf, table == tables->main);
	if (error)
		goto give_vrf;
	error = new_trees(fresh);
	if (error)
		goto close_vrf;
	image_update_begin(tables->update, vrf);
	table->open = true;
	table->vrf = vrf;
	table->tree[0] = fresh[0];
	table->tree[1] = fresh[1];
	error = fill(tables, table, old);
	if (error)
		goto restore_trees;
	if (!tables->held)
		image_update_end(tables->update, vrf);
	LIST_INSERT_HEAD(&tables->open, table, open_link);
	free_trees(old);
	return 0;

restore_trees:
	table->open = false;
	table->tree[0] = old[0];
	table->tree[1] = old[1];
	free_trees(fresh);
close_vrf:
	abandon_vrf(tables, vrf);
	return error;
give_vrf:
	pool_give(&tables->vrfs, vrf);
	return error;
}

int table_close(struct tables *tables, struct table *table)
{
	struct prefix_tree *tree[2];
	struct closing closing = { .tables = tables, .table = table, .tree = tree };
	int error;

	assert(LIST_EMPTY(&table->hosts));
	error = new_trees(tree);
	if (error)
		return error;
	for (int family = 0; family < 2; family++) {
		closing.family = family;
		prefix_tree_each(image_tree(tables, table, family), close_own, &closing);
		prefix_tree_each(table->tree[family], close_hidden, &closing);
	}
	if (closing.error) {
		free_trees(tree);
		return closing.error;
	}
	free_trees(table->tree);
	free_trees(table->host);
	table->tree[0] = tree[0];
	table->tree[1] = tree[1];
	table->host[0] = table->host[1] = NULL;
	table->open = false;
	LIST_REMOVE(table, open_link);
	abandon_vrf(tables, table->vrf);
	return 0;
}

int table_route_set(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf,
		    __u16 *ret_old)
{
	__u16 old = 0;
	int error = table == tables->local ? local_set(tables, prefix, leaf, &old)
					   : either_set(tables, table, prefix, leaf, &old);

	if (error == -ENOMEM)
		return error;
	table->routes[prefix->family] += !old;
	count_own(tables, prefix, leaf, 1);
	count_own(tables, prefix, old, -1);
	*ret_old = old;
	return error;
}

__u16 table_route_delete(struct tables *tables, struct table *table, const struct image_prefix *prefix)
{
	__u16 old =
		table == tables->local ? local_delete(tables, prefix) : either_delete(tables, table, prefix);

	table->routes[prefix->family] -= old != 0;
	count_own(tables, prefix, old, -1);
	return old;
}

int table_host_set(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf)
{
	struct prefix_tree **host = &table->host[prefix->family];
	__u16 before, old;
	int error, full;

	if (!*host) {
		error = prefix_tree_new(width_of(prefix->family), host);
		if (error)
			return error;
	}
	before = prefix_tree_get(*host, &prefix->key, prefix->length, PREFIX_ROUTE);
	full = cover(tables, table, prefix, leaf, before != 0);
	if (full == -ENOMEM)
		return full;
	error = prefix_tree_set(*host, &prefix->key, prefix->length, PREFIX_ROUTE, leaf, &old);
	if (error) {
		uncover(tables, table, prefix, leaf);
		return error;
	}
	return full;
}

void table_host_delete(struct tables *tables, struct table *table, const struct image_prefix *prefix,
		       __u16 leaf)
{
	struct prefix_tree *host = table->host[prefix->family];

	if (!host || prefix_tree_get(host, &prefix->key, prefix->length, PREFIX_ROUTE) != leaf)
		return;
	prefix_tree_delete(host, &prefix->key, prefix->length, PREFIX_ROUTE);
	uncover(tables, table, prefix, leaf);
}

__u16 table_best(const struct tables *tables, const struct table *table, enum image_family family,
		 const struct prefix_key *key)
{
	const struct prefix_tree *tree = image_tree(tables, table, family);
	unsigned width = width_of(family);
	struct prefix_cover cover = prefix_tree_cover(tree, key, width);
	struct image_prefix own = { .family = family, .layer = PREFIX_ROUTE, .length = width, .key = *key };
	__u16 route;

	if (cover.value[PREFIX_SHADOW] || prefix_tree_get(tree, key, width, PREFIX_SHADOW))
		return 0;
	route = own_get(tables, table, &own);
	if (!route)
		route = cover.value[PREFIX_ROUTE];
	return route ? route : prefix_tree_get(tree, &(struct prefix_key){ 0 }, 0, PREFIX_ROUTE);
}

struct each_call {
	void (*each)(void *arg, const struct table *table);
	void *arg;
};

static void call_each(void *arg, struct hash_node *node)
{
	const struct each_call *call = arg;

	call->each(call->arg, container(node));
}

void tables_each(const struct tables *tables, void (*each)(void *arg, const struct table *table), void *arg)
{
	hash_each(&tables->hash, call_each, &(struct each_call){ each, arg });
}

void tables_hold(struct tables *tables, bool held)
{
	struct table *table;

	if (tables->held == held)
		return;
	tables->held = held;
	LIST_FOREACH (table, &tables->open, open_link) {
		if (held)
			image_update_begin(tables->update, table->vrf);
		else
			image_update_end(tables->update, table->vrf);
	}
}

bool tables_settle(struct tables *tables)
{
	if (tables->closing_count && !image_update_busy(tables->update)) {
		while (tables->closing_count)
			pool_give(&tables->vrfs, tables->closing[--tables->closing_count]);
	}
	return tables->closing_count || pool_waits(&tables->vrfs);
}

bool table_fixed(const struct image_prefix *prefix)
{
	for (size_t i = 0; i < FIXED_RANGES; i++) {
		const struct fixed *range = &fixed_ranges[i];

		if (prefix->layer == PREFIX_SHADOW && prefix->family == range->family &&
		    prefix->length == range->length && prefix->key.word[0] == range->top &&
		    !(prefix->key.word[1] | prefix->key.word[2]))
			return true;
	}
	return false;
}
