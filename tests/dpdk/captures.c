// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The DPDK engine from captures to captures, in a drawn world with all kinds of packets: what leaves each
// port, byte for byte, and all counters are those of the program run on one packet at a time.

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <ftw.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/config.h"
#include "host/dpdk/dpdk.h"
#include "host/engine/user_program.h"
#include "tests/conformance/world_fib.h"
#include "tests/oracle/packets.h"

#define SEED        7
#define PORTS       4
#define PACKETS     100000
#define PATIENCE_MS 120000
#define SHORTEST    14 // the program's own
#define LONGEST     1514
#define HEADROOM    16

struct frame {
	__u32 length;
	__u8 bytes[HEADROOM + DRAFT_FRAME];
};

// What leaves a port, in no order: the ports' queues are served in turns.
struct heap {
	struct frame **frame;
	size_t count, room;
};

static char directory[] = "/tmp/penstock-dpdk-XXXXXX";
static struct image_counters expected[IMAGE_PORTS];
static struct heap sent[PORTS], found[PORTS];
static FILE *in[PORTS];
static __u64 total, punted;

extern const struct dpdk_plugin penstock_dpdk;

static void quiet(const char *format, ...)
{
}

static const struct dpdk_log words = { quiet, quiet, quiet };

static void add(struct heap *heap, const __u8 *bytes, __u32 length)
{
	if (heap->count == heap->room) {
		heap->room = heap->room ? 2 * heap->room : 1024;
		heap->frame = realloc(heap->frame, heap->room * sizeof(*heap->frame));
	}
	heap->frame[heap->count] = malloc(sizeof(struct frame));
	heap->frame[heap->count]->length = length;
	memcpy(heap->frame[heap->count++]->bytes, bytes, length);
}

static int compare(const void *a, const void *b)
{
	const struct frame *one = *(struct frame *const *)a, *other = *(struct frame *const *)b;

	if (one->length != other->length)
		return one->length < other->length ? -1 : 1;
	return memcmp(one->bytes, other->bytes, one->length);
}

static void path_of(char *ret, size_t size, const char *name, unsigned int port)
{
	snprintf(ret, size, "%s/%s%u.pcap", directory, name, port);
}

static void put(FILE *out, const __u8 *bytes, __u32 length)
{
	const __u32 header[4] = { 0, 0, length, length };

	fwrite(header, sizeof(header), 1, out);
	fwrite(bytes, length, 1, out);
}

// Into the capture of its port; and what the program makes of it alone.
static void expect(const struct world_fib *tables, __u16 port, const struct packet_drawn *packet)
{
	struct frame copy = { .length = packet->length };
	struct user_frame frame = { copy.bytes + HEADROOM, packet->length, HEADROOM };
	struct image_counter *counter;
	struct verdict verdict;

	put(in[port], packet->frame, packet->length);
	memcpy(frame.data, packet->frame, packet->length);
	verdict = user_program_run(tables->store, port, &frame);
	counter = &expected[port].reason[verdict.reason];
	counter->packets++;
	counter->bytes += frame.length;
	total++;
	punted += verdict.action == ACTION_PUNT;
	if (verdict.action == ACTION_FORWARD)
		add(&sent[verdict.port], frame.data, frame.length);
}

static void draw(const struct world_fib *tables, const struct world *world)
{
	const __u32 header[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	struct packets *packets = packets_new(world, SEED);
	struct packet_drawn packet;
	char path[64];

	for (unsigned int port = 0; port < PORTS; port++) {
		path_of(path, sizeof(path), "in", port);
		in[port] = fopen(path, "w");
		cr_assert_not_null(in[port]);
		fwrite(header, sizeof(header), 1, in[port]);
	}
	while (total < PACKETS) {
		__u16 port;

		packets_next(packets, &packet);
		port = tables->port[packet.port->ifindex - WORLD_FIRST_IFINDEX];
		if (port < PORTS && packet.length >= SHORTEST && packet.length <= LONGEST)
			expect(tables, port, &packet);
	}
	for (unsigned int port = 0; port < PORTS; port++)
		fclose(in[port]);
	packets_free(packets);
}

static struct config *configure(void)
{
	struct config *config;
	struct why why;
	char port[200];

	cr_assert_eq(config_default(&config), 0);
	for (unsigned int i = 0; i < PORTS; i++) {
		snprintf(port, sizeof(port), "w%u=dpdk:net_pcap%u,rx_pcap=%s/in%u.pcap,tx_pcap=%s/out%u.pcap",
			 i, i, directory, i, directory, i);
		cr_assert_eq(config_add_port(config, port, &why), 0, "%s", why.text);
	}
	return config;
}

static __u64 counted(const struct dpdk *dpdk)
{
	struct image_counters counters;
	__u64 sum = 0;

	for (__u16 port = 0; port < PORTS; port++) {
		dpdk_counters(dpdk, port, &counters);
		for (unsigned int reason = 0; reason < REASON_MAX; reason++)
			sum += counters.reason[reason].packets;
	}
	return sum;
}

static void run(struct dpdk *dpdk)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct image_counters counters;
	struct device_tally tally;
	__u64 to_kernel = 0;

	for (unsigned int ms = 0; ms < PATIENCE_MS && counted(dpdk) < total; ms += 10)
		nanosleep(&pause, NULL);
	cr_assert_eq(counted(dpdk), total);
	for (__u16 port = 0; port < PORTS; port++) {
		dpdk_counters(dpdk, port, &counters);
		for (unsigned int reason = 0; reason < REASON_MAX; reason++) {
			cr_expect_eq(counters.reason[reason].packets, expected[port].reason[reason].packets,
				     "port %u, reason %u", port, reason);
			cr_expect_eq(counters.reason[reason].bytes, expected[port].reason[reason].bytes,
				     "port %u, reason %u", port, reason);
		}
	}
	nanosleep(&pause, NULL); // the last burst is handed on
	for (unsigned int i = 0; i < PORTS; i++) {
		device_tally(dpdk->device[i], &tally);
		to_kernel += tally.to_kernel + tally.to_kernel_lost;
		cr_expect_eq(tally.unsent, 0);
	}
	cr_expect_eq(to_kernel, punted);
}

