// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/afxdp.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/capability.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>

#include "host/config.h"
#include "host/engine/afxdp_cooling.h"
#include "host/engine/afxdp_counters.h"
#include "host/engine/afxdp_handback.h"
#include "host/engine/afxdp_probe.h"
#include "host/engine/afxdp_worker.h"
#include "host/engine/engine.h"
#include "host/engine/kernel_maps.h"
#include "host/engine/router_program.h"
#include "host/engine/xdp_link.h"
#include "host/fib/grace.h"
#include "host/log.h"
#include "host/loop.h"
#include "host/modes/egress.h"
#include "host/modes/xdp_features.h"
#include "xdp/router.skel.h"

#define BUSY_AGAIN 2000 /* ms that a queue which is being closed by somebody gets */
#define DRAIN      100  /* ms for frames under way when a port is let go */
#define PER_SOCKET 3072 /* frames that one should have */
#define MOST_CPUS  64

/* One of our ports; its sockets are in the crew's. */
struct afxdp_port_entry {
	LIST_ENTRY(afxdp_port_entry) link;
	struct engine_port port;
	struct router *program;
	int link_fd;
	__u32 program_id;
	bool driver; /* hook */
	bool redirectable;
};

/* A port with a queue that had a socket at the first attempt. */
struct afxdp_busy {
	__u32 ifindex; /* 0: unused */
	__u64 since;   /* ms */
};

struct afxdp {
	struct afxdp_crew crew; /* first: it is large */
	const struct engine_context *context;
	struct xdp_features *features; /* NULL: the kernel does not tell */
	__u32 busy_poll;
	int sockets_fd, steering_fd;
	unsigned int driver_ports;
	struct afxdp_busy busy[IMAGE_PORTS];
	struct afxdp_cooling cooling;
	LIST_HEAD(, afxdp_port_entry) ports;
};

static struct afxdp_port_entry *find_port(struct afxdp *afxdp, const struct engine_port *port)
{
	struct afxdp_port_entry *each;

	LIST_FOREACH (each, &afxdp->ports, link)
		if (each->port.id == port->id)
			return each;
	return NULL;
}

/* The driver's hook and rings may be used. */
static bool may_drive(const struct afxdp *afxdp)
{
	return afxdp->context->config->afxdp.hook == CONFIG_HOOK_AUTO;
}

/* --- opening --- */

static void features_changed(void *arg, __u32 ifindex, __u64 features)
{
	struct afxdp *afxdp = arg;
	struct afxdp_port_entry *port;

	LIST_FOREACH (port, &afxdp->ports, link)
		if (ifindex == 0 || port->port.ifindex == ifindex)
			afxdp->context->changed(afxdp->context->arg, port->port.ifindex);
}

static int open_features(struct afxdp *afxdp, struct why *why)
{
	int error = xdp_features_open(&afxdp->features);

	if (error == 0)
		error = xdp_features_watch(afxdp->features, afxdp->context->loop, features_changed, afxdp);
	if (error < 0 && error != -EOPNOTSUPP)
		return why_set(why, -error, "cannot watch the features of devices: %s", strerror(-error));
	return 0;
}

static int open_maps(struct afxdp *afxdp, struct why *why)
{
	LIBBPF_OPTS(bpf_map_create_opts, mapped, .map_flags = BPF_F_MMAPABLE);
	void *memory;

	afxdp->sockets_fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "sockets", sizeof(__u32), sizeof(__u32),
					   IMAGE_PORTS * STEERING_QUEUES, NULL);
	afxdp->steering_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "steering", sizeof(__u32),
					    sizeof(struct steering), 1, &mapped);
	if (afxdp->sockets_fd < 0 || afxdp->steering_fd < 0)
		return why_set(why, errno, "cannot make BPF maps: %s", strerror(errno));
	memory = mmap(NULL, sizeof(struct steering), PROT_READ | PROT_WRITE, MAP_SHARED, afxdp->steering_fd,
		      0);
	if (memory == MAP_FAILED)
		return why_set(why, errno, "cannot map a BPF map: %s", strerror(errno));
	afxdp->crew.steering = memory;
	return 0;
}

static unsigned int usable_cpus(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count < 1 ? 1 : (unsigned int)count;
}

