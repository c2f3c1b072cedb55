// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Golden vectors: packets written down byte by byte, with what becomes of them. A file has any number of
 * cases; # begins a comment:
 *
 *   case NAME
 *   in INTERFACE
 *     HEX...                 bytes, as many to a line as is readable; HH*N is a byte N times
 *   out INTERFACE            and the bytes that leave, or
 *   punt REASON              or
 *   drop REASON
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

#define VECTOR_FRAME 10240

struct vector {
	char name[64];
	char in[16], out[16];
	__u8 action; // enum action
	__u8 reason; // enum reason
	__u32 in_length, out_length;
	__u8 in_frame[VECTOR_FRAME], out_frame[VECTOR_FRAME];
};

struct vector_file;

// Opens a file of cases. NULL after a message on stderr.
struct vector_file *vector_open(const char *path);
void vector_close(struct vector_file *file);

// Reads the next case: 1, 0 at the end, -EINVAL after a message on stderr that names file and line.
int vector_next(struct vector_file *file, struct vector *ret_vector);
