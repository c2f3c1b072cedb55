// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/dpdk/worker.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "host/engine/burst.h"
#include "host/fib/grace.h"

#define RECEIVE_MOST 64    /* frames of a burst, with all that belongs to them, fit the first cache */
#define NAP_AFTER    256   /* turns without a frame */
#define NAP_NS       50000 /* a ring of 1024 takes 20 Mpps for so long */

struct turn { /* of one queue */
	struct worker *worker;
	struct device *device;
	__u16 queue;
};

/* --- what a burst does with frames --- */

static bool is_plain(const struct rte_mbuf *frame)
{
	return likely(frame->nb_segs == 1 && !(frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED));
}

/* In one buffer and with its tag, as the program wants it. False: it cannot be had so, and went to the
 * kernel. */
static bool make_plain(struct turn *turn, struct rte_mbuf **frame)
{
	if ((*frame)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
		(*frame)->ol_flags &= ~RTE_MBUF_F_RX_VLAN_STRIPPED;
		if (rte_vlan_insert(frame) < 0) {
			rte_pktmbuf_free(*frame);
			turn->device->tally[turn->worker->slot].to_kernel_lost++;
			return false;
		}
	}
	if (rte_pktmbuf_linearize(*frame) == 0)
		return true;
	if (turn->device->port != DEVICE_NONE) {
		struct image_counters *counters = &turn->worker->counters[turn->device->port];

		counters->reason[REASON_MULTI_BUFFER].packets++;
		counters->reason[REASON_MULTI_BUFFER].bytes += (*frame)->pkt_len;
	}
	device_punt(turn->device, turn->worker->slot, *frame);
	rte_pktmbuf_free(*frame);
	return false;
}

static __rte_always_inline void describe(const struct rte_mbuf *frame, struct burst_frame *ret)
{
	ret->data = rte_pktmbuf_mtod(frame, __u8 *);
	ret->length = frame->data_len;
	ret->headroom = frame->data_off;
}

/* Of those received, some are not plain. */
static unsigned int describe_plain(struct turn *turn, struct rte_mbuf **frame, unsigned int count,
				   struct burst_frame *ret_frame)
{
	unsigned int plain = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (!is_plain(frame[i]) && !make_plain(turn, &frame[i]))
			continue;
		describe(frame[i], &ret_frame[plain]);
		frame[plain++] = frame[i];
	}
	return plain;
}

static unsigned int receive(void *arg, struct burst_frame *ret_frame, void **ret_handle)
{
	struct turn *turn = arg;
	struct rte_mbuf **frame = (struct rte_mbuf **)ret_handle;
	unsigned int count = rte_eth_rx_burst(turn->device->id, turn->queue, frame, RECEIVE_MOST);
	__u64 flags = 0;
	__u16 segments = 0; /* ones add up to 1 */

	for (unsigned int i = 0; i < count; i++) {
		flags |= frame[i]->ol_flags;
		segments |= frame[i]->nb_segs;
		describe(frame[i], &ret_frame[i]);
	}
	if (likely(segments <= 1 && !(flags & RTE_MBUF_F_RX_VLAN_STRIPPED)))
		return count;
	return describe_plain(turn, frame, count, ret_frame);
}

static void reshape(void *arg, void *handle, const struct burst_frame *frame)
{
	struct rte_mbuf *buffer = handle;

	buffer->data_off = (__u16)frame->headroom;
	buffer->data_len = (__u16)frame->length;
	buffer->pkt_len = frame->length;
}

static void punt(void *arg, void **handle, unsigned int count)
{
	struct turn *turn = arg;

	for (unsigned int i = 0; i < count; i++)
		device_punt(turn->device, turn->worker->slot, handle[i]);
	rte_pktmbuf_free_bulk((struct rte_mbuf **)handle, count);
}

static void drop(void *arg, void **handle, unsigned int count)
{
	rte_pktmbuf_free_bulk((struct rte_mbuf **)handle, count);
}

static void transmit(void *arg, __u16 port, void **handle, unsigned int count)
{
	struct turn *turn = arg;
	struct device *egress = turn->worker->workers->egress[port & (IMAGE_PORTS - 1)];

	device_send(egress, turn->worker->slot, (struct rte_mbuf **)handle, count);
}