static int open_crew(struct afxdp *afxdp, struct why *why)
{
	const struct config_afxdp *config = &afxdp->context->config->afxdp;
	int cpu[MOST_CPUS], cpus = 0, error;
	unsigned int workers;

	if (config->cpus)
		cpus = config_cpus(config->cpus, cpu, MOST_CPUS);
	workers = config->workers ? config->workers : cpus > 0 ? (unsigned int)cpus : usable_cpus();
	if (workers > STEERING_QUEUES)
		workers = STEERING_QUEUES;
	afxdp->busy_poll = config->busy_poll;
	afxdp->crew.busy = config->busy_poll;
	error = afxdp_frames_new(config->frames, &afxdp->crew.frames);
	if (error < 0)
		return why_set(why, ENOMEM, "no memory for %u frames; set afxdp.frames lower",
			       config->frames);
	error = afxdp_handback_new(afxdp->context->loop, afxdp->crew.frames, &afxdp->crew.handback, why);
	if (error == 0)
		error = afxdp_counters_new(afxdp->context->pins, workers, afxdp->context->maps->adopted,
					   &afxdp->crew.counters, why);
	if (error < 0)
		return error;
	return afxdp_crew_start(&afxdp->crew, workers, cpu, cpus > 0 ? (unsigned int)cpus : 0, why);
}

static void close_afxdp(void *engine)
{
	struct afxdp *afxdp = engine;

	afxdp_crew_stop(&afxdp->crew);
	afxdp_handback_free(afxdp->crew.handback);
	afxdp_counters_free(afxdp->crew.counters);
	afxdp_frames_free(afxdp->crew.frames);
	if (afxdp->crew.steering)
		munmap(afxdp->crew.steering, sizeof(struct steering));
	if (afxdp->steering_fd >= 0)
		close(afxdp->steering_fd);
	if (afxdp->sockets_fd >= 0)
		close(afxdp->sockets_fd);
	xdp_features_close(afxdp->features);
	free(afxdp);
}

static int open_afxdp(const struct engine_context *context, void **ret, struct why *why)
{
	struct afxdp *afxdp = calloc(1, sizeof(*afxdp));
	int error;

	if (!afxdp)
		return why_set(why, ENOMEM, "out of memory");
	afxdp->context = afxdp->crew.context = context;
	afxdp->sockets_fd = afxdp->steering_fd = -1;
	LIST_INIT(&afxdp->ports);
	error = open_features(afxdp, why);
	if (error == 0)
		error = open_maps(afxdp, why);
	if (error == 0)
		error = open_crew(afxdp, why);
	if (error < 0) {
		close_afxdp(afxdp);
		return error;
	}
	*ret = afxdp;
	return 0;
}

/* --- sockets of a port --- */

/* Frames of closed sockets whose card is done with them by now. */
static void reclaim(struct afxdp *afxdp)
{
	afxdp_cooling_end(&afxdp->cooling, afxdp->crew.frames, loop_now());
}

static void cool_down(struct afxdp *afxdp, __u16 receive_owner, __u16 send_owner)
{
	struct timespec pause = { .tv_nsec = 10000000 };

	while (!afxdp_cooling_take(&afxdp->cooling, afxdp->crew.frames, receive_owner, send_owner,
				   loop_now())) {
		(void)nanosleep(&pause, NULL);
		reclaim(afxdp);
	}
}

static void close_socket(struct afxdp *afxdp, struct afxdp_socket *socket)
{
	__u16 receive_owner = socket->receive_owner, send_owner = socket->send_owner;
	bool zero_copy = socket->zero_copy;

	afxdp_socket_close(socket);
	if (zero_copy) {
		cool_down(afxdp, receive_owner, send_owner);
		return;
	}
	afxdp_frames_reclaim(afxdp->crew.frames, receive_owner);
	afxdp_frames_reclaim(afxdp->crew.frames, send_owner);
}

static void close_sockets(struct afxdp *afxdp, struct afxdp_port *sockets)
{
	for (unsigned int i = 0; i < sockets->sockets; i++)
		close_socket(afxdp, sockets->socket[i]);
	memset(sockets, 0, sizeof(*sockets));
}

static unsigned int count_sockets(const struct afxdp *afxdp)
{
	unsigned int sum = 0;

	for (unsigned int port = 0; port < IMAGE_PORTS; port++)
		sum += afxdp->crew.port[port].sockets;
	return sum;
}

