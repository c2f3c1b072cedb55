// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/outage.h"

#include "bench/machine.h"
#include "bench/netns.h"

#include "xdp/image.h"
#include "xdp/verdict.h"

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

#define OUTAGE_POLL_MS  10
#define OUTAGE_WAIT_MS  60000
#define OUTAGE_QUIET_MS 500 // no packet to the port for so long: it was the last one
#define OUTAGE_MAX_MS   20000
#define OUTAGE_PROBE_MS 0.1
#define OUTAGE_CHECKS   100

struct outage_link {
	struct mirror_bed *bed;
	const struct lane_port *port; // to set down
	pthread_t thread;             // in which that is done: it takes long with many routes
	unsigned int cpu;             // of the thread: see outage_take_down()
	_Atomic bool done;
	int result;
	int events;          // netlink socket
	unsigned int probes; // sent
	int counters;        // map of the program
	__u32 counter_key;
	struct image_counters *counts; // for each CPU
	double called, told, last;     // ms; 0: not yet; last: see outage_watch()
};

// --- lost notifications ---

static int outage_wait_resync(struct mirror_bed *bed, double overruns)
{
	double end = mirror_bed_now_ms() + OUTAGE_WAIT_MS;

	do {
		if (*bed->stop)
			return -EINTR;
		mirror_bed_sleep_ms(OUTAGE_POLL_MS);
		// The daemon answers between two pieces of work, so it answers what it already knows.
		if (mirror_bed_number(bed, "lag_us") < 100000 && mirror_bed_number(bed, "resyncing") == 0)
			return mirror_bed_number(bed, "overruns") > overruns ? 0 : -ENODATA;
	} while (mirror_bed_now_ms() < end);
	return -ETIMEDOUT;
}

static int outage_burst_unheard(struct mirror_bed *bed, const struct mirror_updates *updates)
{
	pid_t pid = daemon_pid(bed->daemon);
	int err;

	if (kill(pid, SIGSTOP) < 0)
		return -errno;
	err = mirror_bed_inject(bed, updates, 0, updates->count);
	if (err >= 0)
		err = mirror_bed_flush(bed);
	kill(pid, SIGCONT);
	return err;
}

static int outage_lose_and_wait(struct mirror_bed *bed, const struct mirror_updates *updates)
{
	double overruns = mirror_bed_number(bed, "overruns"), begin;
	struct mirror_usage before, after;
	int err;

	err = mirror_bed_usage(bed, &before);
	if (err >= 0)
		err = outage_burst_unheard(bed, updates);
	begin = mirror_bed_now_ms();
	if (err >= 0)
		err = outage_wait_resync(bed, overruns);
	if (err >= 0)
		err = mirror_bed_usage(bed, &after);
	if (err < 0)
		return err;
	figures_add(&bed->figures, FIGURE_RESYNC_MS, mirror_bed_now_ms() - begin);
	figures_add(&bed->figures, FIGURE_RESYNC_CPU_MS, after.cpu_ms - before.cpu_ms);
	return 0;
}

// --- a link goes down ---

static int outage_open_events(struct outage_link *link)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int home, err;

	err = netns_enter(link->bed->topology.subject.r1.netns, &home);
	if (err < 0)
		return err;
	link->events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (link->events < 0 || bind(link->events, (struct sockaddr *)&address, sizeof(address)) < 0)
		err = -errno;
	netns_leave(home);
	return err;
}

// Finds the counters of port r0 through the pins that the daemon tells.
static int outage_open_counters(struct outage_link *link)
{
	const char *wanted = link->bed->topology.subject.r0.name, *name;
	char path[512];
	json_t *status, *port;
	size_t i;
	int err;

	err = daemon_status(link->bed->daemon, &status);
	if (err < 0)
		return err;
	snprintf(path, sizeof(path), "%s/maps/counters", json_string_value(json_object_get(status, "pins")));
	json_array_foreach(json_object_get(status, "ports"), i, port)
	{
		name = json_string_value(json_object_get(port, "interface"));
		if (name && strcmp(name, wanted) == 0)
			link->counter_key = json_integer_value(json_object_get(port, "port"));
	}
	json_decref(status);
	link->counters = bpf_obj_get(path);
	if (link->counters < 0)
		return -errno;
	link->counts = calloc(libbpf_num_possible_cpus(), sizeof(*link->counts));
	return link->counts ? 0 : -ENOMEM;
}