static const struct burst_io io = { receive, reshape, punt, drop, transmit };

/* --- turns --- */

static unsigned int punt_all(struct turn *turn)
{
	struct rte_mbuf *frame[BURST_MOST];
	unsigned int count = rte_eth_rx_burst(turn->device->id, turn->queue, frame, RECEIVE_MOST), plain = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (!is_plain(frame[i]) && !make_plain(turn, &frame[i]))
			continue;
		device_punt(turn->device, turn->worker->slot, frame[i]);
		frame[plain++] = frame[i];
	}
	rte_pktmbuf_free_bulk(frame, plain);
	return count;
}

static unsigned int turn_all(struct worker *worker)
{
	unsigned int frames = 0;

	for (unsigned int i = 0; i < worker->queues; i++) {
		struct turn turn = { worker, worker->queue[i].device, worker->queue[i].number };

		if (worker->burst && turn.device->port != DEVICE_NONE)
			frames += burst_turn(worker->burst, (__u16)turn.device->port, &io, &turn);
		else
			frames += punt_all(&turn);
	}
	return frames;
}

static void wait_in_pause(struct worker *worker)
{
	if (worker->reader)
		grace_reader_offline(worker->reader);
	__atomic_store_n(&worker->paused, true, __ATOMIC_RELEASE);
	while (__atomic_load_n(&worker->workers->pause, __ATOMIC_ACQUIRE))
		(void)sched_yield();
	__atomic_store_n(&worker->paused, false, __ATOMIC_RELEASE);
	if (worker->reader)
		grace_reader_online(worker->reader);
}

static int work(void *arg)
{
	static const struct timespec nap = { .tv_nsec = NAP_NS };
	struct worker *worker = arg;
	struct workers *workers = worker->workers;
	unsigned int idle = 0;

	(void)prctl(PR_SET_TIMERSLACK, 1000ul);
	if (worker->reader)
		grace_reader_online(worker->reader);
	while (!__atomic_load_n(&workers->stop, __ATOMIC_RELAXED)) {
		if (unlikely(__atomic_load_n(&workers->pause, __ATOMIC_ACQUIRE)))
			wait_in_pause(worker);
		idle = turn_all(worker) ? 0 : idle + 1;
		if (worker->reader)
			grace_reader_quiescent(worker->reader);
		if (idle >= NAP_AFTER && !workers->busy)
			(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	}
	if (worker->reader)
		grace_reader_offline(worker->reader);
	return 0;
}

int workers_start(struct workers *workers)
{
	for (unsigned int i = 0; i < workers->count; i++) {
		int error = rte_eal_remote_launch(work, &workers->worker[i], i + 1);

		if (error < 0)
			return error;
	}
	workers->running = true;
	return 0;
}

void workers_stop(struct workers *workers)
{
	__atomic_store_n(&workers->stop, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < workers->count; i++)
		(void)rte_eal_wait_lcore(i + 1);
	workers->running = false;
}

int workers_deal(struct workers *workers, struct device *device)
{
	for (__u16 number = 0; number < device->receive_queues; number++) {
		struct worker *least = &workers->worker[0];

		for (unsigned int i = 1; i < workers->count; i++)
			if (workers->worker[i].queues < least->queues)
				least = &workers->worker[i];
		if (least->queues == WORKER_QUEUES)
			return -ENOSPC;
		least->queue[least->queues].device = device;
		least->queue[least->queues++].number = number;
	}
	return 0;
}

void workers_pause(struct workers *workers)
{
	if (!workers->running)
		return;
	__atomic_store_n(&workers->pause, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < workers->count; i++)
		while (!__atomic_load_n(&workers->worker[i].paused, __ATOMIC_ACQUIRE))
			(void)sched_yield();
}

void workers_resume(struct workers *workers)
{
	__atomic_store_n(&workers->pause, false, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < workers->count; i++)
		while (__atomic_load_n(&workers->worker[i].paused, __ATOMIC_ACQUIRE))
			(void)sched_yield();
}
