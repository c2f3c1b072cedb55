// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Frames in many segments on their way to the kernel: whole, or not at all.

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/dpdk/device.h"

#define MOST 32
#define SIZE 40 // bytes of a segment

struct chain {
	struct rte_mbuf segment[MOST];
	__u8 bytes[MOST * SIZE];
};

static void link_up(struct chain *chain, unsigned int count)
{
	for (unsigned int i = 0; i < count * SIZE; i++)
		chain->bytes[i] = (__u8)(i * 7 + i / 256);
	for (unsigned int i = 0; i < count; i++)
		chain->segment[i] =
			(struct rte_mbuf){ .buf_addr = chain->bytes + i * SIZE,
					   .data_len = SIZE,
					   .next = i + 1 < count ? &chain->segment[i + 1] : NULL };
	chain->segment[0].pkt_len = count * SIZE;
	chain->segment[0].nb_segs = (__u16)count;
}

// A socket stands for the TAP: it, too, takes a frame at a time.
Test(dpdk_segments, whole_or_not_at_all)
{
	static struct device device;
	static struct chain chain;
	__u8 arrived[sizeof(chain.bytes)];
	__u64 whole = 0;
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	device.tap.fd = ends[0];
	for (unsigned int count = 1; count <= MOST; count++) {
		ssize_t length;

		link_up(&chain, count);
		device_punt(&device, 0, &chain.segment[0]);
		length = recv(ends[1], arrived, sizeof(arrived), 0);
		if (length < 0) {
			cr_assert_eq(errno, EAGAIN);
			continue;
		}
		whole++;
		cr_assert_eq(length, count * SIZE, "%zd of %u bytes", length, count * SIZE);
		cr_assert_eq(memcmp(arrived, chain.bytes, length), 0, "%u segments", count);
	}
	cr_assert_eq(device.tally[0].to_kernel, whole);
	cr_assert_eq(device.tally[0].to_kernel_lost, MOST - whole);
	cr_assert_geq(whole, 16, "only frames of %llu segments arrive", whole);
	cr_assert_lt(whole, MOST, "no frame had too many segments");
	close(ends[0]);
	close(ends[1]);
}
