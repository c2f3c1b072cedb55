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
#include <time.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define REMOTE_ARP_SIZE 42
#define REMOTE_NAME     16
#define REMOTE_PROBES   16
#define REMOTE_TAGS_OFF "txvlan off tx-vlan-stag-hw-insert off"
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

// What its port towards tx or rx is called in commands; with a VLAN, by that: names of ports may be long.
static const char *remote_name(const struct topology *topology, unsigned int port, char text[REMOTE_NAME])
{
	const struct lane_vlans *vlans = &topology->subject.vlans;
	unsigned int vlan = port ? vlans->out : vlans->count ? vlans->in[0] : 0;

	if (vlan)
		snprintf(text, REMOTE_NAME, "bench.%u", vlan);
	else
		snprintf(text, REMOTE_NAME, "%s", port ? "OUT" : "IN");
	return text;
}

static void remote_command_vlan(FILE *out, unsigned int vlan)
{
	if (vlan)
		fprintf(out,
			"ip link add link IN name bench.%u type vlan id %u\nip link set bench.%u up\n"
			"sysctl -w net/ipv4/conf/bench.%u/rp_filter=0\n",
			vlan, vlan, vlan, vlan);
}

static void remote_commands_vlans(FILE *out, const struct topology *topology)
{
	const struct lane_vlans *vlans = &topology->subject.vlans;

	for (unsigned int i = 0; i < vlans->count; i++)
		remote_command_vlan(out, vlans->in[i]);
	remote_command_vlan(out, vlans->out);
	if (vlans->out && lane_is_veth(&topology->subject.d)) // and so is its other end
		fprintf(out, "ethtool -K IN " REMOTE_TAGS_OFF "\n");
}

static void remote_commands_family(FILE *out, const struct topology *topology, __u8 family)
{
	const char *ip = family == AF_INET6 ? "ip -6" : "ip", *length = family == AF_INET6 ? "64" : "24";
	char text[INET6_ADDRSTRLEN], mac_text[18], name[REMOTE_NAME];
	__u8 address[16], mac[6];

	for (unsigned int port = 0; port < 2; port++) {
		lane_router_address(port, family, address);
		fprintf(out, "%s address add %s/%s dev %s\n", ip, remote_address(family, address, text),
			length, remote_name(topology, port, name));
	}
	lane_source_address(family, address);
	fprintf(out, "%s neighbour replace %s lladdr %s dev %s\n", ip, remote_address(family, address, text),
		remote_mac(topology->subject.s.mac, mac_text), remote_name(topology, 0, name));
	for (unsigned int i = 0; i < LANE_GATEWAYS; i++) {
		lane_gateway_address(i, family, address);
		lane_gateway_mac(i, mac);
		fprintf(out, "%s neighbour replace %s lladdr %s dev %s\n", ip,
			remote_address(family, address, text), remote_mac(mac, mac_text),
			remote_name(topology, 1, name));
	}
}

void remote_commands(FILE *out, const struct topology *topology, const struct scenario *scenario)
{
	const struct table *table = scenario->routes;
	char text[INET6_ADDRSTRLEN], prefix[PREFIX_TEXT_SIZE], name[REMOTE_NAME];
	__u8 address[16];

	fprintf(out, "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1\n"
		     "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.IN.rp_filter=0\n"
		     "ip link set IN up\n");
	if (!topology->subject.vlans.out)
		fprintf(out, "ip link set OUT up\n");
	remote_commands_vlans(out, topology);
	remote_commands_family(out, topology, AF_INET);
	remote_commands_family(out, topology, AF_INET6);
	for (size_t i = 0; i < table->count; i++) {
		const struct table_route *route = &table->routes[i];

		prefix_format(route, prefix);
		lane_gateway_address(lane_gateway(route->nexthop), route->family, address);
		fprintf(out, "ip route replace %s via %s dev %s\n", prefix,
			remote_address(route->family, address, text), remote_name(topology, 1, name));
	}
}