static __u64 outage_forwarded(const struct outage_link *link)
{
	int cpu, cpus = libbpf_num_possible_cpus();
	__u64 sum = 0;

	if (bpf_map_lookup_elem(link->counters, &link->counter_key, link->counts) < 0)
		return 0;
	for (cpu = 0; cpu < cpus; cpu++)
		sum += link->counts[cpu].reason[REASON_FORWARDED].packets;
	return sum;
}

// Has the kernel told that r1 is down or has no carrier?
static bool outage_is_told(const struct outage_link *link)
{
	char buffer[32 * 1024];
	ssize_t size = recv(link->events, buffer, sizeof(buffer), 0);
	const struct nlmsghdr *message = (void *)buffer;
	const struct ifinfomsg *info;
	int left = size;

	for (; size > 0 && mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		info = mnl_nlmsg_get_payload(message);
		if (message->nlmsg_type == RTM_NEWLINK &&
		    info->ifi_index == link->bed->topology.subject.r1.ifindex &&
		    !((info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_LOWER_UP)))
			return true;
	}
	return false;
}

// What the kernel told before is not about what comes now: how the link came up, after it had been down.
static void outage_forget_told(const struct outage_link *link)
{
	char buffer[32 * 1024];

	while (recv(link->events, buffer, sizeof(buffer), 0) >= 0 || errno == ENOBUFS)
		;
}

static void outage_bind(unsigned int cpu)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	sched_setaffinity(0, sizeof(only), &only); // without it the figures are only noisier
}

static void *outage_set_down(void *argument)
{
	struct outage_link *link = argument;

	outage_bind(link->cpu);
	link->result = lane_port_down(link->port);
	link->done = true;
	return NULL;
}

static void outage_probe(struct outage_link *link)
{
	unsigned int six = link->probes & 1, index = link->probes / 2 % MIRROR_BED_DESTINATIONS;

	// Not all arrive, and the socket may be full for a moment.
	probe_send(link->bed->probe, six ? AF_INET6 : AF_INET, link->bed->destinations[six][index].address,
		   index);
	link->probes++;
}

// Packets of both families must take the fast way before anything can be said of the last one. After a link
// came up, this takes the kernel and the daemon a moment.
static int outage_wait_forwarding(struct outage_link *link)
{
	double end = mirror_bed_now_ms() + OUTAGE_WAIT_MS;
	unsigned int i;
	__u64 before;

	do {
		before = outage_forwarded(link);
		for (i = 0; i < OUTAGE_CHECKS; i++)
			outage_probe(link);
		mirror_bed_sleep_ms(OUTAGE_POLL_MS);
		if (outage_forwarded(link) - before >= OUTAGE_CHECKS)
			return 0;
		if (*link->bed->stop)
			return -EINTR;
	} while (mirror_bed_now_ms() < end);
	warnx("bench mirror: the program does not forward before the link goes down");
	return -ETIMEDOUT;
}

// Packet after packet, each to another destination, until no more go to the port. When the last one went is
// not known better than by the first one after it that did not go: that one's time is taken.
static int outage_watch(struct outage_link *link)
{
	__u64 before, now = outage_forwarded(link);
	bool went = true;
	double at;

	for (;;) {
		before = now;
		outage_probe(link);
		now = outage_forwarded(link);
		at = mirror_bed_now_ms();
		if (went || now != before)
			link->last = at;
		went = now != before;
		if (!link->told && outage_is_told(link))
			link->told = at;
		if (*link->bed->stop)
			return -EINTR;
		if (link->told && link->done && at - link->last > OUTAGE_QUIET_MS)
			return 0;
		if (at - link->called > OUTAGE_MAX_MS)
			return -ETIMEDOUT;
		mirror_bed_sleep_ms(OUTAGE_PROBE_MS);
	}
}

