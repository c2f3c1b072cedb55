// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The frames of a load by an AF_XDP socket.

#include "bench/generator.h"
#include "bench/sender.h"

#include <errno.h>
#include <stdlib.h>

struct generator_afxdp {
	const struct generator_bed *bed;
	struct sender *sender;
	struct sender_source source;
	struct load_frames frames;
};

static __u32 generator_afxdp_make(void *arg, __u64 number, __u64 now_ns, __u8 *bytes)
{
	return load_frame(arg, number, now_ns, bytes);
}

static __u64 generator_afxdp_due(void *arg, __u64 number)
{
	const struct load_frames *frames = arg;

	return frames->load.rate > 0 ? number / frames->load.rate * 1e9 : 0;
}

static void generator_afxdp_close(void *sender)
{
	struct generator_afxdp *afxdp = sender;

	sender_close(afxdp->sender);
	free(afxdp);
}

static int generator_afxdp_open(const struct generator_bed *bed, void **ret_sender, struct why *why)
{
	struct generator_afxdp *afxdp = calloc(1, sizeof(*afxdp));
	int err;

	if (!afxdp)
		return -ENOMEM;
	afxdp->bed = bed;
	err = sender_open(&bed->lane->s, bed->largest > SENDER_CHUNK, &afxdp->sender, why);
	if (err < 0) {
		free(afxdp);
		return err;
	}
	*ret_sender = afxdp;
	return 0;
}

static int generator_afxdp_start(void *sender, const struct load *load, struct why *why)
{
	struct generator_afxdp *afxdp = sender;
	int err = load_prepare(&afxdp->frames, load, afxdp->bed->lane, afxdp->bed->generate);

	if (err < 0)
		return why_set(why, -err, "generator afxdp: at most %u packets of %u bytes in one go",
			       TRAFFIC_SEQUENCES, LOAD_LARGEST);
	afxdp->source = (struct sender_source){
		.arg = &afxdp->frames,
		.make = generator_afxdp_make,
		.due = generator_afxdp_due,
		.total = load_packets(load) ? load_packets(load) : TRAFFIC_SEQUENCES,
		.late_ns = load->late * 1e9,
		.most_ns = load_packets(load) ? 0 : load->seconds * 1e9,
	};
	return sender_start(afxdp->sender, &afxdp->source, load->cpu);
}

static void generator_afxdp_counts(void *sender, struct generator_counts *ret_counts)
{
	sender_counts(((struct generator_afxdp *)sender)->sender, ret_counts);
}

static int generator_afxdp_stop(void *sender, struct generator_counts *ret_counts)
{
	return sender_stop(((struct generator_afxdp *)sender)->sender, ret_counts);
}

const struct generator_way generator_afxdp = {
	.name = "afxdp",
	.summary = "an AF_XDP socket, at any rate",
	.can = GENERATOR_MIXES | GENERATOR_AIMS | GENERATOR_NUMBERS,
	.largest = LOAD_LARGEST + TRAFFIC_TAG,
	.open = generator_afxdp_open,
	.close = generator_afxdp_close,
	.start = generator_afxdp_start,
	.counts = generator_afxdp_counts,
	.stop = generator_afxdp_stop,
};
