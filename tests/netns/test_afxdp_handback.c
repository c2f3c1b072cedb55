// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Frames that are given back come to the kernel as if their port had just received them; those of a socket
// that no worker looks at any more, while the loop does its other work.

#include "host/engine/afxdp_handback.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "host/engine/afxdp_frames.h"
#include "host/engine/afxdp_socket.h"
#include "host/engine/burst.h"
#include "host/loop.h"

#define PORT    5000
#define FRAMES  200
#define PAYLOAD 18
#define AREA    2048 // frames in all
#define WAITING 1500 // of which so many wait in a socket
#define AT_ONCE 64

static struct loop *loop;
static struct afxdp_frames *frames;
static struct afxdp_handback *handback;
static struct why why;
static unsigned char mac[6];
static unsigned int calls;        // test runs
static __u32 left[AREA], waiting; // frames in the socket

int __real_bpf_prog_test_run_opts(int fd, struct bpf_test_run_opts *options);
int __wrap_bpf_prog_test_run_opts(int fd, struct bpf_test_run_opts *options);
unsigned int __wrap_afxdp_socket_receive(struct afxdp_socket *socket, struct afxdp_cache *cache,
					 struct burst_frame *ret);

int __wrap_bpf_prog_test_run_opts(int fd, struct bpf_test_run_opts *options)
{
	calls++;
	return __real_bpf_prog_test_run_opts(fd, options);
}

static void set_up(void)
{
	struct ifreq request = { .ifr_name = "a0" };
	int fd;

	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	cr_assert_eq(system("ip link add a0 numrxqueues 2 numtxqueues 2 type veth peer name b0 && "
			    "ip address add 10.0.0.1/24 dev a0 && ip link set a0 up && ip link set b0 up"),
		     0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	memcpy(mac, request.ifr_hwaddr.sa_data, sizeof(mac));
	close(fd);
	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(afxdp_frames_new(AREA, &frames), 0);
	cr_assert_eq(afxdp_handback_new(loop, frames, &handback, &why), 0, "%s", why.text);
}

static void tear_down(void)
{
	afxdp_handback_free(handback);
	afxdp_frames_free(frames);
	loop_free(loop);
}

TestSuite(afxdp_handback, .init = set_up, .fini = tear_down);

static __u16 checksum(const void *data, int length)
{
	const __u16 *word = data;
	__u32 sum = 0;

	for (int i = 0; i < length / 2; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16) ~(sum + (sum >> 16));
}

// A datagram to ourselves from the neighbour 10.0.0.2; returns its length.
static __u32 make_datagram(unsigned char *frame, unsigned char number)
{
	struct iphdr *ip = (struct iphdr *)(frame + 14);
	struct udphdr *udp = (struct udphdr *)(ip + 1);

	memcpy(frame, mac, 6);
	memset(frame + 6, 2, 6);
	frame[12] = 8;
	frame[13] = 0;
	*ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_UDP };
	ip->tot_len = htons(sizeof(*ip) + sizeof(*udp) + PAYLOAD);
	ip->saddr = inet_addr("10.0.0.2");
	ip->daddr = inet_addr("10.0.0.1");
	ip->check = checksum(ip, sizeof(*ip));
	*udp = (struct udphdr){ .source = htons(1),
				.dest = htons(PORT),
				.len = htons(sizeof(*udp) + PAYLOAD) };
	memset(udp + 1, number, PAYLOAD);
	return 14 + sizeof(*ip) + sizeof(*udp) + PAYLOAD;
}

