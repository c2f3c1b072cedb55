// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/replay.h"

#include "bench/machine.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/statistics.h"
#include "bench/stop.h"
#include "bench/workload/addresses.h"
#include "bench/workload/random.h"
#include "bench/workload/table_generate.h"
#include "host/engine/replay_memory.h"
#include "host/fib/fib.h"
#include "host/fib/image_store.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>

#define REPLAY_ROUNDS_MAX 100
#define REPLAY_PORTS      4
#define REPLAY_NEXTHOPS   500
#define REPLAY_FRAMES     65536 // 4 MB: not all in the second cache
#define REPLAY_FEW        16
#define REPLAY_LENGTH     60 // 64 with the FCS
#define REPLAY_CASES      6

// What is measured: a family, its table, and how many destinations there are.
static const struct replay_case {
	const char *name;
	bool ipv6, full;
	unsigned int destinations;
} replay_cases[REPLAY_CASES] = {
	{ "IPv4 full random", false, true, REPLAY_FRAMES }, { "IPv4 full few", false, true, REPLAY_FEW },
	{ "IPv4 1 route", false, false, REPLAY_FRAMES },    { "IPv6 full random", true, true, REPLAY_FRAMES },
	{ "IPv6 full few", true, true, REPLAY_FEW },        { "IPv6 1 route", true, false, REPLAY_FRAMES },
};

// A router in memory: everything comes in by port 0 and leaves by the others.
struct replay_router {
	struct image_store *store;
	struct fib *fib;
	const struct table *routes;
	struct replay_memory *memory[REPLAY_CASES];
};

struct replay_bench {
	unsigned int rounds;
	double seconds;
	bool json;
	struct table *table, *one;
	struct replay_router router[2]; // full tables, one route of each family
	double ns[REPLAY_CASES][REPLAY_ROUNDS_MAX];
};

/* --- the routers --- */

static int replay_interfaces(struct fib *fib)
{
	int err = 0;

	for (__u8 i = 0; err >= 0 && i < REPLAY_PORTS; i++) {
		struct fib_interface interface = { .ifindex = i + 1u,
						   .mac = { 2, 0, 0, 0, 0, i },
						   .up = true,
						   .ethernet = true,
						   .plain_tag = true,
						   .forward4 = true,
						   .forward6 = true,
						   .table = RT_TABLE_MAIN,
						   .mtu4 = 1500,
						   .mtu6 = 1500 };
		__u16 port;

		err = fib_interface_set(fib, &interface);
		if (err >= 0)
			err = fib_port_add(fib, interface.ifindex, &port);
		if (err >= 0)
			fib_port_egress(fib, port, true, true);
	}
	return err;
}

// The leaf of a next hop, which is a gateway behind one of the egress ports.
static int replay_leaf(struct fib *fib, __u8 family, __u32 nexthop, __u32 *ret_leaf)
{
	__u8 mac[6] = { 2, 1, 0, 0, nexthop >> 8, nexthop };
	struct fib_path path = { .ifindex = 2 + nexthop % (REPLAY_PORTS - 1), .family = family, .weight = 1 };
	struct fib_leaf_spec leaf = { .family = family, .path_count = 1, .path = &path };
	int err;

	memcpy(path.gateway, family == AF_INET ? "\x0a\1" : "\xfd\1", 2);
	path.gateway[2] = nexthop >> 8;
	path.gateway[3] = nexthop;
	err = fib_neighbour_set(fib, path.ifindex, family, path.gateway, mac);
	return err < 0 ? err : fib_leaf_get(fib, &leaf, ret_leaf);
}

static int replay_routes(struct fib *fib, const struct table *table)
{
	__u32 leaf[2][REPLAY_NEXTHOPS + 1] = { 0 };
	int err = 0;

	for (size_t i = 0; err >= 0 && i < table->count; i++) {
		const struct table_route *route = &table->routes[i];
		struct fib_prefix prefix = { .family = route->family, .length = route->len };
		__u32 *at = &leaf[route->family == AF_INET6][route->nexthop];

		memcpy(prefix.address, route->addr, 16);
		if (!*at)
			err = replay_leaf(fib, route->family, route->nexthop, at);
		if (err >= 0)
			err = fib_route_set(fib, RT_TABLE_MAIN, &prefix, *at, false);
	}
	return err;
}

static int replay_router_open(struct replay_router *router, const struct table *table)
{
	int err = image_store_memory(NULL, &router->store);

	router->routes = table;
	if (err >= 0)
		err = fib_new(NULL, router->store, &router->fib);
	if (err >= 0)
		err = replay_interfaces(router->fib);
	if (err >= 0)
		err = replay_routes(router->fib, table);
	if (err < 0)
		return err;
	fib_hold(router->fib, false);
	while (fib_settle(router->fib))
		;
	return 0;
}

static void replay_router_close(struct replay_router *router)
{
	for (unsigned int i = 0; i < REPLAY_CASES; i++)
		replay_memory_free(router->memory[i]);
	fib_free(router->fib);
	image_store_free(router->store);
}

/* --- the packets --- */

