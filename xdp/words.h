// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Words of a frame, read and written where they stand.
 */
#pragma once

#include <linux/types.h>

#include "xdp/target.h"

static __always_inline __u16 swap16(__u16 value)
{
	return __builtin_bswap16(value);
}

static __always_inline __u32 swap32(__u32 value)
{
	return __builtin_bswap32(value);
}

/* Words of a frame stand at any address. */
typedef __u16 frame_u16 TARGET_FRAME_WORD;
typedef __u32 frame_u32 TARGET_FRAME_WORD;
typedef __u64 frame_u64 TARGET_FRAME_WORD;

static __always_inline __u16 load16(const void *at)
{
	return *(const frame_u16 *)at;
}

static __always_inline __u32 load32(const void *at)
{
	return *(const frame_u32 *)at;
}

static __always_inline __u64 load64(const void *at)
{
	return *(const frame_u64 *)at;
}

static __always_inline void store16(void *at, __u16 value)
{
	*(frame_u16 *)at = value;
}

static __always_inline void store32(void *at, __u32 value)
{
	*(frame_u32 *)at = value;
}

static __always_inline void store64(void *at, __u64 value)
{
	*(frame_u64 *)at = value;
}
