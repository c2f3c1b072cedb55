// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/generator_dpdk.h"

#include "bench/netns.h"
#include "bench/sender.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define GENERATOR_DPDK_BUFFERS 2047
#define GENERATOR_DPDK_BURST   32
#define GENERATOR_DPDK_SLOTS   512 // of the device's queue
// What its ring has room for a frame in, and some words about it; the larger is of whole pages.
#define GENERATOR_DPDK_USUAL   2048
#define GENERATOR_DPDK_LARGE   12288
#define GENERATOR_DPDK_WORDS   128

struct generator_dpdk {
	const struct generator_bed *bed;
	struct rte_mempool *pool;
	__u16 port;
	struct load_frames frames;
	__u64 total, most_ns;
	pthread_t thread;
	bool runs;
	atomic_bool stop, done;
	_Atomic __u64 sent; // also the number of the next frame
	__u64 begin_ns;
	_Atomic __u64 end_ns;
};

static __u64 generator_dpdk_due(const struct generator_dpdk *dpdk, __u64 now_ns)
{
	const struct load *load = &dpdk->frames.load;
	__u64 due = load->rate > 0 ? (now_ns - dpdk->begin_ns) * 1e-9 * load->rate + 1 : dpdk->total;

	return due < dpdk->total ? due : dpdk->total;
}

// Sends some of what is due; what the device does not take is sent with the next call.
static void generator_dpdk_burst(struct generator_dpdk *dpdk, unsigned int count)
{
	struct rte_mbuf *burst[GENERATOR_DPDK_BURST];
	unsigned int made, taken;

	if (rte_pktmbuf_alloc_bulk(dpdk->pool, burst, count) != 0)
		return;
	for (made = 0; made < count; made++) {
		__u8 *bytes = rte_pktmbuf_mtod(burst[made], __u8 *);

		burst[made]->data_len = burst[made]->pkt_len =
			load_frame(&dpdk->frames, dpdk->sent + made, sender_now_ns(), bytes);
	}
	taken = rte_eth_tx_burst(dpdk->port, 0, burst, count);
	if (taken < count)
		rte_pktmbuf_free_bulk(burst + taken, count - taken);
	dpdk->sent += taken;
}

