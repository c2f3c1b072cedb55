// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The program as `penstock replay` runs it: each frame among the last few of all ports, which it sorts by
// port and hands over in their order.

#include <stdlib.h>
#include <string.h>
#include <linux/errno.h>

#include "host/engine/replay.h"
#include "tests/conformance/runner.h"

#define LAST 3

struct frame {
	__u16 port;
	__u32 length;
	__u8 *bytes;
};

struct replays {
	struct replay *replay;
	unsigned int count; // frames so far
	struct frame last[LAST];
};

// One call of the runner: its frame and those before it, the new one in another place each time.
struct turn {
	const struct frame *frame[LAST + 1];
	unsigned int count, next, done, place;
	struct runner_outcome *outcome;
};

static int next_frame(void *arg, struct replay_frame *ret)
{
	struct turn *turn = arg;
	const struct frame *frame;

	if (turn->next == turn->count)
		return 0;
	frame = turn->frame[turn->next];
	ret->number = turn->next++;
	ret->port = frame->port;
	ret->captured = ret->length = frame->length;
	ret->bytes = frame->bytes;
	return 1;
}

static int frame_done(void *arg, const struct replay_frame *frame)
{
	struct turn *turn = arg;
	struct runner_outcome *outcome = turn->outcome;
	bool forward = frame->verdict.action == ACTION_FORWARD;

	if (frame->number != turn->done++ || frame->cut)
		return -EPROTO;
	if (frame->number != turn->place)
		return 0;
	outcome->action = frame->verdict.action;
	outcome->reason = frame->verdict.reason;
	outcome->port = forward ? frame->verdict.port : -1;
	outcome->length = forward ? frame->out_captured : frame->captured;
	memcpy(outcome->frame, forward ? frame->out : frame->bytes, outcome->length);
	return forward && frame->out_length != frame->out_captured ? -EPROTO : 0;
}

static void replay_close(void *runner)
{
	struct replays *replays = runner;

	for (unsigned int i = 0; i < LAST; i++)
		free(replays->last[i].bytes);
	replay_free(replays->replay);
	free(replays);
}

static int replay_open(struct image_store *store, __u32 ports, void **ret_runner)
{
	struct replays *replays = calloc(1, sizeof(*replays));

	if (!replays)
		return -ENOMEM;
	if (replay_new(store, &replays->replay) < 0) {
		free(replays);
		return -ENOMEM;
	}
	*ret_runner = replays;
	return 0;
}

static int keep(struct frame *last, __u16 port, const __u8 *bytes, __u32 length)
{
	__u8 *copy = realloc(last->bytes, length);

	if (!copy)
		return -ENOMEM;
	*last = (struct frame){ port, length, memcpy(copy, bytes, length) };
	return 0;
}

static int replay_run_one(void *runner, __u16 port, const __u8 *bytes, __u32 length,
			  struct runner_outcome *ret_outcome)
{
	static const struct replay_io io = { next_frame, frame_done };
	struct replays *replays = runner;
	struct frame *place = &replays->last[replays->count % LAST];
	unsigned int others = replays->count < LAST ? replays->count : LAST;
	struct frame now = { port, length, (__u8 *)bytes };
	struct turn turn = { .count = others + 1,
			     .place = replays->count % (others + 1),
			     .outcome = ret_outcome };
	int error;

	for (unsigned int i = 0, other = 0; i < turn.count; i++)
		turn.frame[i] = i == turn.place ? &now : &replays->last[other++];
	error = replay_run(replays->replay, &io, &turn);
	if (error == 0 && turn.done != turn.count)
		error = -EPROTO;
	replays->count++;
	return error < 0 ? error : keep(place, port, bytes, length);
}

const struct runner_ops runner_replay = {
	.name = "replay",
	.open = replay_open,
	.close = replay_close,
	.run = replay_run_one,
};
