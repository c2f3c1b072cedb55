// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>

#include "bench/workload/gateways.h"
#include "bench/workload/table.h"

// The routes that structures are loaded with, generated or from files. Next hops are raised, so that 1
// becomes FIB_NEXTHOP_MIN.

struct fib_tables {
	struct table *all;          // as read, while it is
	struct gateways *gateways;  // of the files and a trace of updates to them
	struct table *of_family[2]; // IPv4, IPv6; sorted, without default route; NULL until finished
	bool generated;
};

// Starts without routes. -ENOMEM.
int fib_tables_open(struct fib_tables *tables);

// Adds the routes of a file. Tells errors on stderr.
int fib_tables_read(struct fib_tables *tables, const char *path);

// Adds generated tables: of as many IPv4 routes, and IPv6 routes in the proportion of the full tables; 0: the
// full tables. Tells errors on stderr.
int fib_tables_generate(struct fib_tables *tables, size_t routes);

// Sorts and sifts what was added. Tells on stderr what is left out, and errors.
int fib_tables_finish(struct fib_tables *tables);

// Frees all.
void fib_tables_close(struct fib_tables *tables);

// Returns the table of a family.
const struct table *fib_tables_of(const struct fib_tables *tables, __u8 family);
