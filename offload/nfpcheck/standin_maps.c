// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The control channel of the stand-in: what the driver asks the firmware about maps, answered from the host's
 * memory. An array is one piece; a hash is buckets of elements, and a list of them in the order they came, by
 * which keys are walked. One mutex for all: nobody measures here.
 */
#include <linux/idr.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/vmalloc.h>

#include "offload/nfpcheck/standin.h"

#define BUCKETS 65536

static uint control_error;
module_param(control_error, uint, 0644);
MODULE_PARM_DESC(control_error, "errno that elements are answered with, as if the firmware failed; 0: none");

struct element {
	struct hlist_node bucket;
	struct list_head order;
	u8 data[]; /* key, then value */
};

struct table {
	enum bpf_map_type type;
	u32 key_size, value_size, entries, count;
	u8 *values;                 /* array */
	struct hlist_head *buckets; /* hash */
	struct list_head order;
};

static DEFINE_IDR(tables);
static DEFINE_MUTEX(lock);

static struct table *table_of(struct bpf_offloaded_map *map)
{
	struct nfp_bpf_map *own = map->dev_priv;

	return idr_find(&tables, own->tid);
}

static void table_free(struct table *table)
{
	struct element *element, *next;

	list_for_each_entry_safe(element, next, &table->order, order) kfree(element);
	kvfree(table->values);
	kvfree(table->buckets);
	kfree(table);
}

static struct hlist_head *bucket_of(struct table *table, const void *key)
{
	return &table->buckets[jhash(key, table->key_size, 0) % BUCKETS];
}

static struct element *hash_find(struct table *table, const void *key)
{
	struct element *element;

	hlist_for_each_entry(element, bucket_of(table, key),
			     bucket) if (memcmp(element->data, key, table->key_size) == 0) return element;
	return NULL;
}

static int hash_update(struct table *table, const void *key, const void *value, u64 flags)
{
	struct element *element = hash_find(table, key);

	if (element && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!element) {
		if (flags == BPF_EXIST)
			return -ENOENT;
		if (table->count == table->entries)
			return -E2BIG;
		element = kzalloc(sizeof(*element) + table->key_size + table->value_size, GFP_KERNEL);
		if (!element)
			return -ENOMEM;
		memcpy(element->data, key, table->key_size);
		hlist_add_head(&element->bucket, bucket_of(table, key));
		list_add_tail(&element->order, &table->order);
		table->count++;
	}
	memcpy(element->data + table->key_size, value, table->value_size);
	return 0;
}

/* Where the value is; NULL: not there. */
static void *value_of(struct table *table, const void *key)
{
	struct element *element;

	if (table->type == BPF_MAP_TYPE_ARRAY) {
		u32 index = *(const u32 *)key;

		return index < table->entries ? table->values + (size_t)index * table->value_size : NULL;
	}
	element = hash_find(table, key);
	return element ? element->data + table->key_size : NULL;
}

long long int nfp_bpf_ctrl_alloc_map(struct nfp_app_bpf *bpf, struct bpf_map *map)
{
	struct table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	bool array = map->map_type == BPF_MAP_TYPE_ARRAY;
	int id = -ENOMEM;

	if (!table)
		return -ENOMEM;
	INIT_LIST_HEAD(&table->order);
	table->type = map->map_type;
	table->key_size = map->key_size;
	table->value_size = map->value_size;
	table->entries = map->max_entries;
	if (array)
		table->values = kvcalloc(map->max_entries, map->value_size, GFP_KERNEL);
	else
		table->buckets = kvcalloc(BUCKETS, sizeof(*table->buckets), GFP_KERNEL);
	if (array ? table->values != NULL : table->buckets != NULL) {
		mutex_lock(&lock);
		id = idr_alloc(&tables, table, 1, 0, GFP_KERNEL);
		mutex_unlock(&lock);
	}
	if (id < 0)
		table_free(table);
	return id;
}

void nfp_bpf_ctrl_free_map(struct nfp_app_bpf *bpf, struct nfp_bpf_map *map)
{
	struct table *table;

	mutex_lock(&lock);
	table = idr_remove(&tables, map->tid);
	mutex_unlock(&lock);
	if (table)
		table_free(table);
}

int nfp_bpf_ctrl_lookup_entry(struct bpf_offloaded_map *map, void *key, void *value)
{
	struct table *table;
	void *found;

	if (control_error)
		return -(int)control_error;
	mutex_lock(&lock);
	table = table_of(map);
	found = value_of(table, key);
	if (found)
		memcpy(value, found, table->value_size);
	mutex_unlock(&lock);
	return found ? 0 : -ENOENT;
}

int nfp_bpf_ctrl_update_entry(struct bpf_offloaded_map *map, void *key, void *value, u64 flags)
{
	struct table *table;
	int error = 0;
	void *found;

	if (control_error)
		return -(int)control_error;
	mutex_lock(&lock);
	table = table_of(map);
	if (table->type == BPF_MAP_TYPE_HASH) {
		error = hash_update(table, key, value, flags);
	} else {
		found = value_of(table, key);
		if (!found)
			error = -E2BIG;
		else if (flags == BPF_NOEXIST)
			error = -EEXIST;
		else
			memcpy(found, value, table->value_size);
	}
	mutex_unlock(&lock);
	return error;
}

int nfp_bpf_ctrl_del_entry(struct bpf_offloaded_map *map, void *key)
{
	struct element *element;
	struct table *table;

	mutex_lock(&lock);
	table = table_of(map);
	element = hash_find(table, key);
	if (element) {
		hlist_del(&element->bucket);
		list_del(&element->order);
		table->count--;
		kfree(element);
	}
	mutex_unlock(&lock);
	return element ? 0 : -ENOENT;
}

/* The key after `key` in a hash, or the first where that is none or not there. */
static int hash_next(struct table *table, const void *key, void *next_key)
{
	struct element *element = key ? hash_find(table, key) : NULL;
	struct list_head *next = element ? element->order.next : table->order.next;

	if (next == &table->order)
		return -ENOENT;
	memcpy(next_key, list_entry(next, struct element, order)->data, table->key_size);
	return 0;
}

static int array_next(struct table *table, const void *key, void *next_key)
{
	u32 index = key && *(const u32 *)key < table->entries ? *(const u32 *)key + 1 : 0;

	if (index >= table->entries)
		return -ENOENT;
	*(u32 *)next_key = index;
	return 0;
}

int nfp_bpf_ctrl_getnext_entry(struct bpf_offloaded_map *map, void *key, void *next_key)
{
	struct table *table;
	int error;

	mutex_lock(&lock);
	table = table_of(map);
	error = table->type == BPF_MAP_TYPE_HASH ? hash_next(table, key, next_key)
						 : array_next(table, key, next_key);
	mutex_unlock(&lock);
	return error;
}

int nfp_bpf_ctrl_getfirst_entry(struct bpf_offloaded_map *map, void *next_key)
{
	return nfp_bpf_ctrl_getnext_entry(map, NULL, next_key);
}

void standin_maps_free(void)
{
	WARN_ON(!idr_is_empty(&tables));
	idr_destroy(&tables);
}
