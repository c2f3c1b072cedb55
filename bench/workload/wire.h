// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/types.h>

// A cursor over bytes from the wire, big endian. Each call reads and moves on, or returns false when too few
// are left.
struct wire {
	const __u8 *at;
	size_t left;
};

static inline bool wire_bytes(struct wire *wire, void *to, size_t count)
{
	if (wire->left < count)
		return false;
	memcpy(to, wire->at, count);
	wire->at += count;
	wire->left -= count;
	return true;
}

static inline bool wire_skip(struct wire *wire, size_t count)
{
	if (wire->left < count)
		return false;
	wire->at += count;
	wire->left -= count;
	return true;
}

// Makes part the next count bytes.
static inline bool wire_part(struct wire *wire, size_t count, struct wire *part)
{
	*part = (struct wire){ wire->at, count };
	return wire_skip(wire, count);
}

static inline bool wire_u8(struct wire *wire, __u8 *value)
{
	return wire_bytes(wire, value, sizeof(*value));
}

static inline bool wire_u16(struct wire *wire, __u16 *value)
{
	if (!wire_bytes(wire, value, sizeof(*value)))
		return false;
	*value = be16toh(*value);
	return true;
}

static inline bool wire_u32(struct wire *wire, __u32 *value)
{
	if (!wire_bytes(wire, value, sizeof(*value)))
		return false;
	*value = be32toh(*value);
	return true;
}
