// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/offer.h"

#include "bench/frame.h"
#include "bench/netns.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <xdp/xsk.h>

#define OFFER_FRAMES     2048 // a power of 2
#define OFFER_FRAME_SIZE 2048
#define OFFER_BATCH      32 // frames that the kernel takes with one call

struct offer {
	const struct generate *generate;
	union traffic_frame heads[2];
	__u8 *area;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completion;
	// of the run
	__u16 sizes[256]; // of frames, in turn
	unsigned int turn;
	__u64 sequence;         // of the next frame
	unsigned int under_way; // frames that the kernel has
};

static __u64 offer_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

// The socket of the memory is the one that is bound, so both belong into the port's namespace.
static int offer_bind(struct offer *offer, const struct lane_port *port)
{
	const struct xsk_umem_config memory = { .fill_size = 64,
						.comp_size = OFFER_FRAMES,
						.frame_size = OFFER_FRAME_SIZE };
	const struct xsk_socket_config config = { .tx_size = OFFER_FRAMES,
						  .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
						  .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP };
	int home, err = netns_enter(port->netns, &home);

	if (err < 0)
		return err;
	err = xsk_umem__create(&offer->umem, offer->area, OFFER_FRAMES * OFFER_FRAME_SIZE, &offer->fill,
			       &offer->completion, &memory);
	if (err >= 0)
		err = xsk_socket__create(&offer->socket, port->name, 0, offer->umem, NULL, &offer->tx,
					 &config);
	netns_leave(home);
	return err;
}

int offer_open(const struct topology *topology, const struct generate *generate, struct offer **ret_offer)
{
	struct offer *offer = calloc(1, sizeof(*offer));
	int err;

	if (!offer)
		return -ENOMEM;
	offer->generate = generate;
	frame_make(&topology->subject, AF_INET, &offer->heads[0]);
	frame_make(&topology->subject, AF_INET6, &offer->heads[1]);
	offer->area = mmap(NULL, OFFER_FRAMES * OFFER_FRAME_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (offer->area == MAP_FAILED) {
		free(offer);
		return -ENOMEM;
	}
	err = offer_bind(offer, &topology->subject.s);
	if (err < 0) {
		offer_close(offer);
		return err;
	}
	*ret_offer = offer;
	return 0;
}

void offer_close(struct offer *offer)
{
	if (!offer)
		return;
	xsk_socket__delete(offer->socket);
	xsk_umem__delete(offer->umem);
	munmap(offer->area, OFFER_FRAMES * OFFER_FRAME_SIZE);
	free(offer);
}

// The sizes in an order in which each comes as evenly as its weight allows.
static void offer_set_sizes(struct offer *offer, const struct offer_load *load)
{
	unsigned int left[OFFER_SIZES] = { 0 }, total = 0,
		     least = load->family == AF_INET6 ? TRAFFIC_FRAME6 : TRAFFIC_FRAME4;

	for (unsigned int i = 0; i < OFFER_SIZES && load->sizes[i]; i++)
		total += load->weights[i];
	offer->turn = total ? total : 1;
	offer->sizes[0] = least;
	for (unsigned int k = 0; k < total && k < 256; k++) {
		unsigned int best = 0;

		for (unsigned int i = 0; i < OFFER_SIZES && load->sizes[i]; i++) {
			left[i] += load->weights[i];
			if (left[i] > left[best])
				best = i;
		}
		left[best] -= left[best] < total ? left[best] : total;
		offer->sizes[k] = load->sizes[best] < least ? least : load->sizes[best];
	}
}

static __u32 offer_fill(struct offer *offer, __u8 family, __u8 *bytes)
{
	bool six = family == AF_INET6;
	const struct traffic_stamp stamp = { .sent_ns = offer_now_ns(), .sequence = offer->sequence };
	__u16 index = offer->sequence;
	union traffic_frame head = offer->heads[six];
	__u32 size = offer->sizes[offer->sequence % offer->turn];

	frame_resize(&head, family, size);
	frame_address(&head, family, generate_destination(offer->generate, family, index), index);
	memcpy(bytes, head.bytes, sizeof(head.bytes));
	memcpy(bytes + (six ? TRAFFIC_STAMP6 : TRAFFIC_STAMP4), &stamp, sizeof(stamp));
	frame_finish(bytes, family, size);
	offer->sequence++;
	return size;
}

static void offer_reclaim(struct offer *offer)
{
	__u32 index, count = xsk_ring_cons__peek(&offer->completion, OFFER_FRAMES, &index);

	if (count)
		xsk_ring_cons__release(&offer->completion, count);
	offer->under_way -= count;
}

// Frames leave in order, so the slots are used in turn.
static void offer_send(struct offer *offer, __u8 family, unsigned int count)
{
	__u32 index;

	if (!xsk_ring_prod__reserve(&offer->tx, count, &index))
		return;
	for (unsigned int i = 0; i < count; i++) {
		struct xdp_desc *slot = xsk_ring_prod__tx_desc(&offer->tx, index + i);

		slot->addr = (offer->sequence & (OFFER_FRAMES - 1)) * OFFER_FRAME_SIZE;
		slot->options = 0;
		slot->len = offer_fill(offer, family, offer->area + slot->addr);
	}
	xsk_ring_prod__submit(&offer->tx, count);
	offer->under_way += count;
}

// What the kernel does not take now it takes with the next call.
static int offer_kick(const struct offer *offer)
{
	if (sendto(xsk_socket__fd(offer->socket), NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno == EAGAIN ||
	    errno == EBUSY || errno == ENOBUFS)
		return 0;
	return -errno;
}

// Sends what is due, until all is sent and has left.
static int offer_loop(struct offer *offer, const struct offer_load *load, __u64 total,
		      const volatile sig_atomic_t *stop)
{
	const __u64 begin = offer_now_ns();
	int err = 0;

	while (err >= 0 && (offer->sequence < total || offer->under_way)) {
		__u64 due = (offer_now_ns() - begin) * 1e-9 * load->rate + 1, count;

		if (*stop)
			return -EINTR;
		count = (due < total ? due : total) - offer->sequence;
		if (count > OFFER_BATCH)
			count = OFFER_BATCH;
		if (count > OFFER_FRAMES - offer->under_way)
			count = OFFER_FRAMES - offer->under_way;
		if (count)
			offer_send(offer, load->family, count);
		if (offer->under_way)
			err = offer_kick(offer);
		offer_reclaim(offer);
	}
	return err;
}

int offer_run(struct offer *offer, const struct offer_load *load, const volatile sig_atomic_t *stop,
	      struct offer_result *ret_result)
{
	__u64 total = load->rate * load->seconds, begin;
	cpu_set_t before, cpus;
	int err;

	if (total > OFFER_SEQUENCES)
		return -EINVAL;
	for (unsigned int i = 0; i < OFFER_SIZES; i++)
		if (load->sizes[i] > OFFER_LARGEST)
			return -EMSGSIZE;
	offer_set_sizes(offer, load);
	offer->sequence = 0;
	sched_getaffinity(0, sizeof(before), &before);
	CPU_ZERO(&cpus);
	CPU_SET(load->cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	begin = offer_now_ns();
	err = offer_loop(offer, load, total, stop);
	ret_result->sent = offer->sequence;
	ret_result->seconds = (offer_now_ns() - begin) * 1e-9;
	sched_setaffinity(0, sizeof(before), &before);
	return err;
}
