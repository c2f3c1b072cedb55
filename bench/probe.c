// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/probe.h"

#include "bench/frame.h"
#include "bench/netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define PROBE_CHECK4 24 // offset of the IPv4 header checksum
#define PROBE_CHECK6 60 // of the UDP checksum over IPv6

struct probe {
	const struct generate *generate;
	union traffic_frame frames[2]; // IPv4, IPv6
	int socket;
	// of the stream
	pthread_t thread;
	bool streams;
	_Atomic bool stop;
	const struct generate_destination *destinations[2];
	unsigned int count;
	__u64 sent;
};

static __u64 probe_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int probe_socket(const struct lane_port *port)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_ifindex = port->ifindex };
	int home, fd, err;

	err = netns_enter(port->netns, &home);
	if (err < 0)
		return err;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); // protocol 0: receives nothing
	if (fd < 0) {
		err = -errno;
	} else if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		err = -errno;
		close(fd);
	}
	netns_leave(home);
	return err < 0 ? err : fd;
}

static void *probe_stream(void *argument)
{
	const struct timespec pause = { .tv_nsec = PROBE_PAUSE_NS };
	struct probe *probe = argument;
	unsigned int i, index;

	for (i = 0; !probe->stop; i++) {
		index = i / 2 % probe->count;
		if (probe_send(probe, i & 1 ? AF_INET6 : AF_INET, probe->destinations[i & 1][index].address,
			       index) >= 0)
			probe->sent++;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

int probe_open(const struct topology *topology, const struct generate *generate, struct probe **ret_probe)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	int err;

	if (!probe)
		return -ENOMEM;
	probe->generate = generate;
	probe->socket = probe_socket(&topology->subject.s);
	if (probe->socket < 0) {
		err = probe->socket;
		free(probe);
		return err;
	}
	frame_make(&topology->subject, AF_INET, &probe->frames[0]);
	frame_make(&topology->subject, AF_INET6, &probe->frames[1]);
	*ret_probe = probe;
	return 0;
}

void probe_close(struct probe *probe)
{
	if (!probe)
		return;
	probe_stream_stop(probe);
	close(probe->socket);
	free(probe);
}

int probe_send(struct probe *probe, __u8 family, const __u8 *address, __u16 index)
{
	bool six = family == AF_INET6;
	union traffic_frame head = probe->frames[six];
	__u8 frame[TRAFFIC_FRAME6] = { 0 };
	size_t size = six ? TRAFFIC_FRAME6 : TRAFFIC_FRAME4;
	__u8 check[2];

	frame_aim(&head, family, address, index, check);
	memcpy(frame, head.bytes, sizeof(head.bytes));
	memcpy(frame + (six ? PROBE_CHECK6 : PROBE_CHECK4), check, sizeof(check));
	return send(probe->socket, frame, size, 0) == (ssize_t)size ? 0 : -errno;
}

int probe_ask(struct probe *probe, __u8 family, const __u8 *address, __u16 index, enum probe_fate *ret_fate)
{
	struct generate_counts before, after;
	__u64 end;
	int err;

	generate_tally(probe->generate, &before);
	err = probe_send(probe, family, address, index);
	if (err < 0)
		return err;
	end = probe_now_ns() + PROBE_PATIENCE_NS;
	do {
		generate_tally(probe->generate, &after);
	} while (after.arrived == before.arrived && probe_now_ns() < end);
	if (after.arrived == before.arrived)
		*ret_fate = PROBE_MISSING;
	else
		*ret_fate = after.wrong[TRAFFIC_WRONG_GATEWAY] == before.wrong[TRAFFIC_WRONG_GATEWAY]
				    ? PROBE_RIGHT
				    : PROBE_WRONG;
	return 0;
}

int probe_stream_start(struct probe *probe, const struct generate_destination *const destinations[2],
		       unsigned int count)
{
	sigset_t all, before;
	int err;

	memcpy(probe->destinations, destinations, sizeof(probe->destinations));
	probe->count = count;
	probe->sent = 0;
	probe->stop = false;
	sigfillset(&all); // signals are for the main thread
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&probe->thread, NULL, probe_stream, probe);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	probe->streams = err == 0;
	return -err;
}

__u64 probe_stream_stop(struct probe *probe)
{
	if (!probe->streams)
		return 0;
	probe->stop = true;
	pthread_join(probe->thread, NULL);
	probe->streams = false;
	return probe->sent;
}
