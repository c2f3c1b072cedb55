// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stddef.h>
#include <linux/types.h>

#include "bench/workload/table.h"

// Routes into the kernel as fast as it takes them: hundreds of netlink messages per system call and no
// acknowledgements. The kernel works on a batch before the system call returns and answers only what it
// refuses, so every error is seen, though not which of the next batches could still be built on it.

struct inject;

enum inject_verb {
	INJECT_ADD,     // refused with EEXIST where the prefix is there already
	INJECT_REPLACE, // adds where it is not there
	INJECT_DELETE,
};

// Where routes point: to a gateway behind a port, or to a next-hop object of the kernel.
struct inject_hop {
	__u32 object; // id of the next-hop object; 0: none, then the gateway counts
	int ifindex;
	__u8 gateway[16]; // of the family of the route
};

// What the kernel refused since the last inject_flush().
struct inject_refusals {
	__u64 count;
	int error; // of the first one, negative errno; its message was the one number sequence, counted from
		   // 1
	__u64 sequence;
};

// Opens a batch in the calling thread's namespace.
int inject_open(struct inject **ret_inject);

// Closes without sending what is still queued; NULL is fine.
void inject_close(struct inject *inject);

// Queues one change of the main table and sends when the batch is full. hop may be NULL for INJECT_DELETE.
int inject_route(struct inject *inject, enum inject_verb verb, const struct table_route *route,
		 const struct inject_hop *hop);

// Queues the creation of the next-hop object hop->object that goes to hop->gateway, or its deletion.
int inject_object(struct inject *inject, enum inject_verb verb, __u8 family, const struct inject_hop *hop);

// Sends what is queued. Refusals are no error; they are told in ret_refusals and forgotten.
int inject_flush(struct inject *inject, struct inject_refusals *ret_refusals);

// The largest message that inject_message() writes.
#define INJECT_MESSAGE_MAX 96

// Writes the message for one route into buffer (INJECT_MESSAGE_MAX bytes) and returns its size.
size_t inject_message(void *buffer, enum inject_verb verb, const struct table_route *route,
		      const struct inject_hop *hop, __u32 sequence);
