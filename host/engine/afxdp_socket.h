// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * An AF_XDP socket: one queue of a port, receiving and sending.
 *
 * The receiving side belongs to one worker. The sending side has a lock, which is taken once a burst: ports
 * may have fewer queues than others, so that workers share. A frame that is sent goes back to the cache of
 * whoever finds it completed.
 */
#pragma once

#include <stdbool.h>
#include <pthread.h>
#include <linux/types.h>

#include <xdp/xsk.h>

#include "host/engine/afxdp_frames.h"
#include "host/engine/burst.h"
#include "host/why.h"

#define AFXDP_RING 2048 /* frames to receive, and to send */
#define AFXDP_FILL 4096 /* frames that wait to be filled, at most: more than the card's ring and ours */

struct afxdp_socket_options {
	const char *interface;
	__u32 queue;
	bool zero_copy;  /* where the driver can */
	__u32 busy_poll; /* microseconds that the kernel polls the card for us; 0: off */
	__u16 id;        /* of the socket, from 0, unique among those of the frames */
};

struct afxdp_counts {        /* of one socket; written by its worker or under its lock */
	__u64 ring_full;     /* to be sent, but the transmit ring had no room: dropped */
	__u64 kicks;         /* system calls to send */
	__u64 out_of_frames; /* turns that could not give the kernel frames to fill */
};

struct afxdp_socket {
	struct afxdp_frames *frames;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	int fd;
	__u32 queue;
	__u16 receive_owner, send_owner; /* in frames->owner[] */
	bool zero_copy;                  /* what was got */
	__u32 fill_most;                 /* frames the receiving side may hold */

	/* receiving */
	struct xsk_ring_prod fill;
	struct xsk_ring_cons rx;
	__u32 receiving; /* frames held */

	/* sending, under the lock */
	pthread_spinlock_t lock;
	struct xsk_ring_prod tx;
	struct xsk_ring_cons completion;
	__u32 sending; /* frames held */

	struct afxdp_counts counts;
};

/* -EBUSY: the queue has a socket, perhaps one that is just being closed. */
int afxdp_socket_open(struct afxdp_frames *frames, const struct afxdp_socket_options *options,
		      struct afxdp_socket **ret, struct why *why);
/* Zero copy: the card may write to its frames for a while yet, so they stay the socket's; see
 * afxdp_frames_reclaim(). NULL is fine. */
void afxdp_socket_close(struct afxdp_socket *socket);

/* Gives the kernel frames to fill. Before the first call of afxdp_socket_receive(). */
void afxdp_socket_fill(struct afxdp_socket *socket, struct afxdp_cache *cache);
/* Up to BURST_MOST frames; handle is the frame's number. */
unsigned int afxdp_socket_receive(struct afxdp_socket *socket, struct afxdp_cache *cache,
				  struct burst_frame *ret);
/* Takes over the frames; those that find no room are dropped and counted. */
void afxdp_socket_send(struct afxdp_socket *socket, struct afxdp_cache *cache,
		       struct burst_frame *const *frame, unsigned int count);
/* Has the kernel send. Returns false while frames wait that it did not take. */
bool afxdp_socket_kick(struct afxdp_socket *socket);
/* Takes back what was sent. */
void afxdp_socket_complete(struct afxdp_socket *socket, struct afxdp_cache *cache);

/* Whether frames wait to be received; whether some are not completely sent. */
bool afxdp_socket_is_waiting(const struct afxdp_socket *socket);
bool afxdp_socket_is_sending(struct afxdp_socket *socket);
/* While its workers rest: the frames of both sides are as many as owner[] says. */
bool afxdp_socket_is_sound(const struct afxdp_socket *socket);
int afxdp_socket_statistics(const struct afxdp_socket *socket, struct xdp_statistics *ret);
