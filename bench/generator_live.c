// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The frames of a load as live frames of the kernel's, one batch after the other through everything behind
// them.

#include "bench/generator.h"

#include <errno.h>
#include <stdlib.h>

#define GENERATOR_LIVE_LARGEST 3520 // what a page has room for, a tag included

struct generator_live {
	const struct generator_bed *bed;
	struct load_frames frames;
	__u64 total, most_ns; // of the load; frames: 0, without a rate
	bool runs;
	int result;
	struct generator_counts counts; // at the end
};

static int generator_live_open(const struct generator_bed *bed, void **ret_sender, struct why *why)
{
	struct generator_live *live = calloc(1, sizeof(*live));

	if (!live)
		return -ENOMEM;
	live->bed = bed;
	*ret_sender = live;
	return 0;
}

static void generator_live_count(struct generator_live *live)
{
	live->counts.sent = generate_load_sent(live->bed->generate, &live->counts.seconds);
	live->counts.done =
		live->total ? live->counts.sent >= live->total : live->counts.seconds * 1e9 >= live->most_ns;
}

static void generator_live_end(struct generator_live *live)
{
	if (!live->runs)
		return;
	generator_live_count(live);
	live->result = generate_stop_load(live->bed->generate);
	live->counts.sent = generate_load_sent(live->bed->generate, &live->counts.seconds);
	live->runs = false;
}

static void generator_live_close(void *sender)
{
	generator_live_end(sender);
	free(sender);
}

static int generator_live_start(void *sender, const struct load *load, struct why *why)
{
	struct generator_live *live = sender;
	int err = load_prepare(&live->frames, load, live->bed->lane, live->bed->generate);

	if (err < 0)
		return why_set(why, -err, "generator live: at most %u packets of %u bytes in one go",
			       TRAFFIC_SEQUENCES, GENERATOR_LIVE_LARGEST);
	live->total = load_packets(load);
	live->most_ns = load->seconds * 1e9;
	live->counts = (struct generator_counts){ 0 };
	err = generate_start_load(live->bed->generate, &live->frames);
	live->runs = err >= 0;
	return err;
}

static void generator_live_counts(void *sender, struct generator_counts *ret_counts)
{
	struct generator_live *live = sender;

	if (live->runs)
		generator_live_count(live);
	if (live->counts.done) // the last packets do not wait for whoever asks
		generator_live_end(live);
	live->counts.done |= !live->runs;
	*ret_counts = live->counts;
}

static int generator_live_stop(void *sender, struct generator_counts *ret_counts)
{
	struct generator_live *live = sender;

	generator_live_end(live);
	live->counts.done = true;
	*ret_counts = live->counts;
	return live->result;
}

const struct generator_way generator_live = {
	.name = "live",
	.summary = "live frames of the kernel, each batch when the one before is through",
	.can = GENERATOR_MIXES | GENERATOR_AIMS | GENERATOR_NUMBERS,
	.largest = GENERATOR_LIVE_LARGEST,
	.open = generator_live_open,
	.close = generator_live_close,
	.start = generator_live_start,
	.counts = generator_live_counts,
	.stop = generator_live_stop,
};