static void read_sent(unsigned int port)
{
	__u32 header[4];
	__u8 bytes[DRAFT_FRAME + HEADROOM];
	char path[64];
	FILE *out;

	path_of(path, sizeof(path), "out", port);
	out = fopen(path, "r");
	cr_assert_not_null(out);
	cr_assert_eq(fseek(out, 24, SEEK_SET), 0);
	while (fread(header, sizeof(header), 1, out) == 1) {
		cr_assert_leq(header[2], sizeof(bytes));
		cr_assert_eq(fread(bytes, header[2], 1, out), 1);
		add(&found[port], bytes, header[2]);
	}
	fclose(out);
}

// The kernel sends something of its own out of new interfaces (router solicitations): these are not ours.
static bool is_own(const struct frame *frame, const __u8 *mac)
{
	return memcmp(frame->bytes + 6, mac, 6) == 0;
}

static void count_sent(void)
{
	size_t sum = 0, ports = 0;

	for (unsigned int port = 0; port < PORTS; port++) {
		sum += sent[port].count;
		ports += sent[port].count > 0;
	}
	printf("%llu packets through the DPDK engine, of which %zu leave by %zu ports: bytes, ports and "
	       "reasons "
	       "are those of the program alone\n",
	       (unsigned long long)total, sum, ports);
	cr_assert(sum > PACKETS / 10 && ports > 1, "%zu packets by %zu ports prove little", sum, ports);
}

static void compare_sent(unsigned int port, const __u8 *mac)
{
	size_t place = 0;

	qsort(sent[port].frame, sent[port].count, sizeof(struct frame *), compare);
	qsort(found[port].frame, found[port].count, sizeof(struct frame *), compare);
	for (size_t i = 0; i < found[port].count; i++) {
		if (is_own(found[port].frame[i], mac))
			continue;
		cr_assert_lt(place, sent[port].count, "port %u sent more than expected", port);
		cr_assert_eq(compare(&found[port].frame[i], &sent[port].frame[place]), 0,
			     "port %u, frame %zu", port, place);
		place++;
	}
	cr_expect_eq(place, sent[port].count);
}

static int remove_file(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	return remove(path);
}

static void remove_directory(void)
{
	(void)nftw(directory, remove_file, 8, FTW_DEPTH | FTW_PHYS);
}

Test(dpdk, does_what_the_program_does, .fini = remove_directory)
{
	struct world_options options = { .ports = PORTS, .sub_interfaces = 6, .vrfs = 2, .routes = 1000 };
	struct world *world = world_random(SEED, &options);
	struct world_fib *tables;
	__u8 mac[PORTS][6];
	struct config *config;
	struct dpdk *dpdk;
	struct why why;
	char name[32];

	cr_log_info("seed %d", SEED);
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	cr_assert_eq(world_fib_new(world, SEED, NULL, false, &tables), 0);
	draw(tables, world);
	config = configure();
	snprintf(name, sizeof(name), "test-%d", getpid());
	cr_assert_eq(dpdk_make(config, name, &words, &dpdk, &why), 0, "%s", why.text);
	cr_assert_eq(penstock_dpdk.load(dpdk, tables->store, fib_grace(tables->fib), &why), 0, "%s",
		     why.text);
	for (__u16 port = 0; port < PORTS; port++) {
		char interface[8];

		snprintf(interface, sizeof(interface), "w%u", port);
		memcpy(mac[port], dpdk->device[port]->settings.mac, 6);
		cr_assert_eq(penstock_dpdk.attach(dpdk, interface, port), 0);
		penstock_dpdk.reach(dpdk, port, true);
	}
	cr_assert_eq(dpdk_start(dpdk, &why), 0, "%s", why.text);
	run(dpdk);
	for (__u16 port = 0; port < PORTS; port++)
		penstock_dpdk.detach(dpdk, port);
	penstock_dpdk.unload(dpdk);
	penstock_dpdk.close(dpdk);
	for (unsigned int port = 0; port < PORTS; port++) {
		read_sent(port);
		compare_sent(port, mac[port]);
	}
	count_sent();
	config_free(config);
	world_fib_free(tables);
	world_free(world);
}