/* Before anything is opened: one socket for each receive queue. */
static int plan_sockets(const struct afxdp *afxdp, const struct capability *facts, struct afxdp_port *ret,
			unsigned int *ret_queues, struct why *why)
{
	unsigned int queues = facts->ethtool.rx_queues, transmit = facts->ethtool.queues;
	unsigned int needed;

	queues = queues < 1 ? 1 : queues > STEERING_QUEUES ? STEERING_QUEUES : queues;
	needed = (count_sockets(afxdp) + queues) * PER_SOCKET;
	if (needed > afxdp->crew.frames->count)
		return why_set(why, ENOMEM,
			       "%u queues more need %u frames in all, there are %u; set afxdp.frames to a "
			       "higher power of two",
			       queues, needed, afxdp->crew.frames->count);
	*ret = (struct afxdp_port){ .ifindex = facts->ifindex,
				    .transmit = transmit < 1 || transmit > queues ? queues : transmit };
	*ret_queues = queues;
	return 0;
}

/* As many frames to fill as it may hold, if there are as many. No worker knows the socket yet. */
static void fill_first(struct afxdp *afxdp, struct afxdp_socket *socket)
{
	struct afxdp_cache cache = { 0 };
	__u32 before;

	do {
		before = socket->receiving;
		afxdp_socket_fill(socket, &cache);
	} while (socket->receiving > before);
	afxdp_cache_spill(&cache, afxdp->crew.frames, AFXDP_CACHE);
}

static int open_sockets(struct afxdp *afxdp, const struct engine_port *port, const struct capability *facts,
			struct afxdp_port *ret, struct why *why)
{
	struct afxdp_socket_options options = {
		.interface = port->name,
		.zero_copy = may_drive(afxdp) && afxdp_probe_zero_copy(facts),
		.busy_poll = afxdp->busy_poll,
	};
	struct afxdp_port sockets = { 0 };
	unsigned int queues = 0;
	int error = plan_sockets(afxdp, facts, &sockets, &queues, why);

	while (error == 0 && sockets.sockets < queues) {
		options.queue = sockets.sockets;
		options.id = (__u16)steering_slot(port->id, options.queue);
		error = afxdp_socket_open(afxdp->crew.frames, &options, &sockets.socket[sockets.sockets],
					  why);
		if (error == 0)
			fill_first(afxdp, sockets.socket[sockets.sockets++]);
	}
	if (error < 0) {
		close_sockets(afxdp, &sockets);
		return error;
	}
	*ret = sockets;
	return 0;
}

static struct afxdp_busy *find_busy(struct afxdp *afxdp, __u32 ifindex)
{
	for (int i = 0; i < IMAGE_PORTS; i++)
		if (afxdp->busy[i].ifindex == ifindex)
			return &afxdp->busy[i];
	return NULL;
}

/* What a kernel closes in the background may be busy for a moment: the next review tries again. */
static int judge_busy(struct afxdp *afxdp, const struct engine_port *port, int error)
{
	struct afxdp_busy *busy = find_busy(afxdp, port->ifindex);
	__u64 now = loop_now();

	if (error != -EBUSY) {
		if (busy)
			busy->ifindex = 0;
		return error;
	}
	if (!busy) {
		busy = find_busy(afxdp, 0);
		if (!busy)
			return -EBUSY;
		*busy = (struct afxdp_busy){ port->ifindex, now };
	}
	if (now - busy->since > BUSY_AGAIN)
		return -EBUSY;
	afxdp->context->changed(afxdp->context->arg, port->ifindex);
	return -EAGAIN;
}

/* --- attaching --- */

static int steer_to(struct afxdp *afxdp, const struct engine_port *port, const struct afxdp_port *sockets)
{
	int error = 0;

	for (unsigned int i = 0; error == 0 && i < sockets->sockets; i++) {
		__u32 slot = steering_slot(port->id, i), fd = (__u32)sockets->socket[i]->fd;

		error = bpf_map_update_elem(afxdp->sockets_fd, &slot, &fd, BPF_ANY);
	}
	return error;
}

static void steer_no_more(struct afxdp *afxdp, const struct engine_port *port)
{
	for (unsigned int i = 0; i < STEERING_QUEUES; i++) {
		__u32 slot = steering_slot(port->id, i);

		(void)bpf_map_delete_elem(afxdp->sockets_fd, &slot); /* most are not there */
	}
}

