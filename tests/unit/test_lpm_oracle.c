// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/random.h"
#include "tests/oracle/lpm.h"

#include <criterion/criterion.h>
#include <string.h>

// The oracle against something dumber still: a list that is searched from end to end.

#define LIST_MAX 600
#define SEED     20260701

struct list_prefix {
	__u8 addr[16];
	unsigned int len;
	__u32 value;
};

struct list {
	struct list_prefix prefixes[LIST_MAX];
	unsigned int count;
};

static bool list_equal_bits(const __u8 *a, const __u8 *b, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

static struct list_prefix *list_find(struct list *list, const __u8 *addr, unsigned int len)
{
	for (unsigned int i = 0; i < list->count; i++)
		if (list->prefixes[i].len == len && list_equal_bits(list->prefixes[i].addr, addr, len))
			return &list->prefixes[i];
	return NULL;
}

static const struct list_prefix *list_lookup(const struct list *list, const __u8 *addr)
{
	const struct list_prefix *best = NULL;

	for (unsigned int i = 0; i < list->count; i++) {
		const struct list_prefix *prefix = &list->prefixes[i];

		if ((!best || prefix->len > best->len) && list_equal_bits(prefix->addr, addr, prefix->len))
			best = prefix;
	}
	return best;
}

// Few different bits, so that prefixes nest and addresses hit.
static void random_address(struct random *r, unsigned int width, __u8 *addr)
{
	random_bytes(r, addr, width / 8);
	for (unsigned int i = 0; i < width / 8; i++)
		addr[i] &= i == 3 ? 0x55 : 0x81;
}

static void insert_both(struct list *list, struct lpm *lpm, const __u8 *addr, unsigned int len, __u32 value)
{
	struct list_prefix *prefix = list_find(list, addr, len);

	cr_assert_eq(lpm_insert(lpm, addr, len, value), 0);
	if (!prefix) {
		prefix = &list->prefixes[list->count++];
		memcpy(prefix->addr, addr, sizeof(prefix->addr));
		prefix->len = len;
	}
	prefix->value = value;
}

static void delete_both(struct list *list, struct lpm *lpm, const __u8 *addr, unsigned int len)
{
	struct list_prefix *prefix = list_find(list, addr, len);

	cr_assert_eq(lpm_delete(lpm, addr, len), prefix != NULL);
	if (prefix)
		*prefix = list->prefixes[--list->count];
}

static void compare(const struct list *list, const struct lpm *lpm, const __u8 *addr)
{
	const struct list_prefix *want = list_lookup(list, addr);
	unsigned int len = 1000;
	__u32 value = 1000;

	cr_assert_eq(lpm_lookup(lpm, addr, &value, &len), want != NULL, "seed %u", SEED);
	cr_assert_eq(value, want ? want->value : 1000, "seed %u", SEED);
	cr_assert_eq(len, want ? want->len : 1000, "seed %u", SEED);
}

static void compare_with_list(unsigned int width)
{
	struct lpm *lpm = lpm_new(width);
	struct list list = { 0 };
	struct random r;

	random_seed(&r, SEED + width);
	for (unsigned int i = 0; i < 20000; i++) {
		__u8 addr[16] = { 0 };
		unsigned int len = random_below(&r, width + 1);

		random_address(&r, width, addr);
		if (list.count == LIST_MAX || random_below(&r, 5) < 2) {
			struct list_prefix victim = list.count ? list.prefixes[random_below(&r, list.count)]
							       : (struct list_prefix){ 0 };

			delete_both(&list, lpm, victim.addr, victim.len);
			delete_both(&list, lpm, addr, len);
		} else {
			insert_both(&list, lpm, addr, len, random_next(&r));
		}
		cr_assert_eq(lpm_count(lpm), list.count);
		random_address(&r, width, addr);
		compare(&list, lpm, addr);
	}
	lpm_free(lpm);
}

Test(lpm_oracle, equals_a_linear_search_ipv4)
{
	compare_with_list(32);
}

Test(lpm_oracle, equals_a_linear_search_ipv6)
{
	compare_with_list(128);
}

Test(lpm_oracle, ignores_host_bits)
{
	struct lpm *lpm = lpm_new(32);
	__u32 value = 0;

	cr_assert_eq(lpm_insert(lpm, (__u8[]){ 10, 1, 2, 3 }, 15, 7), 0);
	cr_assert(lpm_find(lpm, (__u8[]){ 10, 0, 0, 0 }, 15, &value));
	cr_assert_eq(value, 7);
	cr_assert(!lpm_find(lpm, (__u8[]){ 10, 2, 0, 0 }, 15, &value));
	cr_assert(lpm_delete(lpm, (__u8[]){ 10, 1, 255, 255 }, 15));
	cr_assert(!lpm_lookup(lpm, (__u8[]){ 10, 1, 2, 3 }, NULL, NULL));
	lpm_free(lpm);
}

Test(lpm_oracle, default_route_covers_everything)
{
	struct lpm *lpm = lpm_new(128);
	__u8 addr[16] = { 0xff, [15] = 0xff };
	unsigned int len = 1;
	__u32 value = 0;

	cr_assert_eq(lpm_insert(lpm, addr, 0, 3), 0);
	cr_assert(lpm_lookup(lpm, addr, &value, &len));
	cr_assert_eq(value, 3);
	cr_assert_eq(len, 0);
	lpm_free(lpm);
	lpm_free(NULL);
}