static int remote_socket(const struct lane_port *port)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_ifindex = port->ifindex,
				       .sll_protocol = htons(ETH_P_ALL) };
	const int on = 1;
	int home, fd, err = netns_enter(port->netns, &home);

	if (err < 0)
		return err;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		err = -errno;
		if (fd >= 0)
			close(fd);
	}
	netns_leave(home);
	return err < 0 ? err : fd;
}

// Who has the router's address on IN, or on the first VLAN there?
static void remote_ask(const struct topology *topology, int fd)
{
	static const __u8 kind[10] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	const struct lane_vlans *vlans = &topology->subject.vlans;
	const __u16 vlan = vlans->count ? vlans->in[0] : 0;
	const __u8 *mac = topology->subject.s.mac, tag[TRAFFIC_TAG] = { 0x81, 0x00, vlan >> 8, vlan };
	__u8 bytes[REMOTE_ARP_SIZE + TRAFFIC_TAG] = { 0 }, *frame = vlan ? bytes + TRAFFIC_TAG : bytes;

	memcpy(frame + 12, kind, sizeof(kind));
	memcpy(frame + 22, mac, 6);
	lane_source_address(AF_INET, frame + 28);
	lane_router_address(0, AF_INET, frame + 38);
	memset(bytes, 0xff, 6);
	memcpy(bytes + 6, mac, 6);
	if (vlan)
		memcpy(bytes + 12, tag, sizeof(tag));
	if (send(fd, bytes, vlan ? sizeof(bytes) : REMOTE_ARP_SIZE, 0) < 0)
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

// What the kernel says beside a frame, whose tag it has taken off: as of TRAFFIC_TAGGED.
static __u32 remote_tag(struct msghdr *message)
{
	struct tpacket_auxdata *beside;

	for (struct cmsghdr *one = CMSG_FIRSTHDR(message); one; one = CMSG_NXTHDR(message, one)) {
		beside = (struct tpacket_auxdata *)CMSG_DATA(one);
		if (one->cmsg_level == SOL_PACKET && one->cmsg_type == PACKET_AUXDATA &&
		    beside->tp_status & TP_STATUS_VLAN_VALID)
			return TRAFFIC_TAGGED | beside->tp_vlan_tci;
	}
	return 0;
}

// A frame, with MACs and tag of it.
struct remote_heard {
	__u8 from[6];
	__u32 tag;
};

// Waits for a frame of that kind. False: there was none.
static bool remote_hear(int fd, bool (*is)(const __u8 *frame, ssize_t size), const __u8 *not_from,
			struct remote_heard *ret_heard)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	const __u64 end = sender_now_ns() + REMOTE_WAIT_MS * 1000000ull;
	char beside[CMSG_SPACE(sizeof(struct tpacket_auxdata))] __attribute__((aligned(8)));
	__u8 frame[2048];
	struct iovec part = { .iov_base = frame, .iov_len = sizeof(frame) };

	while (sender_now_ns() < end && poll(&poll_fd, 1, REMOTE_WAIT_MS / 4) >= 0) {
		struct msghdr message = { .msg_iov = &part,
					  .msg_iovlen = 1,
					  .msg_control = beside,
					  .msg_controllen = sizeof(beside) };
		ssize_t size = recvmsg(fd, &message, 0);

		if (size > ETH_HLEN && memcmp(frame + 6, not_from, 6) != 0 && is(frame, size)) {
			memcpy(ret_heard->from, frame + 6, 6);
			ret_heard->tag = remote_tag(&message);
			return true;
		}
	}
	return false;
}

static int remote_probe(const struct topology *topology, const struct generate *generate, __u8 family, int fd)
{
	const struct load load = {
		.family = family, .rate = 1, .seconds = 1, .vlans = topology->subject.vlans
	};
	struct load_frames *frames = malloc(sizeof(*frames));
	int err = frames ? load_prepare(frames, &load, &topology->subject, generate) : -ENOMEM;
	__u8 frame[TRAFFIC_FRAME6 + TRAFFIC_TAG];

	for (unsigned int i = 0; err >= 0 && i < REMOTE_PROBES; i++) {
		__u32 size = load_frame(frames, i, 0, frame);

		if (send(fd, frame, size, 0) < 0 && errno != EAGAIN && errno != ENOBUFS)
			err = -errno;
	}
	free(frames);
	return err;
}

