// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The memory that frames of all AF_XDP ports lie in, and who has which.
 *
 * One area, cut into frames of AFXDP_FRAME bytes. Every socket registers the same area with the kernel, so a
 * frame received by one port leaves by another without a copy, and ports come and go without the others.
 *
 * A frame is in one place at any time: in the pool, in a worker's cache, with the receiving side of a socket
 * (fill ring, kernel, receive ring), with its sending side (transmit ring, kernel, completion ring), or among
 * those that go back to the kernel (afxdp_handback.h). The sockets count what they hold, owner[] says it for
 * each frame; an audit compares the two. A worker holds frames outside of these places only within a turn.
 */
#pragma once

#include <pthread.h>
#include <linux/types.h>

#define AFXDP_FRAME           2048
#define AFXDP_CACHE           512
#define AFXDP_CACHE_BATCH     256
#define AFXDP_FREE            0 /* owner of frames that no socket holds */
/* Numbers of owners below this one are taken: AFXDP_FREE, and both sides of so many sockets. */
#define AFXDP_OWNERS(sockets) (2 * (sockets) + 1)

struct afxdp_frames {
	__u8 *area;
	__u32 count;
	__u16 *owner; /* by frame: AFXDP_FREE or what the socket made of its id */
	pthread_spinlock_t lock;
	__u32 free_count; /* under the lock */
	__u32 *free;      /* the pool, a stack: what was used last is still in the CPU's cache */
};

/* A worker's own. */
struct afxdp_cache {
	__u32 count;
	__u32 frame[AFXDP_CACHE];
};

/* -ENOMEM. */
int afxdp_frames_new(__u32 count, struct afxdp_frames **ret);
/* No socket may be left that knows the area. NULL is fine. */
void afxdp_frames_free(struct afxdp_frames *frames);
/* Back into the pool: all that the owner has. Returns how many. */
__u32 afxdp_frames_reclaim(struct afxdp_frames *frames, __u16 owner);
/* From one owner to another one. */
void afxdp_frames_move(struct afxdp_frames *frames, __u16 from, __u16 to);
__u32 afxdp_frames_owned(const struct afxdp_frames *frames, __u16 owner);

/* Fills an empty cache, or relieves a full one. */
void afxdp_cache_fill(struct afxdp_cache *cache, struct afxdp_frames *frames);
void afxdp_cache_spill(struct afxdp_cache *cache, struct afxdp_frames *frames, __u32 count);

static inline void afxdp_cache_put(struct afxdp_cache *cache, struct afxdp_frames *frames, __u32 frame)
{
	if (cache->count == AFXDP_CACHE)
		afxdp_cache_spill(cache, frames, AFXDP_CACHE_BATCH);
	frames->owner[frame] = AFXDP_FREE;
	cache->frame[cache->count++] = frame;
}

/* Makes up to `want` frames available on top of the cache; returns how many there are of these. */
static inline __u32 afxdp_cache_ready(struct afxdp_cache *cache, struct afxdp_frames *frames, __u32 want)
{
	if (cache->count < want)
		afxdp_cache_fill(cache, frames);
	return cache->count < want ? cache->count : want;
}
