// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_structure.h"

#include "bench/inject.h"
#include "bench/netns.h"
#include "bench/rtnetlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// The kernel's own routes, in the router's namespace of the test bed. A next hop is the gateway with its
// number in the low 16 bits of the address, in prefixes where no table has routes: of class E, and for
// documentation. Gateways are next-hop objects, as FRR makes them: without, the kernel compares each new
// route with all gateways behind the interface, and a full table takes it a minute.

#define FIB_KERNEL_OBJECT6 0x10000 // objects of IPv6 have ids from here

struct fib_kernel {
	struct fib_structure base;
	struct inject *inject;
	bool has_object[FIB_NEXTHOP_MAX + 1];
};

// Address number index of the prefix that the gateways are in.
static void fib_kernel_address(__u8 family, __u32 index, __u8 address[16])
{
	static const __u8 base4[4] = { 240, 0 };
	static const __u8 base6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff };
	unsigned int last = table_width(family) / 8 - 1;

	memcpy(address, family == AF_INET6 ? base6 : base4, last + 1);
	address[last - 1] = index >> 8;
	address[last] = index;
}

// With the calling thread in the namespace.
static int fib_kernel_open_here(struct fib_kernel *kernel)
{
	const struct fib_bed *bed = kernel->base.bed;
	struct rtnetlink *rtnetlink;
	__u8 address[16];
	int err = inject_open(&kernel->inject);

	if (err >= 0)
		err = rtnetlink_open(&rtnetlink);
	if (err < 0)
		return err;
	fib_kernel_address(bed->family, 1, address);
	err = rtnetlink_address(rtnetlink, bed->topology->subject.r1.ifindex, bed->family, address,
				table_width(bed->family) - 24);
	rtnetlink_close(rtnetlink);
	return err;
}

static void fib_kernel_close(struct fib_structure *structure)
{
	inject_close(((struct fib_kernel *)structure)->inject);
	free(structure);
}

static int fib_kernel_open(const struct fib_bed *bed, struct fib_structure **ret_structure)
{
	struct fib_kernel *kernel = calloc(1, sizeof(*kernel));
	const struct lane_port *ingress = &bed->topology->subject.r0;
	int home, err;

	if (!kernel)
		return -ENOMEM;
	kernel->base.kind = &fib_kernel;
	kernel->base.bed = bed;
	err = netns_enter(ingress->netns, &home);
	if (err >= 0) {
		err = fib_kernel_open_here(kernel);
		netns_leave(home);
	}
	if (err < 0) {
		fib_kernel_close(&kernel->base);
		return err;
	}
	lookup_kernel(bed->lookup, ingress->netns, ingress->ifindex);
	*ret_structure = &kernel->base;
	return 0;
}

static struct inject_hop fib_kernel_hop(const struct fib_kernel *kernel, __u32 nexthop)
{
	struct inject_hop hop = { .object = nexthop,
				  .ifindex = kernel->base.bed->topology->subject.r1.ifindex };

	if (kernel->base.bed->family == AF_INET6)
		hop.object += FIB_KERNEL_OBJECT6;
	fib_kernel_address(kernel->base.bed->family, nexthop, hop.gateway);
	return hop;
}

static int fib_kernel_queue(struct fib_kernel *kernel, enum inject_verb verb, const struct table_route *route)
{
	struct inject_hop hop = fib_kernel_hop(kernel, route->nexthop & FIB_NEXTHOP_MAX);
	int err = 0;

	if (verb != INJECT_DELETE && !kernel->has_object[route->nexthop]) {
		err = inject_object(kernel->inject, INJECT_ADD, route->family, &hop);
		kernel->has_object[route->nexthop] = true;
	}
	return err < 0 ? err : inject_route(kernel->inject, verb, route, &hop);
}

// Sends what is queued; `missing` is the error that does not count.
static int fib_kernel_flush(struct fib_kernel *kernel, int missing)
{
	struct inject_refusals refusals;
	int err = inject_flush(kernel->inject, &refusals);

	if (err < 0)
		return err;
	return refusals.count && refusals.error != missing ? refusals.error : 0;
}

static int fib_kernel_load(struct fib_structure *structure, const struct table *table)
{
	struct fib_kernel *kernel = (struct fib_kernel *)structure;
	int err = 0;

	for (size_t i = 0; err >= 0 && i < table->count; i++)
		err = *structure->bed->stop ? -EINTR
					    : fib_kernel_queue(kernel, INJECT_ADD, &table->routes[i]);
	return err < 0 ? err : fib_kernel_flush(kernel, 0);
}

static int fib_kernel_announce(struct fib_structure *structure, const struct table_route *route)
{
	struct fib_kernel *kernel = (struct fib_kernel *)structure;
	int err = fib_kernel_queue(kernel, INJECT_REPLACE, route);

	return err < 0 ? err : fib_kernel_flush(kernel, 0);
}

static int fib_kernel_withdraw(struct fib_structure *structure, const struct table_route *route)
{
	struct fib_kernel *kernel = (struct fib_kernel *)structure;
	int err = fib_kernel_queue(kernel, INJECT_DELETE, route);

	return err < 0 ? err : fib_kernel_flush(kernel, -ESRCH);
}

// The kernel does not tell.
static void fib_kernel_memory(struct fib_structure *structure, struct fib_memory *ret_memory)
{
	memset(ret_memory, 0, sizeof(*ret_memory));
}

const struct fib_structure_kind fib_kernel = {
	.name = "kernel routes",
	.ebpf = true,
	.kernel = true,
	.open = fib_kernel_open,
	.load = fib_kernel_load,
	.announce = fib_kernel_announce,
	.withdraw = fib_kernel_withdraw,
	.memory = fib_kernel_memory,
	.close = fib_kernel_close,
};