static void set_sockets(struct afxdp *afxdp, __u16 port, const struct afxdp_port *sockets)
{
	afxdp_crew_rest(&afxdp->crew);
	afxdp->crew.port[port] = *sockets;
	afxdp_crew_assign(&afxdp->crew);
	afxdp_crew_go(&afxdp->crew);
}

static int attach_program(struct afxdp *afxdp, struct afxdp_port_entry *entry, const struct capability *facts,
			  struct why *why)
{
	__u32 flags;
	int error;

	entry->driver = may_drive(afxdp) && afxdp_probe_driver(facts);
	flags = entry->driver ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	error = router_program_steer(afxdp->context, &entry->port, afxdp->sockets_fd, afxdp->steering_fd,
				     &entry->program, why);
	if (error < 0)
		return error;
	entry->link_fd = xdp_link_attach(afxdp->context->pins, &entry->port, flags,
					 bpf_program__fd(entry->program->progs.penstock_steer), why);
	if (entry->link_fd < 0) {
		router__destroy(entry->program);
		return entry->link_fd;
	}
	entry->program_id = xdp_link_program(bpf_program__fd(entry->program->progs.penstock_steer));
	return 0;
}

static int attach(void *engine, const struct engine_port *port, struct why *why)
{
	struct afxdp *afxdp = engine;
	struct afxdp_port_entry *entry = calloc(1, sizeof(*entry));
	struct afxdp_port none = { 0 }, sockets;
	struct capability facts;
	int error;

	if (!entry)
		return why_set(why, ENOMEM, "out of memory");
	entry->port = *port;
	reclaim(afxdp);
	error = capability_read(port->name, afxdp->features, &facts);
	if (error < 0) {
		(void)why_set(why, -error, "cannot be looked at: %s", strerror(-error));
		goto free_entry;
	}
	error = judge_busy(afxdp, port, open_sockets(afxdp, port, &facts, &sockets, why));
	if (error < 0)
		goto free_entry;
	/* first the workers look, then frames may come */
	set_sockets(afxdp, port->id, &sockets);
	error = steer_to(afxdp, port, &sockets);
	if (error < 0) {
		(void)why_set(why, -error, "cannot steer frames to a socket: %s", strerror(-error));
		goto close_sockets;
	}
	error = attach_program(afxdp, entry, &facts, why);
	if (error < 0)
		goto close_sockets;
	LIST_INSERT_HEAD(&afxdp->ports, entry, link);
	afxdp->driver_ports += entry->driver;
	afxdp->context->maps->native_ports += entry->driver;
	return 0;
close_sockets:
	steer_no_more(afxdp, port);
	set_sockets(afxdp, port->id, &none);
	close_sockets(afxdp, &sockets);
free_entry:
	free(entry);
	return error;
}

/* Frames that came before the program went, and those that are being sent. */
static void drain(const struct afxdp_port *sockets)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	__u64 end = loop_now() + DRAIN;
	bool busy = true;

	while (busy && loop_now() < end) {
		busy = false;
		for (unsigned int i = 0; i < sockets->sockets; i++)
			busy = busy || afxdp_socket_is_waiting(sockets->socket[i]) ||
			       afxdp_socket_is_sending(sockets->socket[i]);
		if (busy)
			(void)nanosleep(&pause, NULL);
	}
}

/* Of sockets that are no worker's any more, since a worker that had no CPU all the while has left frames
 * there: Linux forwards what came in, and what the kernel has not yet been told to send it sends. */
static void clear(struct afxdp *afxdp, const struct engine_port *port, const struct afxdp_port *sockets)
{
	struct afxdp_cache cache = { 0 };
	__u32 sum = 0;

	for (unsigned int i = 0; i < sockets->sockets; i++) {
		sum += afxdp_handback_collect(afxdp->crew.handback, port->ifindex, sockets->socket[i],
					      &cache);
		(void)afxdp_socket_kick(sockets->socket[i]);
	}
	afxdp_cache_spill(&cache, afxdp->crew.frames, cache.count);
	if (sum)
		log_info("%s: %u packets that waited for a worker go to the kernel", port->name, sum);
}

