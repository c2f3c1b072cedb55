// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Frames as text for people: what a difference looks like.
#pragma once

#include <stdio.h>
#include <linux/types.h>

// Writes one line that names the headers, then the bytes in hex, 32 to a line.
void decode_print(FILE *out, const char *title, const __u8 *frame, __u32 length);
