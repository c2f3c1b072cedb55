// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Tables with a VRF in the image: opened when an interface of ours begins to use them, closed when the last
 * one leaves.
 */
#pragma once

#include <stdbool.h>

#include "host/fib/table.h"

/* Puts the routes into the image. -ENOSPC: no VRF is free. -ENOMEM. No effect on an open table. */
int vrf_open(struct tables *tables, struct table *table);
/* Takes them out; there must be no host routes. -ENOMEM: the table stays open. */
int vrf_close(struct tables *tables, struct table *table);

/* While held, routes do not show in the image until the end: for loading many. */
void vrfs_hold(struct tables *tables, bool held);
/* Makes the numbers of closed VRFs free again. True: some are still closing. */
bool vrfs_settle(struct tables *tables);
