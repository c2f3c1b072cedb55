// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Writes captures. With %i in its name, a pcap file for each port that something leaves by; otherwise one
 * pcapng file, with an interface of its name for each port. Time stamps have nanoseconds. A file gets its
 * name when it is complete, so that none is left behind by what fails.
 */
#pragma once

#include <linux/types.h>

#include "host/why.h"

struct capture_out;

/* path: "-" is standard output, pcapng. name: of the ports; stays the caller's. */
int capture_out_open(const char *path, const char *const *name, unsigned int count, struct capture_out **ret,
		     struct why *why);
/* captured <= length: bytes that are there, and that left. */
int capture_out_write(struct capture_out *out, unsigned int port, __u64 time, const __u8 *bytes,
		      __u32 captured, __u32 length, struct why *why);
/* All is written: the files appear under their names. Frees it in any case. */
int capture_out_finish(struct capture_out *out, struct why *why);
/* Takes everything back. NULL is fine. */
void capture_out_abandon(struct capture_out *out);
