// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/remote.h"

#include "bench/load.h"
#include "bench/netns.h"
#include "bench/sender.h"
#include "bench/workload/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define REMOTE_ARP_SIZE 42
#define REMOTE_PROBES   16
#define REMOTE_WAIT_MS  1000

static const char *remote_mac(const __u8 mac[6], char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return text;
}

static const char *remote_address(__u8 family, const __u8 *address, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(family, address, text, INET6_ADDRSTRLEN);
}

static void remote_commands_family(FILE *out, const struct topology *topology, __u8 family)
{
	const char *ip = family == AF_INET6 ? "ip -6" : "ip", *length = family == AF_INET6 ? "64" : "24";
	char text[INET6_ADDRSTRLEN], mac_text[18];
	__u8 address[16], mac[6];

	for (unsigned int port = 0; port < 2; port++) {
		lane_router_address(port, family, address);
		fprintf(out, "%s address add %s/%s dev %s\n", ip, remote_address(family, address, text),
			length, port ? "OUT" : "IN");
	}
	lane_source_address(family, address);
	fprintf(out, "%s neighbour replace %s lladdr %s dev IN\n", ip, remote_address(family, address, text),
		remote_mac(topology->subject.s.mac, mac_text));
	for (unsigned int i = 0; i < LANE_GATEWAYS; i++) {
		lane_gateway_address(i, family, address);
		lane_gateway_mac(i, mac);
		fprintf(out, "%s neighbour replace %s lladdr %s dev OUT\n", ip,
			remote_address(family, address, text), remote_mac(mac, mac_text));
	}
}

void remote_commands(FILE *out, const struct topology *topology, const struct scenario *scenario)
{
	const struct table *table = scenario->routes;
	char text[INET6_ADDRSTRLEN], prefix[PREFIX_TEXT_SIZE];
	__u8 address[16];

	fprintf(out, "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1\n"
		     "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.IN.rp_filter=0\n"
		     "ip link set IN up\nip link set OUT up\n");
	remote_commands_family(out, topology, AF_INET);
	remote_commands_family(out, topology, AF_INET6);
	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];

		prefix_format(route, prefix);
		lane_gateway_address(lane_gateway(route->nexthop), route->family, address);
		fprintf(out, "ip route replace %s via %s dev OUT\n", prefix,
			remote_address(route->family, address, text));
	}
}

static int remote_socket(const struct lane_port *port)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_ifindex = port->ifindex,
				       .sll_protocol = htons(ETH_P_ALL) };
	int home, fd, err = netns_enter(port->netns, &home);

	if (err < 0)
		return err;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		err = -errno;
		if (fd >= 0)
			close(fd);
	}
	netns_leave(home);
	return err < 0 ? err : fd;
}

// Who has the router's address on IN?
static void remote_ask(const struct topology *topology, int fd)
{
	static const __u8 kind[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	const __u8 *mac = topology->subject.s.mac;
	__u8 frame[REMOTE_ARP_SIZE] = { 0 };

	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	frame[12] = 8;
	frame[13] = 6;
	memcpy(frame + 14, kind, sizeof(kind));
	memcpy(frame + 22, mac, 6);
	lane_source_address(AF_INET, frame + 28);
	lane_router_address(0, AF_INET, frame + 38);
	if (send(fd, frame, sizeof(frame), 0) < 0)
		return; // it is asked again
}

static bool remote_is_answer(const __u8 *frame, ssize_t size)
{
	__u8 address[4];

	lane_router_address(0, AF_INET, address);
	return size >= REMOTE_ARP_SIZE && frame[12] == 8 && frame[13] == 6 && frame[21] == 2 &&
	       memcmp(frame + 28, address, 4) == 0;
}

static bool remote_is_probe(const __u8 *frame, ssize_t size)
{
	unsigned int udp = frame[12] == 0x86 ? 54 : 34;

	return size >= TRAFFIC_FRAME4 && size >= udp + 4 &&
	       ((frame[12] == 8 && frame[13] == 0) || frame[12] == 0x86) && frame[udp + 2] == 0 &&
	       frame[udp + 3] == TRAFFIC_PORT;
}

// Waits for a frame of that kind; copies who sent it. False: there was none.
static bool remote_hear(int fd, bool (*is)(const __u8 *frame, ssize_t size), const __u8 *not_from,
			__u8 ret_mac[6])
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	const __u64 end = sender_now_ns() + REMOTE_WAIT_MS * 1000000ull;
	__u8 frame[2048];

	while (sender_now_ns() < end && poll(&poll_fd, 1, REMOTE_WAIT_MS / 4) >= 0) {
		ssize_t size = recv(fd, frame, sizeof(frame), 0);

		if (size > ETH_HLEN && memcmp(frame + 6, not_from, 6) != 0 && is(frame, size)) {
			memcpy(ret_mac, frame + 6, 6);
			return true;
		}
	}
	return false;
}

static int remote_probe(const struct topology *topology, const struct generate *generate, __u8 family, int fd)
{
	const struct load load = { .family = family == AF_UNSPEC ? AF_INET : family,
				   .rate = 1,
				   .seconds = 1 };
	struct load_frames *frames = malloc(sizeof(*frames));
	int err = frames ? load_prepare(frames, &load, &topology->subject, generate) : -ENOMEM;
	__u8 frame[TRAFFIC_FRAME6];

	for (unsigned int i = 0; err >= 0 && i < REMOTE_PROBES; i++) {
		__u32 size = load_frame(frames, i, 0, frame);

		if (send(fd, frame, size, 0) < 0 && errno != EAGAIN && errno != ENOBUFS)
			err = -errno;
	}
	free(frames);
	return err;
}

static int remote_learn(struct topology *topology, struct generate *generate, __u8 family, int tx, int rx,
			const volatile sig_atomic_t *stop)
{
	struct lane *lane = &topology->subject;
	char text[18];
	int err = 0;

	fprintf(stderr, "waiting for the router to answer ARP on %s\n", lane->s.name);
	do
		remote_ask(topology, tx);
	while (!*stop && !remote_hear(tx, remote_is_answer, lane->s.mac, lane->r0.mac));
	if (!*stop)
		fprintf(stderr, "it is %s there; waiting for it to forward to %s\n",
			remote_mac(lane->r0.mac, text), lane->d.name);
	do
		err = *stop ? -EINTR : remote_probe(topology, generate, family, tx);
	while (err >= 0 && !remote_hear(rx, remote_is_probe, lane->s.mac, lane->r1.mac));
	if (err >= 0)
		fprintf(stderr, "it is %s there, and forwards\n", remote_mac(lane->r1.mac, text));
	return err;
}

int remote_wait(struct topology *topology, struct generate *generate, __u8 family,
		const volatile sig_atomic_t *stop)
{
	int tx = remote_socket(&topology->subject.s), rx = remote_socket(&topology->subject.d);
	int err = tx < 0 ? tx : rx < 0 ? rx : 0;

	if (err >= 0)
		err = remote_learn(topology, generate, family, tx, rx, stop);
	if (err >= 0)
		generate_learn(generate);
	if (tx >= 0)
		close(tx);
	if (rx >= 0)
		close(rx);
	return err;
}
