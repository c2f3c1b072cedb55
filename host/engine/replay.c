// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Frames are taken in batches. Those of a batch that came in by the same port make a burst, so that the
 * stages have many to work on; then all are handed over in the order in which they came.
 */
#include "host/engine/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/burst.h"

#define HEADROOM 64
/* Longer frames hold no IP packet that fits: what the program says of them is the same from here on. */
#define WORK     131072

struct place {
	struct replay_frame frame;
	__u8 bytes[REPLAY_MOST];
	__u8 work[HEADROOM + WORK];
};

struct replay {
	struct burst *burst;
	struct image_counters counters[IMAGE_PORTS];
	struct place *place; /* [BURST_MOST] */
	unsigned int count;
	bool end;
	/* those of one port */
	struct burst_frame group[BURST_MOST];
};

int replay_new(const struct image_store *store, struct replay **ret)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return -ENOMEM;
	replay->place = malloc(BURST_MOST * sizeof(*replay->place)); /* touched as far as frames are long */
	if (!replay->place || burst_new(store, replay->counters, &replay->burst) < 0) {
		replay_free(replay);
		return -ENOMEM;
	}
	*ret = replay;
	return 0;
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	burst_free(replay->burst);
	free(replay->place);
	free(replay);
}

static int take_one(struct replay *replay, const struct replay_io *io, void *arg)
{
	struct place *place = &replay->place[replay->count];
	struct replay_frame *frame = &place->frame;
	int r;

	memset(frame, 0, sizeof(*frame));
	r = io->next(arg, frame);
	if (r <= 0) {
		replay->end = true;
		return r;
	}
	frame->cut = frame->captured < frame->length && frame->captured < REPLAY_LEAST;
	memcpy(place->bytes, frame->bytes, frame->captured);
	frame->bytes = place->bytes;
	replay->count++;
	return 0;
}

/* The frame as it was on the wire; what the capture left out is zero. */
static struct burst_frame prepare(struct place *place)
{
	__u32 length = place->frame.length < WORK ? place->frame.length : WORK;
	__u32 captured = place->frame.captured < length ? place->frame.captured : length;
	__u8 *data = place->work + HEADROOM;

	memcpy(data, place->bytes, captured);
	memset(data + captured, 0, length - captured);
	return (struct burst_frame){ .data = data, .length = length, .headroom = HEADROOM, .handle = place };
}

static void finish(const struct burst_frame *burst)
{
	struct place *place = burst->handle;
	struct replay_frame *frame = &place->frame;

	frame->verdict = burst->verdict;
	if (burst->verdict.action != ACTION_FORWARD)
		return;
	frame->out = burst->data;
	frame->out_length = burst->length;
	/* tags that came or went were in front of what was cut */
	frame->out_captured = burst->length - (frame->length - frame->captured);
}

/* Runs those of a port, from the first one on that has not been run. */
static void run_port(struct replay *replay, __u16 port, unsigned int first, bool *ran)
{
	unsigned int count = 0;

	for (unsigned int i = first; i < replay->count; i++) {
		struct replay_frame *frame = &replay->place[i].frame;

		if (ran[i] || frame->port != port)
			continue;
		ran[i] = true;
		if (!frame->cut)
			replay->group[count++] = prepare(&replay->place[i]);
	}
	burst_run(replay->burst, port, replay->group, count);
	for (unsigned int i = 0; i < count; i++)
		finish(&replay->group[i]);
}

static int batch(struct replay *replay, const struct replay_io *io, void *arg)
{
	bool ran[BURST_MOST] = { false };
	int r = 0;

	replay->count = 0;
	while (!r && !replay->end && replay->count < BURST_MOST)
		r = take_one(replay, io, arg);
	for (unsigned int i = 0; i < replay->count; i++)
		if (!ran[i])
			run_port(replay, replay->place[i].frame.port, i, ran);
	for (unsigned int i = 0; i < replay->count && r >= 0; i++)
		r = io->done(arg, &replay->place[i].frame);
	return r;
}

int replay_run(struct replay *replay, const struct replay_io *io, void *arg)
{
	int r = 0;

	replay->end = false;
	while (!r && !replay->end)
		r = batch(replay, io, arg);
	return r;
}

const struct image_counters *replay_counters(const struct replay *replay, __u16 port)
{
	return &replay->counters[port & (IMAGE_PORTS - 1)];
}