static int open_receiver(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct timeval patience = { .tv_sec = 5 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;

	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	cr_assert_eq(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
	return fd;
}

Test(afxdp_handback, frames_arrive_once_by_their_port)
{
	__u32 ifindex = if_nametoindex("a0");
	unsigned char frame[128], payload[PAYLOAD], control[64];
	int fd = open_receiver();

	for (int i = 0; i < FRAMES; i++) {
		struct iovec vector = { payload, sizeof(payload) };
		struct msghdr message = { .msg_iov = &vector,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		const struct in_pktinfo *info;
		__u32 length = make_datagram(frame, (unsigned char)i);

		cr_assert_eq(afxdp_handback_give(handback, ifindex, i % 2, frame, length), 0);
		cr_assert_eq(recvmsg(fd, &message, 0), PAYLOAD, "frame %d", i);
		cr_assert_eq(payload[0], (unsigned char)i);
		info = (const struct in_pktinfo *)CMSG_DATA(CMSG_FIRSTHDR(&message));
		cr_assert_eq(info->ipi_ifindex, (int)ifindex);
	}
	cr_expect_eq(recv(fd, payload, sizeof(payload), MSG_DONTWAIT), -1, "one too many");
	close(fd);
}

Test(afxdp_handback, what_cannot_be_is_an_error)
{
	unsigned char frame[128];
	__u32 length = make_datagram(frame, 0);

	cr_expect_lt(afxdp_handback_give(handback, 99, 0, frame, length), 0, "no such device");
	cr_expect_lt(afxdp_handback_give(handback, if_nametoindex("a0"), 7, frame, length), 0,
		     "no such queue");
	cr_expect_lt(afxdp_handback_give(handback, if_nametoindex("a0"), 0, frame, 6), 0, "no frame");
}

unsigned int __wrap_afxdp_socket_receive(struct afxdp_socket *socket, struct afxdp_cache *cache,
					 struct burst_frame *ret)
{
	unsigned int count = 0;

	for (; waiting && count < BURST_MOST; count++) {
		__u32 frame = left[--waiting];
		__u8 *data = frames->area + (size_t)frame * AFXDP_FRAME + 256;

		ret[count] = (struct burst_frame){ .data = data,
						   .length = make_datagram(data, (unsigned char)waiting),
						   .handle = (void *)(unsigned long)frame };
	}
	return count;
}

// Frames that the kernel has filled: out of the pool.
static void fill_socket(__u32 count)
{
	while (waiting < count)
		left[waiting++] = frames->free[--frames->free_count];
}

static int open_large_receiver(void)
{
	int fd = open_receiver(), room = 32 << 20;

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), 0);
	return fd;
}

// The last one first: that is how the socket told them.
static void expect_all(int fd)
{
	unsigned char payload[PAYLOAD];

	for (int i = WAITING; i--;) {
		cr_assert_eq(recv(fd, payload, sizeof(payload), 0), PAYLOAD, "frame %d", i);
		cr_assert_eq(payload[0], (unsigned char)i);
	}
	cr_expect_eq(recv(fd, payload, sizeof(payload), MSG_DONTWAIT), -1, "one too many");
}

static struct loop_timer *other;
static unsigned int turns, most, before;

// Other work of the loop.
static void turn(void *arg)
{
	turns++;
	if (calls - before > most)
		most = calls - before;
	before = calls;
	if (afxdp_handback_waiting(handback))
		loop_timer_set(other, 0, 0);
	else
		loop_stop(loop, 0);
}

Test(afxdp_handback, a_socket_is_emptied_at_once_and_its_frames_given_between_the_turns_of_the_loop)
{
	struct afxdp_socket socket = { .queue = 1 };
	struct afxdp_cache cache = { 0 };
	int fd = open_large_receiver();

	fill_socket(WAITING);
	cr_assert_eq(afxdp_handback_collect(handback, if_nametoindex("a0"), &socket, &cache), WAITING);
	cr_expect_eq(calls, 0, "the loop does not wait for that");
	cr_expect_eq(afxdp_handback_waiting(handback), WAITING);
	cr_expect_eq(frames->free_count, AREA - WAITING);
	cr_assert_eq(loop_timer_new(loop, turn, NULL, &other), 0);
	loop_timer_set(other, 0, 0);
	cr_assert_eq(loop_run(loop), 0);
	cr_expect_eq(calls, WAITING);
	cr_expect_leq(most, 2 * AT_ONCE, "%u frames in one turn of the loop", most);
	cr_expect_geq(turns, WAITING / AT_ONCE / 2);
	cr_expect_eq(frames->free_count, AREA, "all frames are back");
	expect_all(fd);
	close(fd);
}

Test(afxdp_handback, what_was_collected_is_given_in_the_end)
{
	struct afxdp_socket socket = { .queue = 0 };
	struct afxdp_cache cache = { 0 };
	int fd = open_large_receiver();

	fill_socket(WAITING);
	cr_assert_eq(afxdp_handback_collect(handback, if_nametoindex("a0"), &socket, &cache), WAITING);
	afxdp_handback_free(handback);
	handback = NULL;
	cr_expect_eq(frames->free_count, AREA, "all frames are back");
	expect_all(fd);
	close(fd);
}

// The device may go meanwhile.
Test(afxdp_handback, frames_that_the_kernel_refuses_are_not_kept)
{
	struct afxdp_socket socket = { .queue = 7 };
	struct afxdp_cache cache = { 0 };

	for (int round = 0; round < 3; round++) { // around the end of the list, too
		fill_socket(WAITING);
		cr_assert_eq(afxdp_handback_collect(handback, if_nametoindex("a0"), &socket, &cache),
			     WAITING);
		if (!other)
			cr_assert_eq(loop_timer_new(loop, turn, NULL, &other), 0);
		loop_timer_set(other, 0, 0);
		cr_assert_eq(loop_run(loop), 0);
		cr_expect_eq(frames->free_count, AREA);
	}
	cr_expect_eq(calls, 3 * WAITING);
}