static void *generator_dpdk_run(void *argument)
{
	struct generator_dpdk *dpdk = argument;
	bool more = true;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(dpdk->frames.load.cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	dpdk->begin_ns = sender_now_ns();
	while (more && !dpdk->stop) {
		__u64 now = sender_now_ns(), due = generator_dpdk_due(dpdk, now), count = due - dpdk->sent;

		if (due > dpdk->sent)
			generator_dpdk_burst(dpdk,
					     count < GENERATOR_DPDK_BURST ? count : GENERATOR_DPDK_BURST);
		more = dpdk->sent < dpdk->total && (!dpdk->most_ns || now - dpdk->begin_ns < dpdk->most_ns);
	}
	dpdk->end_ns = sender_now_ns();
	dpdk->done = true;
	return NULL;
}

static unsigned int generator_dpdk_room(const struct generator_bed *bed)
{
	return bed->largest + GENERATOR_DPDK_WORDS > GENERATOR_DPDK_USUAL ? GENERATOR_DPDK_LARGE
									  : GENERATOR_DPDK_USUAL;
}

// In the namespace of s, whose packet socket it makes.
static int generator_dpdk_start_eal(const struct generator_bed *bed)
{
	unsigned int room = generator_dpdk_room(bed);
	char device[96], prefix[40];
	const char *words[] = { "penstock", "--no-huge", "--no-pci",      "--no-shconf", "--no-telemetry",
				"-m",       "128",       "--log-level=1", prefix,        device };
	cpu_set_t before;
	int err;

	snprintf(device, sizeof(device), "--vdev=net_af_packet0,iface=%s,framesz=%u,blocksz=%u",
		 bed->lane->s.name, room, room > GENERATOR_DPDK_USUAL ? room : 2 * room);
	snprintf(prefix, sizeof(prefix), "--file-prefix=penstock-bench-%d-g", getpid());
	sched_getaffinity(0, sizeof(before), &before);
	err = rte_eal_init(sizeof(words) / sizeof(words[0]), (char **)words) < 0 ? -rte_errno : 0;
	sched_setaffinity(0, sizeof(before), &before);
	if (err >= 0) // nothing is kept there without shared memory, and it would stay
		rmdir(rte_eal_get_runtime_dir());
	return err;
}

static int generator_dpdk_start_port(struct generator_dpdk *dpdk)
{
	const struct rte_eth_conf nothing = { 0 };
	int err;

	dpdk->pool =
		rte_pktmbuf_pool_create("frames", GENERATOR_DPDK_BUFFERS, 0, 0,
					RTE_PKTMBUF_HEADROOM + generator_dpdk_room(dpdk->bed), SOCKET_ID_ANY);
	if (!dpdk->pool)
		return -rte_errno;
	err = rte_eth_dev_get_port_by_name("net_af_packet0", &dpdk->port);
	if (err >= 0)
		err = rte_eth_dev_configure(dpdk->port, 1, 1, &nothing);
	if (err >= 0)
		err = rte_eth_rx_queue_setup(dpdk->port, 0, GENERATOR_DPDK_SLOTS, SOCKET_ID_ANY, NULL,
					     dpdk->pool);
	if (err >= 0)
		err = rte_eth_tx_queue_setup(dpdk->port, 0, GENERATOR_DPDK_SLOTS, SOCKET_ID_ANY, NULL);
	return err < 0 ? err : rte_eth_dev_start(dpdk->port);
}

static int generator_dpdk_start_all(struct generator_dpdk *dpdk, struct why *why)
{
	const char *name = dpdk->bed->lane->s.name;
	int err = generator_dpdk_start_eal(dpdk->bed);

	if (err < 0)
		return why_set(why, -err, "generator dpdk: DPDK does not start on %s: %s", name,
			       rte_strerror(-err));
	err = generator_dpdk_start_port(dpdk);
	if (err < 0) {
		rte_eal_cleanup();
		return why_set(why, -err, "generator dpdk: cannot start its device on %s: %s", name,
			       rte_strerror(-err));
	}
	return 0;
}

static int generator_dpdk_open(const struct generator_bed *bed, void **ret_sender, struct why *why)
{
	struct generator_dpdk *dpdk = calloc(1, sizeof(*dpdk));
	int home, err;

	if (!dpdk)
		return -ENOMEM;
	dpdk->bed = bed;
	err = netns_enter(bed->lane->s.netns, &home); // where DPDK looks for the port, again and again
	if (err < 0) {
		free(dpdk);
		return err;
	}
	err = generator_dpdk_start_all(dpdk, why);
	netns_leave(home);
	if (err < 0)
		free(dpdk);
	else
		*ret_sender = dpdk;
	return err;
}

static int generator_dpdk_start(void *sender, const struct load *load, struct why *why)
{
	struct generator_dpdk *dpdk = sender;
	sigset_t all, before;
	int err = load_prepare(&dpdk->frames, load, dpdk->bed->lane, dpdk->bed->generate);

	if (err < 0)
		return why_set(why, -err, "generator dpdk: at most %u packets in one go", TRAFFIC_SEQUENCES);
	dpdk->total = load_packets(load) ? load_packets(load) : TRAFFIC_SEQUENCES;
	dpdk->most_ns = load_packets(load) ? 0 : load->seconds * 1e9;
	dpdk->stop = dpdk->done = false;
	dpdk->sent = 0;
	dpdk->end_ns = 0;
	dpdk->begin_ns = sender_now_ns();
	// Signals of the process are for the main thread.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&dpdk->thread, NULL, generator_dpdk_run, dpdk);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	dpdk->runs = err == 0;
	return err;
}

static void generator_dpdk_counts(void *sender, struct generator_counts *ret_counts)
{
	const struct generator_dpdk *dpdk = sender;

	ret_counts->done = dpdk->done;
	ret_counts->sent = dpdk->sent;
	ret_counts->seconds = ((dpdk->end_ns ? dpdk->end_ns : sender_now_ns()) - dpdk->begin_ns) * 1e-9;
}

static int generator_dpdk_stop(void *sender, struct generator_counts *ret_counts)
{
	struct generator_dpdk *dpdk = sender;

	if (dpdk->runs) {
		dpdk->stop = true;
		pthread_join(dpdk->thread, NULL);
		dpdk->runs = false;
	}
	generator_dpdk_counts(sender, ret_counts);
	return 0;
}

static void generator_dpdk_close(void *sender)
{
	struct generator_dpdk *dpdk = sender;
	struct generator_counts counts;

	generator_dpdk_stop(sender, &counts);
	rte_eth_dev_stop(dpdk->port);
	rte_eth_dev_close(dpdk->port);
	rte_eal_cleanup();
	free(dpdk);
}

const struct generator_way generator_dpdk = {
	.name = "dpdk",
	.summary = "a packet socket of DPDK's, at any rate",
	.can = GENERATOR_MIXES | GENERATOR_AIMS | GENERATOR_NUMBERS,
	.largest = LOAD_LARGEST + TRAFFIC_TAG,
	.open = generator_dpdk_open,
	.close = generator_dpdk_close,
	.start = generator_dpdk_start,
	.counts = generator_dpdk_counts,
	.stop = generator_dpdk_stop,
};
