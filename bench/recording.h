// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdio.h>
#include <linux/types.h>

#include "host/why.h"

// All frames of a capture, in memory, to be sent.

#define RECORDING_FRAMES  (16u << 20)
#define RECORDING_BYTES   (1ull << 30)
#define RECORDING_LARGEST 9014 // bytes of a frame, without its tags
#define RECORDING_TAGS    2    // that it may have, of 4 bytes each
#define RECORDING_ROOM    (RECORDING_LARGEST + 4 * RECORDING_TAGS)

struct recording_frame {
	__u64 at;   // of its bytes
	__u64 time; // ns behind the first frame; never less than that of the frame before
	__u32 size;
};

struct recording {
	const char *path;
	__u8 *bytes;
	struct recording_frame *frames;
	__u32 count;
	__u32 largest;
	__u64 used;
};

// Reads a file, pcap or pcapng. `why` says what is wrong with it: not there, not Ethernet, broken, empty,
// with packets that are cut short or too large to send.
int recording_read(const char *path, struct recording **ret_recording, struct why *why);

// NULL is fine.
void recording_free(struct recording *recording);

// Adds a frame; -ENOSPC: there are RECORDING_FRAMES, or RECORDING_BYTES of them. -ENOMEM.
int recording_add(struct recording *recording, __u64 time, const __u8 *bytes, __u32 size);

// Forgets all frames.
void recording_clear(struct recording *recording);

// The same without fragments of IPv4 packets; NULL without memory.
struct recording *recording_whole(const struct recording *recording);

// Writes a pcap file.
int recording_write(const struct recording *recording, FILE *out);

// Sorts the frames by their bytes.
void recording_sort(struct recording *recording);

// Compares two that are sorted: how many frames the second lacks of the first, and how many it has that the
// first has not.
void recording_compare(const struct recording *one, const struct recording *other, __u32 *ret_lacks,
		       __u32 *ret_extra);

// One without frames, or NULL.
struct recording *recording_new(void);

static inline const __u8 *recording_bytes(const struct recording *recording, __u32 number)
{
	return recording->bytes + recording->frames[number].at;
}

// Copies a frame as one from s to r0 would be: with their MACs, but for destinations that are a group, and no
// shorter than Ethernet's least. Returns its size.
__u32 recording_frame(const struct recording *recording, __u32 number, const __u8 source[6],
		      const __u8 destination[6], __u8 *bytes);

// Makes a frame no shorter than Ethernet's least. Returns its size then.
__u32 recording_pad(__u8 *bytes, __u32 size);