// How many frames had the tag that they should have, in its place.
static __u64 remote_count_right(const struct generate *generate)
{
	struct generate_counts counts;

	generate_tally(generate, &counts);
	return counts.arrived - counts.wrong[TRAFFIC_WRONG_TAG];
}

static const char *remote_tag_text(__u32 tag, char text[32])
{
	snprintf(text, 32, tag ? "the tag of VLAN %u" : "no tag", tag & 0xfff);
	if (tag & 0xf000)
		snprintf(text, 32, "the tag 0x%04x, a priority", tag & 0xffff);
	return text;
}

// Sends packets and listens. 1: one came through as it should; 0: none, and ret_why says what of its tag is
// not as it should be, if one came.
static int remote_try(const struct topology *topology, const struct generate *generate, __u8 family,
		      const int fds[2], struct remote_heard *ret_heard, struct why *ret_why)
{
	const struct lane *lane = &topology->subject;
	const __u32 expected = lane->vlans.out ? TRAFFIC_TAGGED | lane->vlans.out : 0;
	const __u64 before = remote_count_right(generate);
	char text[32], other[32];
	int err = remote_probe(topology, generate, family, fds[0]);

	if (err < 0 || !remote_hear(fds[1], remote_is_probe, lane->s.mac, ret_heard))
		return err;
	if (ret_heard->tag != expected)
		why_set(ret_why, EPROTO, "what comes to %s has %s, not %s; see the VLANs of the router",
			lane->d.name, remote_tag_text(ret_heard->tag, text),
			remote_tag_text(expected, other));
	else if (lane->vlans.count && remote_count_right(generate) == before)
		why_set(ret_why, EPROTO,
			"what comes to %s has its tag beside the frame, where no program sees it; on the "
			"other end: ethtool -K IF " REMOTE_TAGS_OFF,
			lane->d.name);
	else
		return 1;
	return 0;
}

static int remote_learn(struct topology *topology, struct generate *generate, __u8 family, const int fds[2],
			const volatile sig_atomic_t *stop)
{
	struct lane *lane = &topology->subject;
	struct remote_heard heard = { 0 };
	const struct timespec pause = { .tv_nsec = REMOTE_WAIT_MS / 4 * 1000000l };
	struct why why = { 0 }, told = { 0 };
	char text[18];
	int err = 0;

	fprintf(stderr, "waiting for the router to answer ARP on %s\n", lane->s.name);
	do
		remote_ask(topology, fds[0]);
	while (!*stop && !remote_hear(fds[0], remote_is_answer, lane->s.mac, &heard));
	memcpy(lane->r0.mac, heard.from, sizeof(lane->r0.mac));
	if (!*stop)
		fprintf(stderr, "it is %s there; waiting for it to forward to %s\n",
			remote_mac(lane->r0.mac, text), lane->d.name);
	while (err == 0) {
		err = *stop ? -EINTR : remote_try(topology, generate, family, fds, &heard, &why);
		if (err == 0 && strcmp(why.text, told.text) != 0)
			fprintf(stderr, "%s\n", why.text);
		if (err == 0 && why.text[0])
			nanosleep(&pause, NULL); // somebody has to do something
		told = why;
	}
	memcpy(lane->r1.mac, heard.from, sizeof(lane->r1.mac));
	if (err >= 0)
		fprintf(stderr, "it is %s there, and forwards\n", remote_mac(lane->r1.mac, text));
	return err;
}

int remote_wait(struct topology *topology, struct generate *generate, __u8 family,
		const volatile sig_atomic_t *stop)
{
	const int fds[2] = { remote_socket(&topology->subject.s), remote_socket(&topology->subject.d) };
	int err = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : 0;

	if (err >= 0)
		err = remote_learn(topology, generate, family, fds, stop);
	if (err >= 0)
		generate_learn(generate);
	for (unsigned int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return err;
}
