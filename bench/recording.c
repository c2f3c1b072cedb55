// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/recording.h"

#include "host/replay/capture.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define RECORDING_HEADER 14 // Ethernet's
#define RECORDING_LEAST  60
#define RECORDING_TAG    4
#define RECORDING_FIRST  1024 // frames that there is room for at first

struct recording *recording_new(void)
{
	return calloc(1, sizeof(struct recording));
}

static void recording_free_frames(struct recording *recording)
{
	free(recording->bytes);
	free(recording->frames);
}

void recording_free(struct recording *recording)
{
	if (!recording)
		return;
	recording_free_frames(recording);
	free(recording);
}

// Doubles what an array has room for until `want` elements fit.
static int recording_room(void **array, __u64 have, __u64 want, size_t size)
{
	__u64 room = RECORDING_FIRST;
	void *grown;

	while (room < want)
		room *= 2;
	if (have && room / 2 < have) // it has that room
		return 0;
	grown = realloc(*array, room * size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	return 0;
}

int recording_add(struct recording *recording, __u64 time, const __u8 *bytes, __u32 size)
{
	struct recording_frame *frame;
	int err;

	if (recording->count == RECORDING_FRAMES || recording->used + size > RECORDING_BYTES)
		return -ENOSPC;
	err = recording_room((void **)&recording->frames, recording->count, recording->count + 1,
			     sizeof(*frame));
	if (err >= 0)
		err = recording_room((void **)&recording->bytes, recording->used, recording->used + size, 1);
	if (err < 0)
		return err;
	frame = &recording->frames[recording->count];
	*frame = (struct recording_frame){ .at = recording->used, .time = time, .size = size };
	if (recording->count && frame[-1].time > time)
		frame->time = frame[-1].time;
	memcpy(recording->bytes + recording->used, bytes, size);
	recording->used += size;
	recording->count++;
	if (size > recording->largest)
		recording->largest = size;
	return 0;
}

void recording_clear(struct recording *recording)
{
	recording_free_frames(recording);
	*recording = (struct recording){ .path = recording->path };
}

// The bytes that its tags have of a frame.
static __u32 recording_tag_bytes(const __u8 *bytes, __u32 size)
{
	__u32 tags = 0;

	while (tags < RECORDING_TAGS * RECORDING_TAG && size >= RECORDING_HEADER + tags + RECORDING_TAG &&
	       ((bytes[12 + tags] == 0x81 && bytes[13 + tags] == 0x00) ||
		(bytes[12 + tags] == 0x88 && bytes[13 + tags] == 0xa8)))
		tags += RECORDING_TAG;
	return tags;
}

static int recording_take(struct recording *recording, __u64 first, const struct capture_packet *packet,
			  struct why *why)
{
	unsigned int number = recording->count + 1;
	int err;

	if (packet->captured < packet->length)
		return why_set(
			why, EBADMSG,
			"%s: packet %u is cut short, %u of %u bytes; capture with a larger snap length",
			recording->path, number, packet->captured, packet->length);
	if (packet->captured < RECORDING_HEADER)
		return why_set(why, EBADMSG, "%s: packet %u is too short for Ethernet: %u bytes",
			       recording->path, number, packet->captured);
	if (packet->captured - recording_tag_bytes(packet->bytes, packet->captured) > RECORDING_LARGEST)
		return why_set(why, EMSGSIZE,
			       "%s: packet %u has %u bytes, more than the %u that can be sent; capture "
			       "without TSO and GRO",
			       recording->path, number, packet->captured, RECORDING_LARGEST);
	err = recording_add(recording, packet->time > first ? packet->time - first : 0, packet->bytes,
			    packet->captured);
	if (err == -ENOSPC)
		return why_set(why, ENOSPC, "%s: too long, %u packets or %llu MiB can be sent",
			       recording->path, RECORDING_FRAMES, RECORDING_BYTES >> 20);
	return err;
}

static int recording_fill(struct recording *recording, struct capture *capture, struct why *why)
{
	struct capture_packet packet;
	__u64 first = 0;
	int more;

	while ((more = capture_next(capture, &packet, why)) > 0) {
		int err;

		if (!recording->count)
			first = packet.time;
		err = recording_take(recording, first, &packet, why);
		if (err < 0)
			return err;
	}
	if (more >= 0 && !recording->count)
		return why_set(why, ENODATA, "%s: holds no packets", recording->path);
	return more;
}

int recording_read(const char *path, struct recording **ret_recording, struct why *why)
{
	struct recording *recording = recording_new();
	struct capture *capture;
	int err;

	if (!recording)
		return -ENOMEM;
	recording->path = path;
	err = capture_open(path, &capture, why);
	if (err >= 0) {
		err = recording_fill(recording, capture, why);
		capture_close(capture);
	}
	if (err < 0) {
		recording_free(recording);
		return err;
	}
	*ret_recording = recording;
	return 0;
}

__u32 recording_pad(__u8 *bytes, __u32 size)
{
	if (size >= RECORDING_LEAST)
		return size;
	memset(bytes + size, 0, RECORDING_LEAST - size);
	return RECORDING_LEAST;
}

__u32 recording_frame(const struct recording *recording, __u32 number, const __u8 source[6],
		      const __u8 destination[6], __u8 *bytes)
{
	__u32 size = recording->frames[number].size;

	memcpy(bytes, recording_bytes(recording, number), size);
	if (!(bytes[0] & 1))
		memcpy(bytes, destination, 6);
	memcpy(bytes + 6, source, 6);
	return recording_pad(bytes, size);
}

static bool recording_is_fragment(const __u8 *bytes, __u32 size)
{
	return size >= RECORDING_HEADER + 8 && bytes[12] == 8 && bytes[13] == 0 &&
	       (bytes[20] & 0x3f || bytes[21]);
}

struct recording *recording_whole(const struct recording *recording)
{
	struct recording *whole = recording_new();
	int err = whole ? 0 : -ENOMEM;

	for (__u32 i = 0; err >= 0 && i < recording->count; i++) {
		const struct recording_frame *frame = &recording->frames[i];

		if (!recording_is_fragment(recording_bytes(recording, i), frame->size))
			err = recording_add(whole, frame->time, recording_bytes(recording, i), frame->size);
	}
	if (err >= 0)
		return whole;
	recording_free(whole);
	return NULL;
}

int recording_write(const struct recording *recording, FILE *out)
{
	// Nanoseconds, version 2.4, Ethernet.
	const struct {
		__u32 magic;
		__u16 major, minor;
		__u32 zone, accuracy, snap, link;
	} header = { 0xa1b23c4d, 2, 4, 0, 0, 262144, 1 };

	fwrite(&header, sizeof(header), 1, out);
	for (__u32 i = 0; i < recording->count; i++) {
		const struct recording_frame *frame = &recording->frames[i];
		const __u32 packet[4] = { frame->time / 1000000000, frame->time % 1000000000, frame->size,
					  frame->size };

		fwrite(packet, sizeof(packet), 1, out);
		fwrite(recording->bytes + frame->at, frame->size, 1, out);
	}
	return fflush(out) == EOF || ferror(out) ? -EIO : 0;
}

static int recording_order(const __u8 *one, __u32 size, const __u8 *other, __u32 other_size)
{
	int order = memcmp(one, other, size < other_size ? size : other_size);

	return order ? order : (size > other_size) - (size < other_size);
}

static int recording_order_frames(const void *one, const void *other, void *bytes)
{
	const struct recording_frame *a = one, *b = other;

	return recording_order((__u8 *)bytes + a->at, a->size, (__u8 *)bytes + b->at, b->size);
}

void recording_sort(struct recording *recording)
{
	if (recording->count)
		qsort_r(recording->frames, recording->count, sizeof(*recording->frames),
			recording_order_frames, recording->bytes);
}

void recording_compare(const struct recording *one, const struct recording *other, __u32 *ret_lacks,
		       __u32 *ret_extra)
{
	__u32 i = 0, k = 0;

	*ret_lacks = *ret_extra = 0;
	while (i < one->count || k < other->count) {
		int order = i == one->count ? 1
			    : k == other->count
				    ? -1
				    : recording_order(recording_bytes(one, i), one->frames[i].size,
						      recording_bytes(other, k), other->frames[k].size);

		*ret_lacks += order < 0;
		*ret_extra += order > 0;
		i += order <= 0;
		k += order >= 0;
	}
}
