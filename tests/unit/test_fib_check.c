// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// `bench fib` compares before it measures: one wrong answer among many must not pass.

#include "bench/fib_check.h"
#include "bench/workload/table_generate.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <string.h>

static size_t wrong_at; // the one address that the second subject is wrong about
static __u32 wrong_nexthop;

static void right(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		  union fib_results *results)
{
	for (unsigned int i = 0; i < FIB_BURST; i++)
		results->nexthop[i] = FIB_NEXTHOP_MIN + stream->address4[at + i] % 1000;
}

static void wrong_once(struct fib_structure *structure, const struct fib_stream *stream, size_t at,
		       union fib_results *results)
{
	right(structure, stream, at, results);
	if (wrong_at / FIB_BURST == at / FIB_BURST)
		results->nexthop[wrong_at % FIB_BURST] = wrong_nexthop;
}

static const struct fib_structure_kind kind = { .name = "made up" };
static const struct fib_subject subjects[] = {
	{ .name = "first", .structure = &kind, .burst = right },
	{ .name = "second", .structure = &kind, .burst = wrong_once },
	{ .name = "third", .structure = &kind, .burst = right },
};

static int check(size_t at, __u32 nexthop, bool lost)
{
	struct table_generate_options options = { .seed = 1, .ipv4 = 1000, .nexthops = 10 };
	static volatile sig_atomic_t stop;
	static struct fib_plan plan = { .stop = &stop };
	static struct fib_family family;
	struct fib_structure structures[3] = { { .kind = &kind },
					       { .kind = &kind, .lost = lost },
					       { .kind = &kind } };
	struct table *table;
	int err;

	wrong_at = at;
	wrong_nexthop = nexthop;
	cr_assert_eq(table_generate(&options, &table), 0);
	memset(&family, 0, sizeof(family));
	family.plan = &plan;
	family.table = table;
	family.entry_count = 3;
	for (unsigned int i = 0; i < 3; i++)
		family.entries[i] =
			(struct fib_entry){ .subject = &subjects[i], .structure = &structures[i] };
	err = fib_check(&family);
	cr_assert_eq(family.checked, err < 0 ? 0 : FIB_STREAM_SIZE);
	table_free(table);
	return err;
}

Test(fib_check, all_agree)
{
	cr_assert_eq(check(FIB_STREAM_SIZE, 0, false), 0);
}

Test(fib_check, one_wrong_answer_is_found_wherever_it_is)
{
	cr_redirect_stderr();
	cr_assert_eq(check(0, FIB_NEXTHOP_MIN + 1000, false), -EBADMSG);
	cr_assert_eq(check(123456, 0, false), -EBADMSG);
	cr_assert_eq(check(FIB_STREAM_SIZE - 1, 0xffffffff, false), -EBADMSG);
}

Test(fib_check, who_lost_routes_is_not_asked)
{
	cr_assert_eq(check(5, 0, true), 0);
}
