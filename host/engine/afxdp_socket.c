// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/afxdp_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_xdp.h>

#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif
#define MAX_TX_BUDGET 9 /* XDP_MAX_TX_SKB_BUDGET of linux/if_xdp.h, Linux 6.17 */

#define SEND_BUFFER (8 * 1024 * 1024) /* bytes of socket buffers under way, copy mode */
#define KICKS       (AFXDP_RING / 32) /* the kernel takes at least 32 frames a call */

/* --- opening --- */

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int make_memory(struct afxdp_socket *socket)
{
	struct xsk_umem_config config = {
		.fill_size = AFXDP_FILL,
		.comp_size = AFXDP_RING,
		.frame_size = AFXDP_FRAME,
	};

	return xsk_umem__create(&socket->umem, socket->frames->area,
				(__u64)socket->frames->count * AFXDP_FRAME, &socket->fill,
				&socket->completion, &config);
}

static int bind_as(struct afxdp_socket *socket, const struct afxdp_socket_options *options, __u16 flag)
{
	struct xsk_socket_config config = {
		.rx_size = AFXDP_RING,
		.tx_size = AFXDP_RING,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = flag | XDP_USE_NEED_WAKEUP,
	};
	int error = make_memory(socket);

	if (error < 0)
		return error;
	error = xsk_socket__create(&socket->xsk, options->interface, options->queue, socket->umem,
				   &socket->rx, &socket->tx, &config);
	if (error < 0) {
		/* a memory that was bound in vain cannot be bound again */
		(void)xsk_umem__delete(socket->umem);
		socket->umem = NULL;
	}
	return error;
}

/* With an explicit flag each, so that what was got is known. */
static int bind_socket(struct afxdp_socket *socket, const struct afxdp_socket_options *options)
{
	int error = -EOPNOTSUPP;

	if (options->zero_copy)
		error = bind_as(socket, options, XDP_ZEROCOPY);
	socket->zero_copy = error == 0;
	if (error < 0 && error != -EBUSY)
		error = bind_as(socket, options, XDP_COPY);
	return error;
}

static void set_options(struct afxdp_socket *socket, const struct afxdp_socket_options *options)
{
	/* all of these only make it faster */
	(void)set(socket->fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER);
	(void)set(socket->fd, SOL_XDP, MAX_TX_BUDGET, AFXDP_RING);
	if (!options->busy_poll)
		return;
	(void)set(socket->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, 1);
	(void)set(socket->fd, SOL_SOCKET, SO_BUSY_POLL, (int)options->busy_poll);
	(void)set(socket->fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, BURST_MOST);
}

static int refuse(const struct afxdp_socket_options *options, int error, struct why *why)
{
	if (error == -EBUSY)
		return why_set(why, EBUSY,
			       "queue %u has an AF_XDP socket already; end the program that holds it",
			       options->queue);
	if (error == -EPERM)
		return why_set(why, EPERM, "AF_XDP sockets need CAP_NET_RAW");
	if (error == -ENOMEM || error == -ENOBUFS)
		return why_set(
			why, ENOMEM,
			"no memory for the AF_XDP socket of queue %u; ulimit -l, or fewer afxdp.frames",
			options->queue);
	return why_set(why, -error, "the kernel refuses an AF_XDP socket on queue %u: %s", options->queue,
		       strerror(-error));
}

int afxdp_socket_open(struct afxdp_frames *frames, const struct afxdp_socket_options *options,
		      struct afxdp_socket **ret, struct why *why)
{
	struct afxdp_socket *socket = calloc(1, sizeof(*socket));
	int error;

	if (!socket)
		return why_set(why, ENOMEM, "out of memory");
	socket->frames = frames;
	socket->queue = options->queue;
	socket->receive_owner = 2 * options->id + 1;
	socket->send_owner = 2 * options->id + 2;
	error = bind_socket(socket, options);
	if (error < 0) {
		free(socket);
		return refuse(options, error, why);
	}
	socket->fill_most = socket->zero_copy ? AFXDP_FILL : AFXDP_RING;
	socket->fd = xsk_socket__fd(socket->xsk);
	pthread_spin_init(&socket->lock, PTHREAD_PROCESS_PRIVATE);
	set_options(socket, options);
	*ret = socket;
	return 0;
}

void afxdp_socket_close(struct afxdp_socket *socket)
{
	if (!socket)
		return;
	xsk_socket__delete(socket->xsk);
	(void)xsk_umem__delete(socket->umem);
	pthread_spin_destroy(&socket->lock);
	free(socket);
}

/* --- receiving --- */

void afxdp_socket_fill(struct afxdp_socket *socket, struct afxdp_cache *cache)
{
	__u32 want = socket->fill_most - socket->receiving, count, slot;

	if (want > AFXDP_CACHE_BATCH)
		want = AFXDP_CACHE_BATCH;
	count = afxdp_cache_ready(cache, socket->frames, want);
	socket->counts.out_of_frames += count < want;
	if (!count || xsk_ring_prod__reserve(&socket->fill, count, &slot) != count)
		return;
	for (__u32 i = 0; i < count; i++) {
		__u32 frame = cache->frame[--cache->count];

		socket->frames->owner[frame] = socket->receive_owner;
		*xsk_ring_prod__fill_addr(&socket->fill, slot + i) = (__u64)frame * AFXDP_FRAME;
	}
	xsk_ring_prod__submit(&socket->fill, count);
	socket->receiving += count;
}

