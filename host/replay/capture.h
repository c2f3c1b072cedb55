// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Reads captures of Ethernet: pcap (by libpcap) and pcapng (host/replay/pcapng.h, because libpcap does not
 * tell which interface a packet belongs to). All input is hostile.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/why.h"

#define CAPTURE_MOST 262144 /* bytes of a packet, as many as libpcap takes */

struct capture;

struct capture_packet {
	__u64 time;        /* ns since 1970 */
	__u32 captured;    /* bytes that are there, <= length, <= CAPTURE_MOST */
	__u32 length;      /* on the wire */
	const __u8 *bytes; /* until the next call */
	__u32 interface;   /* of the capture, from 0; always 0 in pcap */
	bool outbound;     /* the capture says that it was sent, not received */
};

/* path: "-" is standard input. Negative errno; `why` names the file. */
int capture_open(const char *path, struct capture **ret, struct why *why);
/* NULL is fine. */
void capture_close(struct capture *capture);
/* 1: the next packet; 0: the end. -EBADMSG: what follows is broken; -EPROTONOSUPPORT: is not Ethernet. */
int capture_next(struct capture *capture, struct capture_packet *ret, struct why *why);
/* The name that the capture gives an interface, "" if it gives none. */
const char *capture_interface(const struct capture *capture, __u32 interface);
/* Bytes read so far, and of the whole file (0: not known). */
void capture_progress(const struct capture *capture, __u64 *ret_at, __u64 *ret_size);
