// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/collect.h"

#include "bench/netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define COLLECT_MEMORY (256 << 20) // of the socket
#define COLLECT_LEAST  60
#define COLLECT_IPV4   34 // bytes of Ethernet and IP
#define COLLECT_IPV6   54

struct collect {
	const struct lane *lane;
	struct recording *recording;
	int socket;
	__u8 frame[65536 + ETH_HLEN];
};

static unsigned int collect_get16(const __u8 *field)
{
	return field[0] << 8 | field[1];
}

static int collect_bind(struct collect *collect)
{
	const struct lane_port *port = &collect->lane->d;
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_ifindex = port->ifindex,
				       .sll_protocol = htons(ETH_P_ALL) };
	const int memory = COLLECT_MEMORY, ignore = 1;
	int home, err = netns_enter(port->netns, &home);

	if (err < 0)
		return err;
	collect->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (collect->socket < 0 ||
	    setsockopt(collect->socket, SOL_SOCKET, SO_RCVBUFFORCE, &memory, sizeof(memory)) < 0 ||
	    setsockopt(collect->socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore, sizeof(ignore)) < 0 ||
	    bind(collect->socket, (struct sockaddr *)&address, sizeof(address)) < 0)
		err = -errno;
	netns_leave(home);
	return err;
}

int collect_open(const struct lane *lane, struct collect **ret_collect)
{
	struct collect *collect = calloc(1, sizeof(*collect));
	int err;

	if (!collect)
		return -ENOMEM;
	collect->lane = lane;
	collect->recording = recording_new();
	err = collect->recording ? collect_bind(collect) : -ENOMEM;
	if (err < 0) {
		collect_close(collect);
		return err;
	}
	*ret_collect = collect;
	return 0;
}

void collect_close(struct collect *collect)
{
	if (!collect)
		return;
	if (collect->socket > 0)
		close(collect->socket);
	recording_free(collect->recording);
	free(collect);
}

void collect_clear(struct collect *collect)
{
	recording_clear(collect->recording);
	collect_lost(collect);
}

// Addresses of the router's own, of both ports, and link-local ones.
static bool collect_is_routers(const __u8 *source, __u8 family)
{
	__u8 address[16];

	if (family == AF_INET6 && source[0] == 0xfe)
		return true;
	for (unsigned int port = 0; port < 2; port++) {
		lane_router_address(port, family, address);
		if (memcmp(source, address, family == AF_INET6 ? 16 : 4) == 0)
			return true;
	}
	return false;
}

static bool collect_counts(const struct lane *lane, const __u8 *bytes, __u32 size)
{
	unsigned int ethertype;

	if (size < ETH_HLEN || bytes[0] & 1 || memcmp(bytes + 6, lane->r1.mac, 6) != 0)
		return false;
	ethertype = collect_get16(bytes + 12);
	if (ethertype == ETH_P_IP && size >= COLLECT_IPV4)
		return !collect_is_routers(bytes + 26, AF_INET);
	if (ethertype == ETH_P_IPV6 && size >= COLLECT_IPV6)
		return !collect_is_routers(bytes + 22, AF_INET6);
	return ethertype != ETH_P_ARP;
}

// Padding up to Ethernet's least may stay or go: a wire pads anyway.
static __u32 collect_size(const __u8 *bytes, __u32 size)
{
	__u32 length = size;

	if (size > COLLECT_LEAST)
		return size;
	if (collect_get16(bytes + 12) == ETH_P_IP && size >= COLLECT_IPV4)
		length = ETH_HLEN + collect_get16(bytes + 16);
	else if (collect_get16(bytes + 12) == ETH_P_IPV6 && size >= COLLECT_IPV6)
		length = COLLECT_IPV6 + collect_get16(bytes + 18);
	return length < size ? length : size;
}

int collect_add(const struct lane *lane, struct recording *recording, const __u8 *bytes, __u32 size)
{
	return collect_counts(lane, bytes, size)
		       ? recording_add(recording, 0, bytes, collect_size(bytes, size))
		       : 0;
}

int collect_take(struct collect *collect)
{
	__u32 before = collect->recording->count;

	for (;;) {
		ssize_t size = recv(collect->socket, collect->frame, sizeof(collect->frame), 0);
		int err;

		if (size < 0 && errno != EAGAIN && errno != EINTR && errno != ENETDOWN)
			return -errno;
		if (size < 0)
			return collect->recording->count - before;
		err = collect_add(collect->lane, collect->recording, collect->frame, size);
		if (err < 0)
			return err;
	}
}

unsigned int collect_lost(struct collect *collect)
{
	struct tpacket_stats counts = { 0 };
	socklen_t size = sizeof(counts);

	return getsockopt(collect->socket, SOL_PACKET, PACKET_STATISTICS, &counts, &size) < 0
		       ? 0
		       : counts.tp_drops;
}

struct recording *collect_give(struct collect *collect)
{
	struct recording *given = collect->recording;

	collect->recording = recording_new();
	return given;
}
