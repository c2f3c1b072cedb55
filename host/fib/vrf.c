// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/vrf.h"

#include <assert.h>
#include <errno.h>

#include "host/fib/fixed_range.h"
#include "host/fib/grace.h"

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

	if (!fixed_range_is(&prefix))
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

	keep_error(opening, table_own_set(opening->tables, opening->table, &prefix, value, &old));
}

static void open_fixed(void *arg, const struct image_prefix *prefix, __u16 leaf)
{
	struct opening *opening = arg;
	struct image_prefix at = *prefix;
	__u16 old;

	at.vrf = opening->table->vrf;
	keep_error(opening, image_update_set(opening->tables->update, &at, leaf, &old));
}

/* Fills a VRF that has just been opened; old: all own routes of the table. */
static int fill(struct tables *tables, struct table *table, struct prefix_tree *const old[2])
{
	struct opening opening = { .tables = tables, .table = table };

	fixed_ranges_each(open_fixed, &opening);
	for (int family = 0; family < 2; family++) {
		opening.family = family;
		prefix_tree_each(tables->local->tree[family], open_local, &opening);
		prefix_tree_each(old[family], open_own, &opening);
	}
	return opening.error;
}

static void abandon(struct tables *tables, __u16 vrf)
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

	if (table_shows(closing->tables, closing->table, &prefix) && !closing->error)
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

int vrf_open(struct tables *tables, struct table *table)
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
	error = table_trees_new(fresh);
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
	table_trees_free(old);
	return 0;

restore_trees:
	table->open = false;
	table->tree[0] = old[0];
	table->tree[1] = old[1];
	table_trees_free(fresh);
close_vrf:
	abandon(tables, vrf);
	return error;
give_vrf:
	pool_give(&tables->vrfs, vrf);
	return error;
}

int vrf_close(struct tables *tables, struct table *table)
{
	struct prefix_tree *tree[2];
	struct closing closing = { .tables = tables, .table = table, .tree = tree };
	int error;

	assert(LIST_EMPTY(&table->hosts));
	error = table_trees_new(tree);
	if (error)
		return error;
	for (int family = 0; family < 2; family++) {
		closing.family = family;
		prefix_tree_each(image_update_tree(tables->update, table->vrf, family), close_own, &closing);
		prefix_tree_each(table->tree[family], close_hidden, &closing);
	}
	if (closing.error) {
		table_trees_free(tree);
		return closing.error;
	}
	table_trees_free(table->tree);
	table_trees_free(table->host);
	table->tree[0] = tree[0];
	table->tree[1] = tree[1];
	table->host[0] = table->host[1] = NULL;
	table->open = false;
	LIST_REMOVE(table, open_link);
	abandon(tables, table->vrf);
	return 0;
}

void vrfs_hold(struct tables *tables, bool held)
{
	struct table *table;

	if (tables->held == held)
		return;
	tables->held = held;
	LIST_FOREACH (table, &tables->open, open_link) {
		if (held)
			image_update_begin(tables->update, table->vrf);
		else
			image_update_end_in_steps(tables->update, table->vrf);
	}
}

bool vrfs_settle(struct tables *tables)
{
	if (tables->closing_count && !image_update_busy(tables->update)) {
		while (tables->closing_count)
			pool_give(&tables->vrfs, tables->closing[--tables->closing_count]);
	}
	return tables->closing_count || pool_waits(&tables->vrfs);
}
