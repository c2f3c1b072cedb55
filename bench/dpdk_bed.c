// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/dpdk_bed.h"

#include "bench/destination.h"
#include "bench/frame.h"
#include "bench/inject.h"
#include "bench/l3fwd.h"
#include "bench/lane.h"
#include "bench/netns.h"
#include "bench/rtnetlink.h"
#include "bench/tap.h"
#include "bench/workload/table_generate.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DPDK_BED_SEED   1
#define DPDK_BED_CHECK4 24 // offset of the IPv4 checksum in a frame
#define DPDK_BED_CHECK6 60 // of that of UDP over IPv6

// Of dp0, to which all frames are addressed.
static const __u8 dpdk_bed_ingress_mac[6] = { 2, 0, 0, 0, 0, 1 };
// Documentation prefixes, as in bench/lane.c: no table has routes for them.
static const char dpdk_bed_ingress[] = "198.51.100.1", dpdk_bed_egress[] = "192.0.2.1";

static const char *const dpdk_bed_traffics[DPDK_BED_TRAFFICS] = { "uniform", "few" };

const char *dpdk_bed_traffic_name(enum dpdk_bed_traffic traffic)
{
	return dpdk_bed_traffics[traffic];
}

// --- the namespace ---

// Port 0 or 1 of the router.
static int dpdk_bed_addresses(struct rtnetlink *rtnetlink, int ifindex, unsigned int port)
{
	struct in_addr address;
	__u8 address6[16];
	int err;

	inet_pton(AF_INET, port ? dpdk_bed_egress : dpdk_bed_ingress, &address);
	lane_router_address(port, AF_INET6, address6);
	err = rtnetlink_address(rtnetlink, ifindex, AF_INET, &address, 24);
	return err < 0 ? err : rtnetlink_address(rtnetlink, ifindex, AF_INET6, address6, 64);
}

static int dpdk_bed_tap(struct rtnetlink *rtnetlink, const char *name, unsigned int port, int *ret_ifindex)
{
	int err = tap_make(name);

	if (err < 0)
		return err;
	*ret_ifindex = (int)if_nametoindex(name);
	err = rtnetlink_up(rtnetlink, *ret_ifindex);
	return err < 0 ? err : dpdk_bed_addresses(rtnetlink, *ret_ifindex, port);
}

static int dpdk_bed_gateways(const struct dpdk_bed *bed, struct rtnetlink *rtnetlink)
{
	__u8 address[16], mac[6];
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < LANE_GATEWAYS; i++) {
		lane_gateway_address(i, bed->family, address);
		lane_gateway_mac(i, mac);
		err = rtnetlink_neighbour(rtnetlink, bed->egress, bed->family, address, mac);
	}
	return err;
}

static int dpdk_bed_routes(const struct dpdk_bed *bed)
{
	struct inject_refusals refusals = { 0 };
	struct inject *inject;
	int err = inject_open(&inject);

	if (err < 0)
		return err;
	for (size_t i = 0; err >= 0 && i < bed->routes->count; i++) {
		const struct table_route *route = &bed->routes->routes[i];
		struct inject_hop hop = { .ifindex = bed->egress };

		lane_gateway_address(lane_gateway(route->nexthop), bed->family, hop.gateway);
		err = inject_route(inject, INJECT_ADD, route, &hop);
	}
	if (err >= 0)
		err = inject_flush(inject, &refusals);
	inject_close(inject);
	return err >= 0 && refusals.count ? refusals.error : err;
}

