// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/lane.h"
#include "bench/traffic.h"

// The frames that the generator sends, made from the RFCs.

// Writes what all frames of a family have in common: from s to r0 of a lane, UDP, no destination and no
// checksum yet.
void frame_make(const struct lane *lane, __u8 family, union traffic_frame *frame);

// Writes the destination (4 or 16 bytes) and its index into the frame, and the checksum that then is right,
// of the IPv4 header or of UDP over IPv6, into ret_check as it stands in the packet.
void frame_aim(union traffic_frame *frame, __u8 family, const __u8 *address, __u16 index, __u8 ret_check[2]);

// For frames of other sizes, with something in the payload; the steps in this order:

// Makes it a frame of so many bytes, at least TRAFFIC_FRAME4 or TRAFFIC_FRAME6.
void frame_resize(union traffic_frame *frame, __u8 family, __u16 size);

// Writes the destination and its index.
void frame_address(union traffic_frame *frame, __u8 family, const __u8 *address, __u16 index);

// Writes the checksums of the whole frame, that of UDP, too; rest is the sum of its bytes from the even
// offset `behind` on.
void frame_finish(__u8 *bytes, __u8 family, __u16 size, __u16 behind, __u32 rest);