unsigned int afxdp_socket_receive(struct afxdp_socket *socket, struct afxdp_cache *cache,
				  struct burst_frame *ret)
{
	__u8 *area = socket->frames->area;
	__u32 slot, count;

	if (socket->fill_most - socket->receiving >= BURST_MOST) {
		afxdp_socket_fill(socket, cache);
		if (xsk_ring_prod__needs_wakeup(&socket->fill))
			(void)recvfrom(socket->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	}
	count = xsk_ring_cons__peek(&socket->rx, BURST_MOST, &slot);
	if (!count)
		return 0;
	for (__u32 i = 0; i < count; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&socket->rx, slot + i);
		__u32 frame = desc->addr / AFXDP_FRAME;

		socket->frames->owner[frame] = AFXDP_FREE;
		ret[i].data = area + desc->addr;
		ret[i].length = desc->len;
		ret[i].headroom = desc->addr % AFXDP_FRAME;
		ret[i].handle = (void *)(unsigned long)frame;
	}
	xsk_ring_cons__release(&socket->rx, count);
	socket->receiving -= count;
	return count;
}

bool afxdp_socket_is_waiting(const struct afxdp_socket *socket)
{
	return __atomic_load_n(socket->rx.producer, __ATOMIC_ACQUIRE) !=
	       __atomic_load_n(socket->rx.consumer, __ATOMIC_RELAXED);
}

/* --- sending --- */

/* Under the lock. */
static void complete(struct afxdp_socket *socket, struct afxdp_cache *cache)
{
	__u32 slot, count;

	if (!socket->sending)
		return;
	count = xsk_ring_cons__peek(&socket->completion, AFXDP_RING, &slot);
	if (!count)
		return;
	for (__u32 i = 0; i < count; i++)
		afxdp_cache_put(cache, socket->frames,
				*xsk_ring_cons__comp_addr(&socket->completion, slot + i) / AFXDP_FRAME);
	xsk_ring_cons__release(&socket->completion, count);
	socket->sending -= count;
}

void afxdp_socket_complete(struct afxdp_socket *socket, struct afxdp_cache *cache)
{
	pthread_spin_lock(&socket->lock);
	complete(socket, cache);
	pthread_spin_unlock(&socket->lock);
}

/* Under the lock. Returns how many found room. */
static unsigned int put(struct afxdp_socket *socket, struct burst_frame *const *frame, unsigned int count)
{
	__u32 room = xsk_prod_nb_free(&socket->tx, count), slot;

	/* what is under way needs room in the completion ring, too */
	if (room > AFXDP_RING - socket->sending)
		room = AFXDP_RING - socket->sending;
	if (count > room)
		count = room;
	if (!count || xsk_ring_prod__reserve(&socket->tx, count, &slot) != count)
		return 0;
	for (unsigned int i = 0; i < count; i++) {
		struct xdp_desc *desc = xsk_ring_prod__tx_desc(&socket->tx, slot + i);

		desc->addr = (__u64)(frame[i]->data - socket->frames->area);
		desc->len = frame[i]->length;
		desc->options = 0;
		socket->frames->owner[(unsigned long)frame[i]->handle] = socket->send_owner;
	}
	xsk_ring_prod__submit(&socket->tx, count);
	socket->sending += count;
	return count;
}

void afxdp_socket_send(struct afxdp_socket *socket, struct afxdp_cache *cache,
		       struct burst_frame *const *frame, unsigned int count)
{
	unsigned int sent;

	pthread_spin_lock(&socket->lock);
	complete(socket, cache);
	sent = put(socket, frame, count);
	socket->counts.ring_full += count - sent;
	pthread_spin_unlock(&socket->lock);
	for (unsigned int i = sent; i < count; i++)
		afxdp_cache_put(cache, socket->frames, (__u32)(unsigned long)frame[i]->handle);
}

/* Copy mode sends within the call, a budget of frames each time. */
bool afxdp_socket_kick(struct afxdp_socket *socket)
{
	for (int i = 0; i < KICKS; i++) {
		if (__atomic_load_n(socket->tx.consumer, __ATOMIC_ACQUIRE) ==
		    __atomic_load_n(socket->tx.producer, __ATOMIC_RELAXED))
			return true;
		if (!xsk_ring_prod__needs_wakeup(&socket->tx))
			return true;
		__atomic_fetch_add(&socket->counts.kicks, 1, __ATOMIC_RELAXED);
		if (sendto(socket->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno == ENETDOWN)
			return true;
		if (errno != EAGAIN)
			return false;
	}
	return false;
}

bool afxdp_socket_is_sending(struct afxdp_socket *socket)
{
	bool sending;

	pthread_spin_lock(&socket->lock);
	sending = socket->sending;
	pthread_spin_unlock(&socket->lock);
	return sending;
}

/* --- figures --- */

bool afxdp_socket_is_sound(const struct afxdp_socket *socket)
{
	return afxdp_frames_owned(socket->frames, socket->receive_owner) == socket->receiving &&
	       afxdp_frames_owned(socket->frames, socket->send_owner) == socket->sending;
}

int afxdp_socket_statistics(const struct afxdp_socket *socket, struct xdp_statistics *ret)
{
	socklen_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret)); /* kernels before 5.9 fill in less */
	return getsockopt(socket->fd, SOL_XDP, XDP_STATISTICS, ret, &size) < 0 ? -errno : 0;
}