static void detach(void *engine, const struct engine_port *port)
{
	struct afxdp *afxdp = engine;
	struct afxdp_port_entry *entry = find_port(afxdp, port);
	struct afxdp_port none = { 0 }, sockets;

	if (!entry)
		return;
	xdp_link_detach(afxdp->context->pins, &entry->port, entry->link_fd);
	grace_wait_kernel(); /* what it has steered so far is in the sockets then */
	steer_no_more(afxdp, port);
	sockets = afxdp->crew.port[port->id];
	drain(&sockets);
	set_sockets(afxdp, port->id, &none);
	clear(afxdp, port, &sockets);
	close_sockets(afxdp, &sockets);
	router__destroy(entry->program);
	afxdp->driver_ports -= entry->driver;
	afxdp->context->maps->native_ports -= entry->driver;
	LIST_REMOVE(entry, link);
	free(entry);
}

/* --- egress --- */

static void set_reach(struct afxdp *afxdp, __u16 port, bool on)
{
	__atomic_store_n(&afxdp->crew.reach[port & (IMAGE_PORTS - 1)], on, __ATOMIC_SEQ_CST);
}

/* In the devmap, for ports of other engines and for frames that are too long for a socket, while the device
 * takes redirected frames: a kernel asked to redirect into one that cannot loses them. */
static void set_redirectable(struct afxdp *afxdp, struct afxdp_port_entry *entry, bool able)
{
	struct kernel_maps *maps = afxdp->context->maps;

	if (able && !entry->redirectable)
		able = kernel_maps_port_set(maps, entry->port.id, entry->port.ifindex) == 0;
	else if (!able && entry->redirectable)
		kernel_maps_port_clear(maps, entry->port.id);
	entry->redirectable = able;
}

static int start(void *engine, const struct engine_port *port, struct why *why)
{
	set_reach(engine, port->id, true);
	return 0;
}

static void stop(void *engine, const struct engine_port *port)
{
	struct afxdp *afxdp = engine;
	struct afxdp_port_entry *entry = find_port(afxdp, port);

	set_reach(afxdp, port->id, false);
	if (entry)
		set_redirectable(afxdp, entry, false);
}

/* Ports of other engines reach this one through the devmap only. */
static bool has_others(const struct afxdp *afxdp)
{
	const struct kernel_maps *maps = afxdp->context->maps;

	return maps->native_ports > afxdp->driver_ports || maps->generic_ports > 0;
}

static int state(void *engine, const struct engine_port *port, const struct capability *now,
		 struct engine_state *ret)
{
	struct afxdp *afxdp = engine;
	struct afxdp_port_entry *entry = find_port(afxdp, port);
	const struct afxdp_port *sockets;
	enum capability_attach hook;
	struct egress egress;

	if (!entry)
		return -ENOENT;
	reclaim(afxdp);
	memset(ret, 0, sizeof(*ret));
	hook = entry->driver ? CAPABILITY_ATTACH_NATIVE : CAPABILITY_ATTACH_GENERIC;
	egress_probe(afxdp->context->platform, now, afxdp->context->maps->native_ports > 0, &egress);
	ret->attached = now->ifindex == port->ifindex && now->program.at[hook] == entry->program_id;
	set_redirectable(afxdp, entry, egress.able.possible);
	ret->frames = egress.able.possible && egress.frames;
	ret->able = egress.able;
	if (!has_others(afxdp))
		probe_yes(&ret->able, "sends what other ports of this engine receive");
	sockets = &afxdp->crew.port[port->id];
	ret->queues = (__u16)sockets->sockets;
	snprintf(ret->how, sizeof(ret->how), "%s, %s hook, %u queue%s",
		 sockets->socket[0]->zero_copy ? "zero copy" : "copy", entry->driver ? "driver" : "generic",
		 sockets->sockets, sockets->sockets == 1 ? "" : "s");
	return 0;
}

/* --- figures --- */

static int counters(void *engine, __u16 port, struct image_counters *ret)
{
	struct afxdp *afxdp = engine;
	int error = kernel_maps_counters(afxdp->context->maps, port, ret);

	if (error == 0)
		afxdp_counters_add(afxdp->crew.counters, port, ret);
	return error;
}

struct account { /* of all frames */
	__u64 free, receiving, sending, cooling, astray;
};

