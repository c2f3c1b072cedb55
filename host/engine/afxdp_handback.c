// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/afxdp_handback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

struct afxdp_handback {
	int program_fd;
};

int afxdp_handback_new(struct afxdp_handback **ret, struct why *why)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct afxdp_handback *handback = malloc(sizeof(*handback));
	int fd;

	if (!handback)
		return why_set(why, ENOMEM, "out of memory");
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "penstock_pass", "GPL", pass, sizeof(pass) / sizeof(pass[0]),
			   NULL);
	if (fd < 0) {
		free(handback);
		return why_set(why, -fd, "the kernel does not load BPF programs: %s", strerror(-fd));
	}
	handback->program_fd = fd;
	*ret = handback;
	return 0;
}

void afxdp_handback_free(struct afxdp_handback *handback)
{
	if (!handback)
		return;
	close(handback->program_fd);
	free(handback);
}

int afxdp_handback_give(const struct afxdp_handback *handback, __u32 ifindex, __u32 queue, const __u8 *frame,
			__u32 length)
{
	struct xdp_md context = { .data_end = length, .ingress_ifindex = ifindex, .rx_queue_index = queue };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1, .batch_size = 1,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(handback->program_fd, &options);
}
