// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/vlan_table.h"

#include <string.h>

int vlan_tables_init(struct vlan_tables *tables, struct image_tables *image, const struct grace *grace)
{
	*tables = (struct vlan_tables){ .image = image->vlan };
	return pool_init(&tables->pool, grace, 1, IMAGE_VLAN_TABLES - 1);
}

void vlan_tables_exit(struct vlan_tables *tables)
{
	pool_exit(&tables->pool);
}

int vlan_table_take(struct vlan_tables *tables, __u16 device, __u16 *ret_table)
{
	__u32 number;
	int error = pool_take(&tables->pool, &number);

	if (error)
		return error;
	memset(&tables->image[number * VLAN_IDS], 0, VLAN_IDS * sizeof(tables->image[0]));
	tables->image[number * VLAN_IDS] = device;
	tables->links[number] = 0;
	*ret_table = number;
	return 0;
}

void vlan_table_give(struct vlan_tables *tables, __u16 table)
{
	pool_give(&tables->pool, table);
}

void vlan_table_link(struct vlan_tables *tables, __u16 table, __u16 vid, __u16 slot)
{
	tables->links[table]++;
	__atomic_store_n(&tables->image[table * VLAN_IDS + vid], slot, __ATOMIC_RELEASE);
}

__u16 vlan_table_unlink(struct vlan_tables *tables, __u16 table, __u16 vid, __u16 slot, __u16 device)
{
	__u16 *at = &tables->image[table * VLAN_IDS + vid];

	/* another sub-interface may have come to the id before this one went */
	if (*at == slot)
		__atomic_store_n(at, vid ? 0 : device, __ATOMIC_RELEASE);
	return --tables->links[table];
}
