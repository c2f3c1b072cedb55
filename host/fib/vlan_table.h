// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The tables in image_tables.vlan, one for each device and tag protocol that has sub-interfaces: VLAN id to
 * interface slot. Table 0 means "none" to readers and is never handed out.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/pool.h"
#include "xdp/image.h"

#define VLAN_IDS 4096

struct vlan_tables {
	struct pool pool;
	__u16 *image;
	__u16 links[IMAGE_VLAN_TABLES]; /* sub-interfaces in it */
};

int vlan_tables_init(struct vlan_tables *tables, struct image_tables *image, const struct grace *grace);
void vlan_tables_exit(struct vlan_tables *tables);

/* An empty table, but for id 0, which leads to the device itself: a priority tag. -ENOSPC. */
int vlan_table_take(struct vlan_tables *tables, __u16 device, __u16 *ret_table);
/* No interface slot may lead to it any more. */
void vlan_table_give(struct vlan_tables *tables, __u16 table);

/* Tags with this id lead to the slot of a sub-interface. */
void vlan_table_link(struct vlan_tables *tables, __u16 table, __u16 vid, __u16 slot);
/* No longer; id 0 leads to the device again. Returns how many sub-interfaces are left. */
__u16 vlan_table_unlink(struct vlan_tables *tables, __u16 table, __u16 vid, __u16 slot, __u16 device);