static int dpdk_bed_forward(__u8 family)
{
	int fd = open(family == AF_INET ? "/proc/sys/net/ipv4/ip_forward"
					: "/proc/sys/net/ipv6/conf/all/forwarding",
		      O_WRONLY | O_CLOEXEC),
	    err = 0;

	if (fd < 0 || write(fd, "1", 1) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int dpdk_bed_furnish(struct dpdk_bed *bed)
{
	struct rtnetlink *rtnetlink;
	int home, err = netns_enter(bed->netns, &home);

	if (err < 0)
		return err;
	err = rtnetlink_open(&rtnetlink);
	if (err >= 0) {
		err = dpdk_bed_forward(bed->family);
		if (err >= 0)
			err = dpdk_bed_tap(rtnetlink, "dp0", 0, &bed->ingress);
		if (err >= 0)
			err = tap_set_mac("dp0", dpdk_bed_ingress_mac);
		if (err >= 0)
			err = dpdk_bed_tap(rtnetlink, "dp1", 1, &bed->egress);
		if (err >= 0)
			err = dpdk_bed_gateways(bed, rtnetlink);
		if (err >= 0)
			err = dpdk_bed_routes(bed);
		rtnetlink_close(rtnetlink);
	}
	netns_leave(home);
	return err;
}

// What there will be: the namespace, and what routers leave that are killed.
static void dpdk_bed_name(struct guard *guard)
{
	snprintf(guard->names[0], GUARD_NAME_SIZE, "penstock-bench-%d-D", getpid());
	snprintf(guard->leavings[0], GUARD_PATH_SIZE, "/run/dpdk/bench-%d-*", getpid());
	snprintf(guard->leavings[1], GUARD_PATH_SIZE, "/run/dpdk/penstock-bench-%d-*", getpid());
	snprintf(guard->leavings[2], GUARD_PATH_SIZE, "/run/penstock/bench-%d-*", getpid());
	snprintf(guard->leavings[3], GUARD_PATH_SIZE, "/sys/fs/bpf/penstock/*/bench-%d-*", getpid());
}

static int dpdk_bed_start(struct dpdk_bed *bed, size_t routes)
{
	struct table_generate_options options = TABLE_GENERATE_FULL;
	int err;

	options.ipv4 = bed->family == AF_INET ? routes : 0;
	options.ipv6 = bed->family == AF_INET ? 0 : routes;
	dpdk_bed_name(&bed->guard);
	err = guard_start(&bed->guard);
	if (err < 0)
		return err;
	err = guard_directory(&bed->guard);
	if (err < 0)
		return err;
	memcpy(bed->directory, bed->guard.directory, sizeof(bed->guard.directory));
	err = netns_create(bed->guard.names[0], &bed->netns);
	if (err >= 0)
		err = table_generate(&options, &bed->routes);
	if (err >= 0)
		err = table_sort(bed->routes);
	return err < 0 ? err : dpdk_bed_furnish(bed);
}

int dpdk_bed_open(struct dpdk_bed *bed, __u8 family, size_t routes)
{
	int err;

	memset(bed, 0, sizeof(*bed));
	bed->netns = -1;
	bed->family = family;
	err = dpdk_bed_start(bed, routes);
	if (err < 0) {
		warnx("bench dpdk: cannot set up the namespace or its files: %s", strerror(-err));
		dpdk_bed_close(bed);
	}
	return err;
}

void dpdk_bed_close(struct dpdk_bed *bed)
{
	guard_end(&bed->guard);
	if (bed->netns >= 0)
		close(bed->netns);
	table_free(bed->routes);
}

// --- files ---

static void dpdk_bed_put_frame(FILE *out, __u8 family, union traffic_frame *frame,
			       const struct destination *destination, unsigned int index)
{
	const __u32 size = family == AF_INET ? TRAFFIC_FRAME4 : TRAFFIC_FRAME6;
	const unsigned int at = family == AF_INET ? DPDK_BED_CHECK4 : DPDK_BED_CHECK6;
	const __u32 header[4] = { 0, 0, size, size };
	__u8 check[2];

	memset(frame->bytes + at, 0, 2);
	frame_aim(frame, family, destination->address, (__u16)index, check);
	memcpy(frame->bytes + at, check, 2);
	fwrite(header, sizeof(header), 1, out);
	fwrite(frame->bytes, size, 1, out);
}

static int dpdk_bed_put_capture(const struct dpdk_bed *bed, const char *name,
				const struct destination *destinations, unsigned int count,
				unsigned int packets)
{
	const __u32 header[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	struct lane lane = { .s.mac = { 2, 0, 0, 0, 0, 2 } };
	char path[2 * DPDK_BED_PATH];
	union traffic_frame frame;
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s.pcap", bed->directory, name);
	out = fopen(path, "we");
	if (!out)
		return -errno;
	memcpy(lane.r0.mac, dpdk_bed_ingress_mac, sizeof(lane.r0.mac));
	frame_make(&lane, bed->family, &frame);
	fwrite(header, sizeof(header), 1, out);
	for (unsigned int i = 0; i < packets; i++)
		dpdk_bed_put_frame(out, bed->family, &frame, &destinations[i % count], i);
	return fclose(out) == EOF ? -errno : 0;
}

static int dpdk_bed_put_captures(const struct dpdk_bed *bed, unsigned int packets, unsigned int few)
{
	struct destination *drawn = calloc(packets, sizeof(*drawn));
	struct random random;
	int err;

	if (!drawn)
		return -ENOMEM;
	random_seed(&random, DPDK_BED_SEED);
	err = destination_draw(bed->routes, &random, drawn, packets);
	if (err >= 0)
		err = dpdk_bed_put_capture(bed, dpdk_bed_traffics[DPDK_BED_UNIFORM], drawn, packets, packets);
	if (err >= 0)
		err = dpdk_bed_put_capture(bed, dpdk_bed_traffics[DPDK_BED_FEW], drawn, few, packets);
	free(drawn);
	return err;
}

int dpdk_bed_files(const struct dpdk_bed *bed, unsigned int packets, unsigned int few)
{
	int err = dpdk_bed_put_captures(bed, packets, few);

	if (err >= 0)
		err = l3fwd_put_rules(bed->directory, AF_INET, bed->family == AF_INET ? bed->routes : NULL);
	if (err >= 0)
		err = l3fwd_put_rules(bed->directory, AF_INET6, bed->family == AF_INET6 ? bed->routes : NULL);
	if (err < 0)
		warnx("bench dpdk: cannot write to %s: %s", bed->directory, strerror(-err));
	return err;
}