/* Every frame is somewhere, and where it is said to be. While the workers rest. */
static void take_account(struct afxdp *afxdp, struct account *ret)
{
	struct account account = { 0 };
	bool sound = true;
	__u64 sum;

	account.free = afxdp->crew.frames->free_count + afxdp_crew_cached(&afxdp->crew);
	account.receiving = afxdp_handback_waiting(afxdp->crew.handback);
	for (unsigned int port = 0; port < IMAGE_PORTS; port++)
		for (unsigned int i = 0; i < afxdp->crew.port[port].sockets; i++) {
			const struct afxdp_socket *socket = afxdp->crew.port[port].socket[i];

			account.receiving += socket->receiving;
			account.sending += socket->sending;
			sound = sound && afxdp_socket_is_sound(socket);
		}
	account.cooling = afxdp_cooling_count(&afxdp->cooling, afxdp->crew.frames);
	sum = account.free + account.receiving + account.sending + account.cooling;
	account.astray = sum > afxdp->crew.frames->count ? sum - afxdp->crew.frames->count
							 : afxdp->crew.frames->count - sum;
	if (!account.astray && !sound)
		account.astray = 1;
	*ret = account;
}

static void add_statistics(const struct afxdp_port *sockets, struct xdp_statistics *sum,
			   struct afxdp_counts *counts)
{
	for (unsigned int i = 0; i < sockets->sockets; i++) {
		const struct afxdp_socket *socket = sockets->socket[i];
		struct xdp_statistics one;

		counts->ring_full += socket->counts.ring_full;
		counts->kicks += socket->counts.kicks;
		counts->out_of_frames += socket->counts.out_of_frames;
		if (afxdp_socket_statistics(socket, &one) < 0)
			continue;
		sum->rx_dropped += one.rx_dropped;
		sum->rx_invalid_descs += one.rx_invalid_descs;
		sum->tx_invalid_descs += one.tx_invalid_descs;
		sum->rx_ring_full += one.rx_ring_full;
		sum->rx_fill_ring_empty_descs += one.rx_fill_ring_empty_descs;
		sum->tx_ring_empty_descs += one.tx_ring_empty_descs;
	}
}

/* Those of the port first, then those of the whole engine. */
static unsigned int facts(void *engine, const struct engine_port *port, struct engine_fact *ret)
{
	struct afxdp *afxdp = engine;
	struct xdp_statistics kernel = { 0 };
	struct afxdp_counts counts = { 0 };
	struct afxdp_crew_facts crew;
	struct account account;
	unsigned int count = 0;

	afxdp_crew_rest(&afxdp->crew);
	add_statistics(&afxdp->crew.port[port->id], &kernel, &counts);
	take_account(afxdp, &account);
	afxdp_crew_go(&afxdp->crew);
	afxdp_crew_facts(&afxdp->crew, &crew);
#define FACT(text, number) ret[count++] = (struct engine_fact){ text, number }
	FACT("queues", afxdp->crew.port[port->id].sockets);
	FACT("rx_dropped", kernel.rx_dropped);
	FACT("rx_ring_full", kernel.rx_ring_full);
	FACT("rx_invalid", kernel.rx_invalid_descs);
	FACT("fill_ring_empty", kernel.rx_fill_ring_empty_descs);
	FACT("tx_ring_full", counts.ring_full);
	FACT("tx_ring_empty", kernel.tx_ring_empty_descs);
	FACT("tx_invalid", kernel.tx_invalid_descs);
	FACT("kicks", counts.kicks);
	FACT("out_of_frames", counts.out_of_frames);
	FACT("workers", afxdp->crew.workers);
	FACT("sleeps", crew.sleeps);
	FACT("handed_back", crew.handed_back);
	FACT("lost", crew.lost);
	FACT("frames", afxdp->crew.frames->count);
	FACT("frames_free", account.free);
	FACT("frames_receiving", account.receiving);
	FACT("frames_sending", account.sending);
	FACT("frames_cooling", account.cooling);
	FACT("frames_astray", account.astray);
#undef FACT
	return count;
}

const struct engine_ops engine_afxdp = {
	.name = "afxdp",
	.place = ENGINE_PLACE_USER,
	.rights =
		1ull << CAP_NET_RAW | 1ull << CAP_IPC_LOCK, /* sockets; their memory beyond RLIMIT_MEMLOCK */
	.effect = "a CPU of its own for what can be forwarded, where the driver cannot redirect",
	.probe = afxdp_probe,
	.measured = afxdp_probe_measured,
	.open = open_afxdp,
	.close = close_afxdp,
	.attach = attach,
	.detach = detach,
	.start = start,
	.stop = stop,
	.state = state,
	.counters = counters,
	.facts = facts,
};