static __u16 replay_checksum(const __u8 *header)
{
	__u32 sum = 0;

	for (unsigned int i = 0; i < 20; i += 2)
		sum += header[i] << 8 | header[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void replay_frame(bool ipv6, const __u8 *destination, __u8 frame[REPLAY_LENGTH])
{
	static const __u8 front4[] = { 2, 0, 0,  0, 0, 0, 2, 9,  9,  9, 9, 9,   0x08, 0,   0x45,
				       0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 198, 51,   100, 9 };
	static const __u8 front6[] = { 2,    0,    0, 0, 0, 0, 2, 9,  9,  9,    9,    9,    0x86,
				       0xdd, 0x60, 0, 0, 0, 0, 6, 17, 64, 0x20, 0x01, 0x0d, 0xb8,
				       0,    0,    0, 0, 0, 0, 0, 0,  0,  0,    0,    9 };
	__u16 checksum;

	memset(frame, 0, REPLAY_LENGTH);
	if (ipv6) {
		memcpy(frame, front6, sizeof(front6));
		memcpy(frame + 38, destination, 16);
		return;
	}
	memcpy(frame, front4, sizeof(front4));
	memcpy(frame + 30, destination, 4);
	checksum = replay_checksum(frame + 14);
	frame[24] = checksum >> 8;
	frame[25] = checksum;
}

static int replay_packets(const struct table *routes, bool ipv6, unsigned int frames,
			  unsigned int destinations, struct replay_memory **ret_memory)
{
	struct addresses_options options = { ADDRESSES_PREFIXES, ipv6 ? AF_INET6 : AF_INET, 1, 1 };
	unsigned int size = ipv6 ? 16 : 4;
	__u8 *destination = malloc((size_t)destinations * size), frame[REPLAY_LENGTH];
	struct addresses *addresses = NULL;
	struct random random;
	int err = destination ? 0 : -ENOMEM;

	random_seed(&random, 1);
	if (err >= 0)
		err = addresses_new(routes, &options, &addresses);
	if (err >= 0)
		err = replay_memory_new(ret_memory);
	if (err >= 0)
		addresses_fill(addresses, destination, destinations);
	for (unsigned int i = 0; err >= 0 && i < frames; i++) {
		unsigned int at = destinations < frames ? random_below(&random, destinations) : i;

		replay_frame(ipv6, destination + (size_t)at * size, frame);
		err = replay_memory_add(*ret_memory, 0, frame, REPLAY_LENGTH, REPLAY_LENGTH);
	}
	addresses_free(addresses);
	free(destination);
	return err;
}

/* --- measuring --- */

static int replay_measure(struct replay_memory *memory, const struct image_store *store, double seconds,
			  const volatile sig_atomic_t *stop, double *ret_ns)
{
	struct replay_speed *speed = calloc(1, sizeof(*speed));
	double ns = 0, packets = 0;
	int err = speed ? 0 : -ENOMEM;

	while (err >= 0 && !*stop && ns < seconds * 1e9) {
		err = replay_memory_run(memory, store, 4, stop, speed);
		ns += (double)speed->cpu_ns;
		packets += (double)speed->packets;
		/* a router that keeps packets back would look fast */
		if (err >= 0 &&
		    speed->counters[0].reason[REASON_FORWARDED].packets < speed->packets * 99 / 100)
			err = -EPROTO;
	}
	free(speed);
	if (err >= 0 && packets > 0)
		*ret_ns = ns / packets;
	return err < 0 ? err : *stop ? -EINTR : 0;
}

static int replay_rounds(struct replay_bench *bench)
{
	double warm;
	int err = 0;

	for (unsigned int round = 0; err >= 0 && round < bench->rounds; round++)
		for (unsigned int i = 0; err >= 0 && i < REPLAY_CASES; i++) {
			unsigned int number = (i + round) % REPLAY_CASES;
			struct replay_router *router = &bench->router[!replay_cases[number].full];

			err = replay_measure(router->memory[number], router->store, 0.001, &stop_asked,
					     &warm);
			if (err >= 0)
				err = replay_measure(router->memory[number], router->store, bench->seconds,
						     &stop_asked, &bench->ns[number][round]);
		}
	return err;
}

// A short route of each family, and nothing else.
static int replay_one_route(struct table **ret_table)
{
	struct table_route route = { .family = AF_INET, .addr = { 0x80 }, .len = 2, .nexthop = 1 };
	int err;

	*ret_table = table_new();
	err = *ret_table ? table_append(*ret_table, &route) : -ENOMEM;
	route = (struct table_route){ .family = AF_INET6, .addr = { 0x20 }, .len = 3, .nexthop = 1 };
	return err < 0 ? err : table_append(*ret_table, &route);
}

static int replay_all(struct replay_bench *bench)
{
	int err = table_generate(&TABLE_GENERATE_FULL, &bench->table);

	fprintf(stderr, "loading full tables\n");
	if (err >= 0)
		err = replay_one_route(&bench->one);
	if (err >= 0)
		err = replay_router_open(&bench->router[0], bench->table);
	if (err >= 0)
		err = replay_router_open(&bench->router[1], bench->one);
	for (unsigned int i = 0; err >= 0 && i < REPLAY_CASES; i++) {
		struct replay_router *router = &bench->router[!replay_cases[i].full];

		err = replay_packets(router->routes, replay_cases[i].ipv6, REPLAY_FRAMES,
				     replay_cases[i].destinations, &router->memory[i]);
	}
	if (err >= 0)
		err = replay_rounds(bench);
	if (err < 0)
		warnx("bench replay: %s", err == -EINTR    ? "interrupted"
					  : err == -EPROTO ? "packets were not forwarded"
							   : strerror(-err));
	return err;
}

/* --- the report --- */

static void replay_rates(const struct replay_bench *bench, unsigned int number, double *ret_mpps)
{
	for (unsigned int round = 0; round < bench->rounds; round++)
		ret_mpps[round] = 1e3 / bench->ns[number][round];
}

static int replay_json(const struct replay_bench *bench)
{
	json_t *record = record_new("replay");
	double mpps[REPLAY_ROUNDS_MAX];
	char name[RECORD_NAME];

	for (unsigned int i = 0; i < REPLAY_CASES; i++) {
		struct record_figure figure = { name, "Mpps", RECORD_MORE, false, mpps, bench->rounds };

		replay_rates(bench, i, mpps);
		snprintf(name, sizeof(name), "replay %s", replay_cases[i].name);
		record_add(record, &figure);
	}
	return record_print(stdout, record);
}

static void replay_table(const struct replay_bench *bench)
{
	double mpps[REPLAY_ROUNDS_MAX];
	struct machine machine;

	printf("%-18s %8s %8s   %s\n", "tables", "Mpps", "ns", "95 %, Mpps");
	for (unsigned int i = 0; i < REPLAY_CASES; i++) {
		struct statistics rate, ns = statistics_of(bench->ns[i], bench->rounds);

		replay_rates(bench, i, mpps);
		rate = statistics_of(mpps, bench->rounds);
		printf("%-18s %8.2f %8.1f   %.2f..%.2f\n", replay_cases[i].name, rate.median, ns.median,
		       rate.low, rate.high);
	}
	machine_read(&machine);
	printf("\nFrames of 64 bytes with FCS, %u of them, from memory through the burst loop on one CPU;\n"
	       "random: as many destinations, over all prefixes; few: %u. %s, %u CPUs, %s.\n",
	       REPLAY_FRAMES, REPLAY_FEW, machine.cpu, machine.cpus, machine.kernel);
}

static int replay_report(const struct replay_bench *bench)
{
	int err = 0;

	if (bench->json)
		err = replay_json(bench);
	else
		replay_table(bench);
	return record_end("replay", err);
}

static int replay_parse(struct replay_bench *bench, int argc, char **argv)
{
	const struct option_line lines[] = {
		{ "rounds", "N", "how often each is measured", "7", .number = &bench->rounds, .least = 1,
		  .most = REPLAY_ROUNDS_MAX },
		{ "seconds", "S", "how long each time", "0.1", .seconds = &bench->seconds, .least = 0.001,
		  .most = 10 },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "replay",
		.about = "Packets a second that the program forwards in user space, from memory, without a "
			 "device.\n",
		.json = &bench->json,
		.lines = lines,
	};

	return option_parse(&set, argc, argv);
}

int bench_replay(int argc, char **argv)
{
	struct replay_bench *bench = calloc(1, sizeof(*bench));
	int err;

	if (!bench)
		return EXIT_FAILURE;
	err = replay_parse(bench, argc, argv);
	if (err != 0) {
		free(bench);
		return err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	}
	stop_catch();
	err = replay_all(bench);
	if (err >= 0)
		err = replay_report(bench);
	replay_router_close(&bench->router[0]);
	replay_router_close(&bench->router[1]);
	table_free(bench->table);
	table_free(bench->one);
	free(bench);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

struct replay_subject {
	struct replay_router router; // its memory[0] has the packets
};

int replay_subject_open(const struct table *routes, bool ipv6, unsigned int packets,
			unsigned int destinations, struct replay_subject **ret_subject)
{
	struct replay_subject *subject = calloc(1, sizeof(*subject));
	int err = subject ? replay_router_open(&subject->router, routes) : -ENOMEM;

	if (err >= 0)
		err = replay_packets(routes, ipv6, packets, destinations, &subject->router.memory[0]);
	if (err < 0)
		replay_subject_close(subject);
	else
		*ret_subject = subject;
	return err;
}

int replay_subject_run(struct replay_subject *subject, double seconds, const volatile sig_atomic_t *stop,
		       double *ret_ns)
{
	double warm;
	int err = replay_measure(subject->router.memory[0], subject->router.store, 0.001, stop, &warm);

	return err < 0 ? err
		       : replay_measure(subject->router.memory[0], subject->router.store, seconds, stop,
					ret_ns);
}

void replay_subject_close(struct replay_subject *subject)
{
	if (!subject)
		return;
	replay_router_close(&subject->router);
	free(subject);
}
