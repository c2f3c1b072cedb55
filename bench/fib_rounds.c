// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_rounds.h"

#include "bench/lookup_layout.h"
#include "bench/stopwatch.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

// Lookups to find out how many take the time that a measurement shall take.
#define FIB_ROUNDS_TRIAL        (32 * LOOKUP_BATCH)
// Lookups before, not timed, so that what the subject reads again and again is in the caches, where others
// have just had theirs; and the time in seconds after which slow ones may stop.
#define FIB_ROUNDS_WARMUP       (FIB_STREAM_SIZE / 2)
#define FIB_ROUNDS_WARMUP_LIMIT 0.05

// How many lookups each subject does.
struct fib_rounds_counts {
	size_t timed[FIB_SUBJECTS_MAX][2]; // [entry][dependent]
	size_t warmup[FIB_SUBJECTS_MAX];
};

static size_t fib_rounds_whole(double count)
{
	return count < LOOKUP_BATCH ? LOOKUP_BATCH : (size_t)count / LOOKUP_BATCH * LOOKUP_BATCH;
}

// Does count lookups; *ret_ns is the CPU time of one.
static int fib_rounds_timed(struct fib_entry *entry, const struct fib_stream *stream, bool dependent,
			    size_t count, double *ret_ns)
{
	__u64 began = stopwatch_cpu();
	int err = fib_entry_run(entry, stream, dependent, count);

	*ret_ns = (double)(stopwatch_cpu() - began) / count;
	if (err < 0)
		warnx("bench fib: %s: cannot look up: %s", entry->subject->name, strerror(-err));
	return err;
}

static int fib_rounds_try(struct fib_family *family, const struct fib_stream *stream,
			  struct fib_rounds_counts *counts)
{
	double ns, slow;
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < family->entry_count; i++)
		for (unsigned int dependent = 0; err >= 0 && dependent < 2; dependent++) {
			struct fib_entry *entry = &family->entries[i];

			if (!fib_entry_can(entry, dependent))
				continue;
			err = fib_rounds_timed(entry, stream, dependent, FIB_ROUNDS_TRIAL, &ns);
			counts->timed[i][dependent] = fib_rounds_whole(family->plan->seconds * 1e9 / ns);
			slow = FIB_ROUNDS_WARMUP_LIMIT * 1e9 / ns;
			if (!dependent)
				counts->warmup[i] =
					slow < FIB_ROUNDS_WARMUP ? fib_rounds_whole(slow) : FIB_ROUNDS_WARMUP;
		}
	return err;
}

// One subject: independent lookups get things into the caches fastest.
static int fib_rounds_measure(struct fib_family *family, unsigned int stream, unsigned int round,
			      const struct fib_rounds_counts *counts, unsigned int index)
{
	struct fib_entry *entry = &family->entries[index];
	int err = fib_entry_run(entry, family->streams[stream], false, counts->warmup[index]);

	for (unsigned int dependent = 0; err >= 0 && dependent < 2; dependent++)
		if (fib_entry_can(entry, dependent))
			err = fib_rounds_timed(entry, family->streams[stream], dependent,
					       counts->timed[index][dependent],
					       &family->times[stream][index].ns[dependent][round]);
	return err;
}

static int fib_rounds_round(struct fib_family *family, unsigned int stream, unsigned int round,
			    const struct fib_rounds_counts *counts)
{
	int err = 0;

	for (unsigned int k = 0; err >= 0 && k < family->entry_count; k++) {
		if (*family->plan->stop)
			return -EINTR;
		err = fib_rounds_measure(family, stream, round, counts, (k + round) % family->entry_count);
	}
	return err;
}

static int fib_rounds_stream(struct fib_family *family, unsigned int index)
{
	const struct fib_stream *stream = family->streams[index];
	struct fib_rounds_counts counts;
	int err;

	if (family->bed.lookup)
		memcpy(lookup_trace(family->bed.lookup), stream->network,
		       (size_t)FIB_STREAM_SIZE * table_width(family->family) / 8);
	err = fib_rounds_try(family, stream, &counts);
	for (unsigned int round = 0; err >= 0 && round < family->plan->rounds; round++) {
		fprintf(stderr, "IPv%u: %s addresses, round %u of %u\n", fib_family_number(family),
			stream->name, round + 1, family->plan->rounds);
		err = fib_rounds_round(family, index, round, &counts);
	}
	return err;
}

int fib_rounds(struct fib_family *family)
{
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < FIB_STREAMS; i++)
		err = fib_rounds_stream(family, i);
	return err;
}
