// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The program as engines of user space run it, in bursts: each frame among the last few of its port, which
// go other ways, so that the stages work on what is mixed.

#include <stdlib.h>
#include <string.h>
#include <linux/errno.h>

#include "host/engine/burst.h"
#include "tests/conformance/runner.h"

#define HEADROOM 64 // for tags
#define BUFFER   (HEADROOM + RUNNER_FRAME)
#define LAST     4

struct frame {
	__u32 length;
	__u8 *bytes;
};

struct port {
	unsigned int count; // frames so far
	struct frame last[LAST];
};

struct bursts {
	struct burst *burst;
	struct image_counters *counters;
	__u8 *buffer[LAST + 1]; // a frame lies at the end, so that a sanitizer sees what reads behind it
	struct port port[];
};

static void burst_close(void *runner)
{
	struct bursts *bursts = runner;

	for (unsigned int i = 0; i < IMAGE_PORTS; i++)
		for (unsigned int j = 0; j < LAST; j++)
			free(bursts->port[i].last[j].bytes);
	for (unsigned int i = 0; i <= LAST; i++)
		free(bursts->buffer[i]);
	burst_free(bursts->burst);
	free(bursts->counters);
	free(bursts);
}

static int burst_open(struct image_store *store, __u32 ports, void **ret_runner)
{
	struct bursts *bursts = calloc(1, sizeof(*bursts) + IMAGE_PORTS * sizeof(bursts->port[0]));
	bool full = true;

	if (!bursts)
		return -ENOMEM;
	bursts->counters = calloc(IMAGE_PORTS, sizeof(*bursts->counters));
	for (unsigned int i = 0; i <= LAST; i++) {
		bursts->buffer[i] = malloc(BUFFER);
		full &= bursts->buffer[i] != NULL;
	}
	if (!full || !bursts->counters || burst_new(store, bursts->counters, &bursts->burst) < 0) {
		burst_close(bursts);
		return -ENOMEM;
	}
	*ret_runner = bursts;
	return 0;
}

static void put(struct bursts *bursts, struct burst_frame *frame, unsigned int place, const __u8 *bytes,
		__u32 length)
{
	*frame = (struct burst_frame){ .data = bursts->buffer[place] + BUFFER - length,
				       .length = length,
				       .headroom = BUFFER - length };
	memcpy(frame->data, bytes, length);
}

static int keep(struct frame *last, const __u8 *bytes, __u32 length)
{
	__u8 *copy = realloc(last->bytes, length);

	if (!copy)
		return -ENOMEM;
	last->bytes = memcpy(copy, bytes, length);
	last->length = length;
	return 0;
}

static int burst_run_one(void *runner, __u16 port, const __u8 *bytes, __u32 length,
			 struct runner_outcome *ret_outcome)
{
	struct bursts *bursts = runner;
	struct port *at = &bursts->port[port];
	unsigned int others = at->count < LAST ? at->count : LAST, place = at->count % (others + 1);
	struct burst_frame frame[LAST + 1];
	struct verdict verdict;

	put(bursts, &frame[place], place, bytes, length);
	for (unsigned int i = 0; i < others; i++)
		put(bursts, &frame[i + (i >= place)], i + (i >= place), at->last[i].bytes,
		    at->last[i].length);
	burst_run(bursts->burst, port, frame, others + 1);
	verdict = frame[place].verdict;
	ret_outcome->action = verdict.action;
	ret_outcome->reason = verdict.reason;
	ret_outcome->port = verdict.action == ACTION_FORWARD ? verdict.port : -1;
	ret_outcome->length = frame[place].length;
	memcpy(ret_outcome->frame, frame[place].data, frame[place].length);
	return keep(&at->last[at->count++ % LAST], bytes, length);
}

const struct runner_ops runner_burst = {
	.name = "burst",
	.open = burst_open,
	.close = burst_close,
	.run = burst_run_one,
};
