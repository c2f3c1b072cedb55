// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_check.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Differences that are shown.
#define FIB_CHECK_SHOWN 5

// What the one that is compared with says, and the one that is compared.
struct fib_check_pair {
	const struct fib_entry *first, *other;
	const __u32 *expected, *answers;
};

static void fib_check_nexthop(__u32 nexthop, char text[16])
{
	if (nexthop)
		snprintf(text, 16, "%u", nexthop - (FIB_NEXTHOP_MIN - 1));
	else
		snprintf(text, 16, "no route");
}

static int fib_check_compare(const struct fib_check_pair *pair, const struct fib_stream *stream)
{
	char address[46], expected[16], answer[16];
	size_t wrong = 0;

	for (size_t i = 0; i < FIB_STREAM_SIZE; i++) {
		if (pair->answers[i] == pair->expected[i] || wrong++ >= FIB_CHECK_SHOWN)
			continue;
		fib_stream_format(stream, i, address);
		fib_check_nexthop(pair->expected[i], expected);
		fib_check_nexthop(pair->answers[i], answer);
		warnx("bench fib: %s: %s says %s, %s says %s", address, pair->first->subject->name, expected,
		      pair->other->subject->name, answer);
	}
	if (!wrong)
		return 0;
	warnx("bench fib: %s and %s disagree on %zu of %u addresses", pair->first->subject->name,
	      pair->other->subject->name, wrong, FIB_STREAM_SIZE);
	return -EBADMSG;
}

static int fib_check_entries(struct fib_family *family, const struct fib_stream *stream, __u32 *expected,
			     __u32 *answers)
{
	struct fib_check_pair pair = { .expected = expected, .answers = answers };
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < family->entry_count; i++) {
		struct fib_entry *entry = &family->entries[i];

		if (!entry->structure || entry->structure->lost) // nothing to say
			continue;
		if (*family->plan->stop)
			return -EINTR;
		err = fib_entry_answers(entry, stream, pair.first ? answers : expected);
		if (err < 0)
			warnx("bench fib: %s: cannot look up: %s", entry->subject->name, strerror(-err));
		pair.other = entry;
		if (err >= 0 && pair.first)
			err = fib_check_compare(&pair, stream);
		if (!pair.first)
			pair.first = entry;
	}
	return err;
}

int fib_check(struct fib_family *family)
{
	__u32 *expected = calloc(FIB_STREAM_SIZE, sizeof(*expected));
	__u32 *answers = calloc(FIB_STREAM_SIZE, sizeof(*answers));
	struct fib_stream *stream = NULL;
	int err =
		expected && answers ? fib_stream_new_check(family->table, family->checked, &stream) : -ENOMEM;

	if (err < 0)
		warnx("bench fib: cannot draw addresses to compare: %s", strerror(-err));
	else
		err = fib_check_entries(family, stream, expected, answers);
	if (err >= 0)
		family->checked += FIB_STREAM_SIZE;
	fib_stream_free(stream);
	free(expected);
	free(answers);
	return err;
}
