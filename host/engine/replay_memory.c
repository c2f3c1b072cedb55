// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/replay_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/engine/burst.h"

#define HEADROOM 128 /* as DPDK has it */
#define BUFFERS  512 /* in turn, as those of a NIC */
#define LINE     64
/* Longer frames hold no IP packet that fits: what the program says of them is the same from here on. */
#define LONGEST  131072

struct stored {
	__u64 at; /* in bytes[], a multiple of LINE */
	__u32 captured, length;
};

struct frames {
	struct stored *frame;
	size_t count, room;
};

struct replay_memory {
	struct frames port[IMAGE_PORTS];
	__u8 *bytes;
	__u64 used, room;
	__u32 longest;
	/* while it runs */
	const struct frames *from;
	size_t next;
	__u8 *buffer;
	size_t stride;
	unsigned int turn;
};

int replay_memory_new(struct replay_memory **ret)
{
	struct replay_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	*ret = memory;
	return 0;
}

void replay_memory_free(struct replay_memory *memory)
{
	if (!memory)
		return;
	for (unsigned int i = 0; i < IMAGE_PORTS; i++)
		free(memory->port[i].frame);
	free(memory->bytes);
	free(memory);
}

static __u64 round_up(__u64 size)
{
	return (size + LINE - 1) & ~(__u64)(LINE - 1);
}

static int reserve(struct replay_memory *memory, struct frames *frames, __u32 captured)
{
	__u64 room = memory->room ? memory->room : 1 << 20;
	struct stored *frame;
	__u8 *bytes;

	if (frames->count == frames->room) {
		frame = realloc(frames->frame, (frames->room ? 2 * frames->room : 1024) * sizeof(*frame));
		if (!frame)
			return -ENOMEM;
		frames->frame = frame;
		frames->room = frames->room ? 2 * frames->room : 1024;
	}
	while (room < memory->used + round_up(captured) + LINE)
		room *= 2;
	if (room > REPLAY_MEMORY_MOST)
		return -ENOSPC;
	if (room == memory->room)
		return 0;
	bytes = realloc(memory->bytes, room);
	if (!bytes)
		return -ENOMEM;
	memory->bytes = bytes;
	memory->room = room;
	return 0;
}

int replay_memory_add(struct replay_memory *memory, __u16 port, const __u8 *bytes, __u32 captured,
		      __u32 length)
{
	struct frames *frames = &memory->port[port & (IMAGE_PORTS - 1)];
	int r;

	length = length < LONGEST ? length : LONGEST;
	captured = captured < length ? captured : length;
	r = reserve(memory, frames, captured);

	if (r)
		return r;
	memcpy(memory->bytes + memory->used, bytes, captured);
	memset(memory->bytes + memory->used + captured, 0, round_up(captured) - captured);
	frames->frame[frames->count++] = (struct stored){ memory->used, captured, length };
	memory->used += round_up(captured);
	memory->longest = length > memory->longest ? length : memory->longest;
	return 0;
}

/* --- running --- */

static unsigned int receive(void *arg, struct burst_frame *ret, void **ret_handle)
{
	struct replay_memory *memory = arg;
	const struct frames *from = memory->from;
	size_t left = from->count - memory->next;
	unsigned int count = left < BURST_MOST ? left : BURST_MOST;

	for (unsigned int i = 0; i < count; i++) {
		const struct stored *stored = &from->frame[memory->next + i];
		__u8 *data = memory->buffer + memory->turn * memory->stride + HEADROOM;

		memory->turn = (memory->turn + 1) % BUFFERS;
		/* short ones without a call; there is room behind them on both sides */
		if (stored->length <= LINE) {
			memcpy(data, memory->bytes + stored->at, LINE);
		} else {
			memcpy(data, memory->bytes + stored->at, stored->captured);
			memset(data + stored->captured, 0, stored->length - stored->captured);
		}
		ret[i] = (struct burst_frame){ .data = data, .length = stored->length, .headroom = HEADROOM };
	}
	memory->next += count;
	return count;
}

static void forget(void *arg, void **handle, unsigned int count)
{
}

static void forget_sent(void *arg, __u16 port, void **handle, unsigned int count)
{
}

static __u64 cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
}

static void run_once(struct replay_memory *memory, struct burst *burst, const volatile sig_atomic_t *stop)
{
	static const struct burst_io io = { receive, NULL, forget, forget, forget_sent };

	for (__u16 port = 0; port < IMAGE_PORTS; port++) {
		memory->from = &memory->port[port];
		memory->next = 0;
		while (memory->next < memory->from->count && !(stop && *stop))
			burst_turn(burst, port, &io, memory);
	}
}

int replay_memory_run(struct replay_memory *memory, const struct image_store *store, __u64 times,
		      const volatile sig_atomic_t *stop, struct replay_speed *ret)
{
	struct burst *burst = NULL;
	__u64 began;
	int r = -ENOMEM;

	memset(ret, 0, sizeof(*ret));
	/* a line more, so that not all frames begin in the same sets of the cache */
	memory->stride = round_up(HEADROOM + memory->longest) + LINE;
	if (memory->stride % 128 == 0)
		memory->stride += LINE;
	memory->buffer = aligned_alloc(LINE, BUFFERS * memory->stride);
	if (!memory->buffer)
		return -ENOMEM;
	memset(memory->buffer, 0, BUFFERS * memory->stride);
	r = burst_new(store, ret->counters, &burst);
	if (r)
		goto free_buffer;
	began = cpu_time();
	for (__u64 i = 0; i < times && !(stop && *stop); i++)
		run_once(memory, burst, stop);
	ret->cpu_ns = cpu_time() - began;
	for (unsigned int port = 0; port < IMAGE_PORTS; port++)
		for (unsigned int reason = 0; reason < REASON_MAX; reason++)
			ret->packets += ret->counters[port].reason[reason].packets;
	burst_free(burst);
free_buffer:
	free(memory->buffer);
	memory->buffer = NULL;
	return r;
}
