// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/workload/table.h"

// Holds any prefix as text, with its length and a terminating 0.
#define PREFIX_TEXT_SIZE 52

// Reads "192.0.2.0/24", "2001:db8::/32" or a bare address (a host route) into the prefix fields of ret_route,
// nexthop 0. -EINVAL: not an address or length; -ERANGE: longer than the address; -EDOM: bits are set behind
// the length.
int prefix_parse(const char *text, struct table_route *ret_route);

// Returns what is wrong with the text and what to write instead, for an error of prefix_parse().
const char *prefix_cause(int error);

// Writes the prefix of route as text.
void prefix_format(const struct table_route *route, char text[PREFIX_TEXT_SIZE]);

// Clears the bits of addr (width bits long) behind len.
void prefix_clear_host_bits(__u8 *addr, unsigned int len, unsigned int width);

// Does the prefix cover this address of the same family?
bool prefix_covers(const struct table_route *route, const __u8 *addr);
