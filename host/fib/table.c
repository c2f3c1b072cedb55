// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/table.h"

#include <errno.h>
#include <stdlib.h>
#include <linux/rtnetlink.h>

#include "host/fib/fixed_range.h"
#include "host/fib/grace.h"

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

int table_trees_new(struct prefix_tree *ret[2])
{
	int error = prefix_tree_new(32, &ret[IMAGE_IPV4]);

	if (error)
		return error;
	error = prefix_tree_new(128, &ret[IMAGE_IPV6]);
	if (error)
		prefix_tree_free(ret[IMAGE_IPV4]);
	return error;
}

void table_trees_free(struct prefix_tree *const tree[2])
{
	prefix_tree_free(tree[IMAGE_IPV4]);
	prefix_tree_free(tree[IMAGE_IPV6]);
}

/* --- own routes: in the image, or in the host's tree --- */

/* Whether the table's own route shows in the image. */
bool table_shows(const struct tables *tables, const struct table *table, const struct image_prefix *prefix)
{
	if (!table->open)
		return false;
	if (prefix->layer == PREFIX_ROUTE)
		return prefix->length < width_of(prefix->family) || !table->host[prefix->family] ||
		       !prefix_tree_get(table->host[prefix->family], &prefix->key, prefix->length,
					PREFIX_ROUTE);
	return !fixed_range_is(prefix) && !prefix_tree_get(tables->local->tree[prefix->family], &prefix->key,
							   prefix->length, PREFIX_SHADOW);
}

static __u16 own_get(const struct tables *tables, const struct table *table,
		     const struct image_prefix *prefix)
{
	const struct prefix_tree *tree = table_shows(tables, table, prefix)
						 ? image_tree(tables, table, prefix->family)
						 : table->tree[prefix->family];

	return prefix_tree_get(tree, &prefix->key, prefix->length, prefix->layer);
}

int table_own_set(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf,
		  __u16 *ret_old)
{
	struct image_prefix at = in_layer(prefix, table->vrf, prefix->layer);

	if (table_shows(tables, table, prefix))
		return image_update_set(tables->update, &at, leaf, ret_old);
	return prefix_tree_set(table->tree[prefix->family], &prefix->key, prefix->length, prefix->layer, leaf,
			       ret_old);
}

static __u16 own_delete(struct tables *tables, struct table *table, const struct image_prefix *prefix)
{
	struct image_prefix at = in_layer(prefix, table->vrf, prefix->layer);

	if (table_shows(tables, table, prefix))
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
		(void)image_update_set(tables->update, &at, own, &old);
	else
		image_update_delete(tables->update, &at);
}

/* --- the local table --- */

static int local_show(struct tables *tables, const struct image_prefix *prefix, __u16 leaf, bool again)
{
	struct table *table;
	int error = 0;

	if (fixed_range_is(prefix))
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

	if (fixed_range_is(prefix))
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

	if (error == -ENOMEM || table_own_set(tables, tables->local, &shadow, leaf, &old) < 0) {
		if (before)
			(void)local_show(tables, &shadow, before,
					 true); /* where it showed, it takes no memory */
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
	int error = table_own_set(tables, table, prefix, leaf, &old);

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

	table_trees_free(table->tree);
	table_trees_free(table->host);
	free(table);
}

int tables_init(struct tables *tables, struct image_update *update, struct image_tables *image,
		const struct grace *grace, __u32 vrfs)
{
	int error;

	*tables = (struct tables){ .update = update, .own.image = image->own };
	error = hash_init(&tables->hash);
	if (error)
		return error;
	tables->closing = calloc(vrfs, sizeof(*tables->closing));
	error = pool_init(&tables->vrfs, grace, 0, vrfs);
	if (error)
		goto exit;
	tables->local = table_get(tables, RT_TABLE_LOCAL);
	tables->main = table_get(tables, RT_TABLE_MAIN);
	error = -ENOMEM;
	if (!tables->closing || !tables->local || !tables->main)
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
	if (table_trees_new(table->tree) < 0) {
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

int table_route_set(struct tables *tables, struct table *table, const struct image_prefix *prefix, __u16 leaf,
		    __u16 *ret_old)
{
	__u16 old = 0;
	int error = table == tables->local ? local_set(tables, prefix, leaf, &old)
					   : either_set(tables, table, prefix, leaf, &old);

	if (error == -ENOMEM)
		return error;
	table->routes[prefix->family] += !old;
	own_filter_count(&tables->own, prefix, leaf, 1);
	own_filter_count(&tables->own, prefix, old, -1);
	*ret_old = old;
	return error;
}

__u16 table_route_delete(struct tables *tables, struct table *table, const struct image_prefix *prefix)
{
	__u16 old =
		table == tables->local ? local_delete(tables, prefix) : either_delete(tables, table, prefix);

	table->routes[prefix->family] -= old != 0;
	own_filter_count(&tables->own, prefix, old, -1);
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
