// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Any bytes as a capture, replayed: what is read lies within what is there, and the program sees it through.
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/engine/replay.h"
#include "host/fib/image_store.h"
#include "host/replay/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct capture *capture;
	__u64 packets;
};

static int next(void *arg, struct replay_frame *ret)
{
	struct fuzz *fuzz = arg;
	struct capture_packet packet;
	struct why why;
	int r = capture_next(fuzz->capture, &packet, &why);

	if (r <= 0)
		return r;
	assert(packet.captured <= packet.length && packet.captured <= CAPTURE_MOST);
	assert(strlen(capture_interface(fuzz->capture, packet.interface)) < 64);
	ret->number = ++fuzz->packets;
	ret->port = packet.interface % IMAGE_PORTS;
	ret->captured = packet.captured;
	ret->length = packet.length;
	ret->bytes = packet.bytes;
	return 1;
}

static int done(void *arg, const struct replay_frame *frame)
{
	assert(frame->cut || frame->verdict.action == ACTION_PUNT);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct replay_io io = { next, done };
	static struct image_store *store;
	static struct replay *replay;
	struct fuzz fuzz = { 0 };
	struct why why = { "" };
	char path[32];
	int fd = memfd_create("capture", 0);

	if (!store && (image_store_memory(NULL, &store) < 0 || replay_new(store, &replay) < 0))
		return 0;
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (capture_open(path, &fuzz.capture, &why) == 0) {
		(void)replay_run(replay, &io, &fuzz);
		capture_close(fuzz.capture);
	} else {
		assert(*why.text && !strchr(why.text, '\n'));
	}
	close(fd);
	return 0;
}
