// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// What the generator sends, seen on the wire by a packet socket on r0, with no program in between: headers
// and checksums computed here, and each destination as often as it should be.

#include "bench/generate.h"
#include "bench/netns.h"
#include "bench/workload/random.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEED     20260704
#define CAPTURED 2000

static struct topology topology;
static struct generate *generate;
static struct generate_destination destinations[TRAFFIC_DESTINATIONS];

static void open_bed(void)
{
	cr_assert_eq(topology_open(&topology), 0);
	cr_assert_eq(generate_open(&topology, &generate), 0);
}

static void close_bed(void)
{
	generate_close(generate);
	topology_close(&topology);
}

TestSuite(bench_generate, .init = open_bed, .fini = close_bed);

static int open_capture(__u8 family)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_ifindex = topology.subject.r0.ifindex };
	const struct timeval patience = { .tv_sec = 10 };
	int home, fd;

	address.sll_protocol = htons(family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP);
	cr_assert_eq(netns_enter(topology.subject.r0.netns, &home), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	netns_leave(home);
	return fd;
}

static unsigned int get16(const __u8 *field)
{
	return field[0] << 8 | field[1];
}

static unsigned int checksum(const __u8 *bytes, unsigned int size, unsigned int sum)
{
	for (unsigned int i = 0; i < size; i += 2)
		sum += get16(bytes + i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void check_frame4(const __u8 *frame)
{
	__u8 source[4];
	__u16 index;

	memcpy(&index, frame + 34, 2);
	lane_source_address(AF_INET, source);
	cr_assert_eq(get16(frame + 12), 0x0800);
	cr_assert_eq(frame[14], 0x45);
	cr_assert_eq(get16(frame + 16), TRAFFIC_FRAME4 - 14);
	cr_assert_eq(frame[22], TRAFFIC_TTL);
	cr_assert_eq(frame[23], IPPROTO_UDP);
	cr_assert_eq(checksum(frame + 14, 20, 0), 0xffff);
	cr_assert_eq(memcmp(frame + 26, source, 4), 0);
	cr_assert_eq(memcmp(frame + 30, destinations[index].address, 4), 0);
	cr_assert_eq(get16(frame + 38), TRAFFIC_FRAME4 - 34);
	cr_assert_eq(get16(frame + 40), 0);
}

static void check_frame6(const __u8 *frame)
{
	__u8 source[16];
	__u16 index;

	memcpy(&index, frame + 54, 2);
	lane_source_address(AF_INET6, source);
	cr_assert_eq(get16(frame + 12), 0x86dd);
	cr_assert_eq(frame[14], 0x60);
	cr_assert_eq(get16(frame + 18), TRAFFIC_FRAME6 - 54);
	cr_assert_eq(frame[20], IPPROTO_UDP);
	cr_assert_eq(frame[21], TRAFFIC_TTL);
	cr_assert_eq(memcmp(frame + 22, source, 16), 0);
	cr_assert_eq(memcmp(frame + 38, destinations[index].address, 16), 0);
	cr_assert_eq(get16(frame + 58), TRAFFIC_FRAME6 - 54);
	cr_assert_eq(checksum(frame + 22, TRAFFIC_FRAME6 - 22, IPPROTO_UDP + TRAFFIC_FRAME6 - 54), 0xffff);
}

static void check_family(__u8 family, unsigned int size)
{
	struct generate_counts counts[TRAFFIC_LANES];
	struct random random;
	__u8 frame[256];
	unsigned int i;
	int fd;

	random_seed(&random, SEED);
	for (i = 0; i < TRAFFIC_DESTINATIONS; i++)
		random_bytes(&random, destinations[i].address, sizeof(destinations[i].address));
	generate_set_destinations(generate, family, destinations, TRAFFIC_DESTINATIONS);
	fd = open_capture(family);
	cr_assert_eq(generate_start(generate, family, sched_getcpu()), 0);
	for (i = 0; i < CAPTURED; i++) {
		cr_assert_eq(recv(fd, frame, sizeof(frame), 0), size, "frame %u", i);
		cr_assert_eq(memcmp(frame, topology.subject.r0.mac, 6), 0);
		cr_assert_eq(memcmp(frame + 6, topology.subject.s.mac, 6), 0);
		if (family == AF_INET6)
			check_frame6(frame);
		else
			check_frame4(frame);
	}
	cr_assert_eq(generate_stop(generate, counts), 0);
	cr_assert_geq(counts[TRAFFIC_SUBJECT].sent, CAPTURED);
	close(fd);
}

Test(bench_generate, ipv4_frames_are_right)
{
	check_family(AF_INET, TRAFFIC_FRAME4);
}

Test(bench_generate, ipv6_frames_are_right)
{
	check_family(AF_INET6, TRAFFIC_FRAME6);
}

Test(bench_generate, few_destinations_repeat)
{
	struct generate_counts counts[TRAFFIC_LANES];
	unsigned int seen[4] = { 0 }, i;
	__u8 frame[256];
	int fd;

	for (i = 0; i < 4; i++)
		memcpy(destinations[i].address, (__u8[]){ 203, 0, 113, i }, 4);
	generate_set_destinations(generate, AF_INET, destinations, 4);
	fd = open_capture(AF_INET);
	cr_assert_eq(generate_start(generate, AF_INET, sched_getcpu()), 0);
	for (i = 0; i < 40; i++) {
		cr_assert_eq(recv(fd, frame, sizeof(frame), 0), TRAFFIC_FRAME4);
		cr_assert_lt(frame[33], 4);
		seen[frame[33]]++;
	}
	cr_assert_eq(generate_stop(generate, counts), 0);
	for (i = 0; i < 4; i++)
		cr_assert_eq(seen[i], 10);
	close(fd);
}
