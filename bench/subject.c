// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/subject.h"

#include "bench/baseline.h"
#include "bench/daemon.h"

#include <assert.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Always there, on the reference lane.
#define SUBJECT_REFERENCE_PROGRAM "nolookup"

struct subject_bed {
	const struct topology *topology;
	const volatile sig_atomic_t *stop;
	struct baseline *baseline;  // on the subject's lane
	struct baseline *reference; // on the other one
	struct daemon *daemon;      // of the attached penstock
	const struct subject *attached;
};

static const struct subject subjects[] = {
	{ "penstock", "penstock in native mode", SUBJECT_PENSTOCK, SUBJECT_ROUTES, false, false, "native" },
	{ "drop", "XDP program that drops: the cost of generator and veth alone", SUBJECT_BASELINE,
	  SUBJECT_NOTHING, false, false, "drop" },
	{ "nolookup", "XDP program that forwards without any lookup: the ceiling", SUBJECT_BASELINE,
	  SUBJECT_ONE_GATEWAY, false, false, "nolookup" },
	{ "fiblookup", "XDP program around bpf_fib_lookup, as xdp-forward", SUBJECT_BASELINE, SUBJECT_ROUTES,
	  false, false, "fiblookup" },
	{ "lpmtrie", "XDP program around an LPM_TRIE map", SUBJECT_BASELINE, SUBJECT_ROUTES, false, true,
	  "lpmtrie" },
	{ "kernel", "the kernel's own forwarding", SUBJECT_KERNEL, SUBJECT_ROUTES, false, false, NULL },
	{ "penstock-generic", "penstock in generic mode", SUBJECT_PENSTOCK, SUBJECT_ROUTES, true, false,
	  "generic" },
	{ "penstock-afxdp", "penstock behind AF_XDP sockets (not for bench forward)", SUBJECT_THREADS,
	  SUBJECT_ROUTES, false, false, "afxdp" },
	{ "drop-generic", "drop in generic mode", SUBJECT_BASELINE, SUBJECT_NOTHING, true, false, "drop" },
	{ "nolookup-generic", "nolookup in generic mode", SUBJECT_BASELINE, SUBJECT_ONE_GATEWAY, true, false,
	  "nolookup" },
	{ "fiblookup-generic", "fiblookup in generic mode", SUBJECT_BASELINE, SUBJECT_ROUTES, true, false,
	  "fiblookup" },
};

const struct subject *subject_list(unsigned int *ret_count)
{
	*ret_count = sizeof(subjects) / sizeof(subjects[0]);
	return subjects;
}

const struct subject *subject_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if (strcmp(subjects[i].name, name) == 0)
			return &subjects[i];
	return NULL;
}

int subject_open(const struct topology *topology, const volatile sig_atomic_t *stop,
		 struct subject_bed **ret_bed)
{
	struct subject_bed *bed = calloc(1, sizeof(*bed));
	int err;

	if (!bed)
		return -ENOMEM;
	bed->topology = topology;
	bed->stop = stop;
	err = baseline_open(&topology->subject, &bed->baseline);
	if (err >= 0)
		err = baseline_open(&topology->reference, &bed->reference);
	if (err >= 0)
		err = baseline_attach(bed->reference, SUBJECT_REFERENCE_PROGRAM, false);
	if (err < 0) {
		subject_close(bed);
		return err;
	}
	*ret_bed = bed;
	return 0;
}

void subject_close(struct subject_bed *bed)
{
	if (!bed)
		return;
	subject_detach(bed);
	baseline_close(bed->reference);
	baseline_close(bed->baseline);
	free(bed);
}

int subject_load(struct subject_bed *bed, const struct table *table)
{
	return baseline_load(bed->baseline, table);
}

int subject_attach(struct subject_bed *bed, const struct subject *subject)
{
	int err = 0;

	assert(!bed->attached);
	if (subject->kind == SUBJECT_BASELINE)
		err = baseline_attach(bed->baseline, subject->program, subject->generic);
	else if (subject->kind == SUBJECT_PENSTOCK || subject->kind == SUBJECT_THREADS)
		err = daemon_start(&bed->topology->subject, bed->topology->guard.file, subject->program,
				   bed->stop, &bed->daemon);
	if (err < 0 && err != -EINTR)
		warnx("bench: cannot put %s between r0 and r1: %s", subject->name, strerror(-err));
	if (err >= 0)
		bed->attached = subject;
	return err;
}

void subject_detach(struct subject_bed *bed)
{
	if (bed->attached && bed->attached->kind == SUBJECT_BASELINE)
		baseline_detach(bed->baseline);
	daemon_stop(bed->daemon);
	bed->daemon = NULL;
	bed->attached = NULL;
}
