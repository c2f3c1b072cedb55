// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

// The naive longest-prefix match that tests compare the product with. It shares no code with it.

struct lpm;

// Returns an empty set of prefixes over addresses of width bits (32 or 128), or NULL without memory.
struct lpm *lpm_new(unsigned int width);

// Frees the set; NULL is fine.
void lpm_free(struct lpm *lpm);

// Adds a prefix or replaces its value; address bits behind len are ignored. 0, or -ENOMEM.
int lpm_insert(struct lpm *lpm, const __u8 *addr, unsigned int len, __u32 value);

// Removes a prefix; false when it was not there.
bool lpm_delete(struct lpm *lpm, const __u8 *addr, unsigned int len);

// Gets the value of exactly this prefix; false when it is not there.
bool lpm_find(const struct lpm *lpm, const __u8 *addr, unsigned int len, __u32 *ret_value);

// Gets the value and length (either may be NULL) of the longest prefix that covers addr; false when none
// does.
bool lpm_lookup(const struct lpm *lpm, const __u8 *addr, __u32 *ret_value, unsigned int *ret_len);

// Returns the number of prefixes.
size_t lpm_count(const struct lpm *lpm);
