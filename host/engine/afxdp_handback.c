// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/afxdp_handback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "host/engine/afxdp_frames.h"
#include "host/engine/afxdp_socket.h"
#include "host/engine/burst.h"
#include "host/log.h"
#include "host/loop.h"

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

#define SLICE 64 /* frames between two turns of the loop: 1.5 ms */

struct parcel {
	const __u8 *frame;
	__u32 length, ifindex, queue;
};

struct afxdp_handback {
	int program_fd;
	struct afxdp_frames *frames;
	struct loop_timer *timer;
	/* collected: a ring with room for all frames */
	struct parcel *parcel;
	__u32 first, count;
	__u32 refused; /* since there were none */
};

static int give(const struct afxdp_handback *handback, const struct parcel *parcel)
{
	struct xdp_md context = { .data_end = parcel->length,
				  .ingress_ifindex = parcel->ifindex,
				  .rx_queue_index = parcel->queue };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = parcel->frame, .data_size_in = parcel->length,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1, .batch_size = 1,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(handback->program_fd, &options);
}

static void give_first(struct afxdp_handback *handback, struct afxdp_cache *cache)
{
	const struct parcel *parcel = &handback->parcel[handback->first];

	handback->refused += give(handback, parcel) < 0;
	afxdp_cache_put(cache, handback->frames,
			(__u32)((parcel->frame - handback->frames->area) / AFXDP_FRAME));
	handback->first = (handback->first + 1) % handback->frames->count;
	handback->count--;
}

static void give_some(void *arg)
{
	struct afxdp_handback *handback = arg;
	struct afxdp_cache cache = { 0 };

	for (int i = 0; i < SLICE && handback->count; i++)
		give_first(handback, &cache);
	afxdp_cache_spill(&cache, handback->frames, cache.count);
	if (handback->count) {
		loop_timer_set(handback->timer, 0, 0);
		return;
	}
	if (handback->refused)
		log_warning("the kernel did not take %u packets that had waited for a worker",
			    handback->refused);
	handback->refused = 0;
}

static void collect(struct afxdp_handback *handback, const struct parcel *parcel)
{
	handback->parcel[(handback->first + handback->count++) % handback->frames->count] = *parcel;
}

static int load_program(struct why *why)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "penstock_pass", "GPL", pass,
			       sizeof(pass) / sizeof(pass[0]), NULL);

	return fd < 0 ? why_set(why, -fd, "the kernel does not load BPF programs: %s", strerror(-fd)) : fd;
}

int afxdp_handback_new(struct loop *loop, struct afxdp_frames *frames, struct afxdp_handback **ret,
		       struct why *why)
{
	struct afxdp_handback *handback = calloc(1, sizeof(*handback));
	int error = -ENOMEM;

	if (!handback)
		return why_set(why, ENOMEM, "out of memory");
	handback->program_fd = -1;
	handback->frames = frames;
	handback->parcel = calloc(frames->count, sizeof(*handback->parcel));
	if (handback->parcel)
		error = loop_timer_new(loop, give_some, handback, &handback->timer);
	if (error < 0)
		(void)why_set(why, -error, "cannot set up what gives frames back: %s", strerror(-error));
	else
		error = handback->program_fd = load_program(why);
	if (error < 0) {
		afxdp_handback_free(handback);
		return error;
	}
	*ret = handback;
	return 0;
}

void afxdp_handback_free(struct afxdp_handback *handback)
{
	if (!handback)
		return;
	while (handback->count)
		give_some(handback);
	loop_timer_free(handback->timer);
	if (handback->program_fd >= 0)
		close(handback->program_fd);
	free(handback->parcel);
	free(handback);
}

int afxdp_handback_give(const struct afxdp_handback *handback, __u32 ifindex, __u32 queue, const __u8 *frame,
			__u32 length)
{
	return give(handback, &(struct parcel){ frame, length, ifindex, queue });
}

__u32 afxdp_handback_collect(struct afxdp_handback *handback, __u32 ifindex, struct afxdp_socket *socket,
			     struct afxdp_cache *cache)
{
	struct burst_frame frame[BURST_MOST];
	unsigned int count;
	__u32 sum = 0;

	while ((count = afxdp_socket_receive(socket, cache, frame)) > 0) {
		for (unsigned int i = 0; i < count; i++)
			collect(handback, &(struct parcel){ .frame = frame[i].data,
							    .length = frame[i].length,
							    .ifindex = ifindex,
							    .queue = socket->queue });
		sum += count;
	}
	if (sum)
		loop_timer_set(handback->timer, 0, 0);
	return sum;
}

__u32 afxdp_handback_waiting(const struct afxdp_handback *handback)
{
	return handback->count;
}
