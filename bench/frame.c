// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/frame.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

// Offsets in the frame.
#define FRAME_SOURCE_MAC 6
#define FRAME_ETHERTYPE  12
#define FRAME_IP         14
#define FRAME_LENGTH4    16
#define FRAME_LENGTH6    18
#define FRAME_TTL4       22
#define FRAME_PROTOCOL4  23
#define FRAME_CHECK4     24
#define FRAME_ADDRESSES4 26
#define FRAME_UDP4       34
#define FRAME_PROTOCOL6  20
#define FRAME_HOP_LIMIT6 21
#define FRAME_ADDRESSES6 22
#define FRAME_UDP6       54

#define FRAME_UDP_HEADER 8

static void frame_put16(__u8 *field, unsigned int value)
{
	field[0] = value >> 8;
	field[1] = value;
}

static __u32 frame_sum(const __u8 *bytes, unsigned int size)
{
	__u32 sum = 0;
	unsigned int i;

	for (i = 0; i < size; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static void frame_put_checksum(__u8 check[2], __u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	frame_put16(check, ~sum & 0xffff);
}

static void frame_put_udp(__u8 *udp, unsigned int size)
{
	frame_put16(udp + 2, TRAFFIC_PORT);
	frame_put16(udp + 4, size);
}

static void frame_make4(__u8 *frame)
{
	frame_put16(frame + FRAME_ETHERTYPE, 0x0800);
	frame[FRAME_IP] = 0x45;
	frame_put16(frame + FRAME_LENGTH4, TRAFFIC_FRAME4 - FRAME_IP);
	frame[FRAME_TTL4] = TRAFFIC_TTL;
	frame[FRAME_PROTOCOL4] = IPPROTO_UDP;
	lane_source_address(AF_INET, frame + FRAME_ADDRESSES4);
	frame_put_udp(frame + FRAME_UDP4, TRAFFIC_FRAME4 - FRAME_UDP4);
}

static void frame_make6(__u8 *frame)
{
	frame_put16(frame + FRAME_ETHERTYPE, 0x86dd);
	frame[FRAME_IP] = 0x60;
	frame_put16(frame + FRAME_LENGTH6, TRAFFIC_FRAME6 - FRAME_UDP6);
	frame[FRAME_PROTOCOL6] = IPPROTO_UDP;
	frame[FRAME_HOP_LIMIT6] = TRAFFIC_TTL;
	lane_source_address(AF_INET6, frame + FRAME_ADDRESSES6);
	frame_put_udp(frame + FRAME_UDP6, TRAFFIC_FRAME6 - FRAME_UDP6);
}

void frame_make(const struct lane *lane, __u8 family, union traffic_frame *frame)
{
	memset(frame, 0, sizeof(*frame));
	memcpy(frame->bytes, lane->r0.mac, sizeof(lane->r0.mac));
	memcpy(frame->bytes + FRAME_SOURCE_MAC, lane->s.mac, sizeof(lane->s.mac));
	if (family == AF_INET6)
		frame_make6(frame->bytes);
	else
		frame_make4(frame->bytes);
}

void frame_aim(union traffic_frame *frame, __u8 family, const __u8 *address, __u16 index, __u8 ret_check[2])
{
	const __u8 *bytes = frame->bytes;

	frame_address(frame, family, address, index);
	if (family == AF_INET6) {
		// Addresses and UDP header lie side by side; the rest of the pseudo header is protocol and
		// length.
		frame_put_checksum(ret_check, frame_sum(bytes + FRAME_ADDRESSES6, 32 + FRAME_UDP_HEADER) +
						      IPPROTO_UDP + TRAFFIC_FRAME6 - FRAME_UDP6);
	} else {
		frame_put_checksum(ret_check, frame_sum(bytes + FRAME_IP, FRAME_UDP4 - FRAME_IP));
	}
}

void frame_resize(union traffic_frame *frame, __u8 family, __u16 size)
{
	bool six = family == AF_INET6;

	frame_put16(frame->bytes + (six ? FRAME_LENGTH6 : FRAME_LENGTH4),
		    size - (six ? FRAME_UDP6 : FRAME_IP));
	frame_put16(frame->bytes + (six ? FRAME_UDP6 : FRAME_UDP4) + 4,
		    size - (six ? FRAME_UDP6 : FRAME_UDP4));
}

void frame_address(union traffic_frame *frame, __u8 family, const __u8 *address, __u16 index)
{
	bool six = family == AF_INET6;
	__u8 *bytes = frame->bytes;

	memcpy(bytes + (six ? FRAME_ADDRESSES6 + 16 : FRAME_ADDRESSES4 + 4), address, six ? 16 : 4);
	memcpy(bytes + (six ? FRAME_UDP6 : FRAME_UDP4), &index, sizeof(index));
}

void frame_finish(__u8 *bytes, __u8 family, __u16 size, __u16 behind, __u32 rest)
{
	bool six = family == AF_INET6;
	unsigned int addresses = six ? FRAME_ADDRESSES6 : FRAME_ADDRESSES4,
		     udp = six ? FRAME_UDP6 : FRAME_UDP4;
	__u8 *check = bytes + udp + 6;

	if (!six) {
		memset(bytes + FRAME_CHECK4, 0, 2);
		frame_put_checksum(bytes + FRAME_CHECK4, frame_sum(bytes + FRAME_IP, FRAME_UDP4 - FRAME_IP));
	}
	memset(check, 0, 2);
	// Addresses and UDP header lie side by side; the rest of the pseudo header is protocol and length.
	frame_put_checksum(check, frame_sum(bytes + addresses, behind - addresses) + IPPROTO_UDP + size -
					  udp + rest);
	if (!check[0] && !check[1])
		memset(check, 0xff, 2); // 0 would say that there is none
}
