// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/afxdp_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int afxdp_frames_new(__u32 count, struct afxdp_frames **ret)
{
	struct afxdp_frames *frames = calloc(1, sizeof(*frames));

	if (!frames)
		return -ENOMEM;
	frames->count = frames->free_count = count;
	frames->owner = calloc(count, sizeof(*frames->owner));
	frames->free = calloc(count, sizeof(*frames->free));
	frames->area = mmap(NULL, (size_t)count * AFXDP_FRAME, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!frames->owner || !frames->free || frames->area == MAP_FAILED)
		goto free_all;
	/* fewer TLB misses where the system grants it */
	(void)madvise(frames->area, (size_t)count * AFXDP_FRAME, MADV_HUGEPAGE);
	for (__u32 i = 0; i < count; i++)
		frames->free[i] = count - 1 - i;
	pthread_spin_init(&frames->lock, PTHREAD_PROCESS_PRIVATE);
	*ret = frames;
	return 0;
free_all:
	if (frames->area != MAP_FAILED)
		munmap(frames->area, (size_t)count * AFXDP_FRAME);
	free(frames->free);
	free(frames->owner);
	free(frames);
	return -ENOMEM;
}

void afxdp_frames_free(struct afxdp_frames *frames)
{
	if (!frames)
		return;
	munmap(frames->area, (size_t)frames->count * AFXDP_FRAME);
	pthread_spin_destroy(&frames->lock);
	free(frames->free);
	free(frames->owner);
	free(frames);
}

__u32 afxdp_frames_reclaim(struct afxdp_frames *frames, __u16 owner)
{
	__u32 count = 0;

	pthread_spin_lock(&frames->lock);
	for (__u32 frame = 0; frame < frames->count; frame++) {
		if (frames->owner[frame] != owner)
			continue;
		frames->owner[frame] = AFXDP_FREE;
		frames->free[frames->free_count++] = frame;
		count++;
	}
	pthread_spin_unlock(&frames->lock);
	return count;
}

void afxdp_frames_move(struct afxdp_frames *frames, __u16 from, __u16 to)
{
	for (__u32 frame = 0; frame < frames->count; frame++)
		if (frames->owner[frame] == from)
			frames->owner[frame] = to;
}

__u32 afxdp_frames_owned(const struct afxdp_frames *frames, __u16 owner)
{
	__u32 count = 0;

	for (__u32 frame = 0; frame < frames->count; frame++)
		count += frames->owner[frame] == owner;
	return count;
}

void afxdp_cache_fill(struct afxdp_cache *cache, struct afxdp_frames *frames)
{
	pthread_spin_lock(&frames->lock);
	while (cache->count < AFXDP_CACHE_BATCH && frames->free_count)
		cache->frame[cache->count++] = frames->free[--frames->free_count];
	pthread_spin_unlock(&frames->lock);
}

void afxdp_cache_spill(struct afxdp_cache *cache, struct afxdp_frames *frames, __u32 count)
{
	if (count > cache->count)
		count = cache->count;
	pthread_spin_lock(&frames->lock);
	cache->count -= count;
	memcpy(&frames->free[frames->free_count], &cache->frame[cache->count], count * sizeof(__u32));
	frames->free_count += count;
	pthread_spin_unlock(&frames->lock);
}
