// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/user_program.h"

#include "host/engine/target_user.h"
#include "xdp/pipeline.h"

struct verdict user_program_run(const struct image_store *store, __u16 port, struct user_frame *frame)
{
	struct packet packet = { .data = frame->data, .end = frame->data + frame->length };
	enum reason reason;
	struct target target;

	target_init(&target, store);
	target.port = port;
	target.headroom = frame->headroom;
	reason = admit_tables(&target);
	if (!reason)
		reason = pipeline(&target, &packet);
	if (!reason) {
		frame->headroom += (__u8 *)packet.data - frame->data;
		frame->data = packet.data;
		frame->length = (__u8 *)packet.end - frame->data;
	}
	return verdict(reason, &packet);
}