// Most kernels hold the CPU on which a link is set down as long as it takes to remove its routes, which is
// half a second here. Who watches must not wait for that one, or takes its own wait for the daemon's, or does
// not see the daemon's. The daemon is where it is.
static int outage_take_down(struct outage_link *link)
{
	cpu_set_t before;
	int nice, err;

	outage_forget_told(link);
	sched_getaffinity(0, sizeof(before), &before);
	link->cpu = machine_first_cpu();
	link->called = mirror_bed_now_ms();
	err = -pthread_create(&link->thread, NULL, outage_set_down, link);
	if (err < 0)
		return err;
	nice = mirror_bed_hurry();
	outage_bind(machine_last_cpu());
	err = outage_watch(link);
	sched_setaffinity(0, sizeof(before), &before);
	mirror_bed_relax(nice);
	pthread_join(link->thread, NULL);
	return err < 0 ? err : link->result;
}

// Returns how long the port got packets after the kernel's word; before the word nobody can know.
static int outage_of(struct mirror_bed *bed, const struct lane_port *port, double *ret_from_told,
		     double *ret_from_call)
{
	struct outage_link link = { .bed = bed, .port = port, .events = -1, .counters = -1 };
	int err;

	err = outage_open_events(&link);
	if (err >= 0)
		err = outage_open_counters(&link);
	if (err >= 0)
		err = outage_wait_forwarding(&link);
	if (err >= 0)
		err = outage_take_down(&link);
	if (err >= 0) {
		*ret_from_told = link.last > link.told ? link.last - link.told : 0;
		*ret_from_call = link.last - link.called;
	}
	if (link.events >= 0)
		close(link.events);
	if (link.counters >= 0)
		close(link.counters);
	free(link.counts);
	return err;
}

int outage_resync(struct mirror_bed *bed, size_t count)
{
	const struct generate_destination *const destinations[2] = { bed->destinations[0],
								     bed->destinations[1] };
	struct generate_counts before, after;
	struct mirror_updates updates;
	__u64 sent;
	int err;

	err = mirror_bed_flaps(bed, count, &updates);
	if (err < 0)
		return err;
	generate_tally(bed->generate, &before);
	err = probe_stream_start(bed->probe, destinations, MIRROR_BED_DESTINATIONS);
	if (err >= 0)
		err = outage_lose_and_wait(bed, &updates);
	sent = probe_stream_stop(bed->probe);
	mirror_bed_sleep_ms(OUTAGE_POLL_MS);
	generate_tally(bed->generate, &after);
	free(updates.updates);
	if (err == -ENODATA) {
		fprintf(stderr, "  %zu changes were too few to lose notifications\n", count);
		return 0;
	}
	if (err >= 0)
		figures_add(&bed->figures, FIGURE_RESYNC_LOST,
			    (double)(sent + before.arrived) - after.arrived);
	return err;
}

int outage_link(struct mirror_bed *bed)
{
	struct lane *lane = &bed->topology.subject;
	double from_told, from_call;
	int err;

	err = outage_of(bed, &lane->d, &from_told, &from_call);
	if (err < 0)
		return err;
	figures_add(&bed->figures, FIGURE_CARRIER_MS, from_told);
	figures_add(&bed->figures, FIGURE_CARRIER_CALL_MS, from_call);
	err = lane_end_up(&lane->d);
	if (err >= 0)
		err = outage_of(bed, &lane->r1, &from_told, &from_call);
	if (err < 0)
		return err;
	figures_add(&bed->figures, FIGURE_DOWN_MS, from_told);
	figures_add(&bed->figures, FIGURE_DOWN_CALL_MS, from_call);
	return 0;
}
