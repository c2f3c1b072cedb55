// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_family.h"

#include "bench/stopwatch.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fib_family_fail(const struct fib_family *family, const char *what, int err)
{
	warnx("bench fib: IPv%u: cannot %s: %s%s", fib_family_number(family), what, strerror(-err),
	      err == -EPERM ? "; run as root, or leave out what needs it by --skip" : "");
	return err;
}

// What eBPF programs need. The maps are there also without the image among the subjects: the programs are one
// object.
static int fib_family_open_ebpf(struct fib_family *family)
{
	int err = image_store_maps(NULL, &family->bed.maps);

	if (err >= 0)
		err = lookup_new(family->bed.maps, &family->bed.lookup);
	return err < 0 ? fib_family_fail(family, "load the eBPF programs", err) : 0;
}

static struct fib_built *fib_family_built(struct fib_family *family, const struct fib_structure_kind *kind)
{
	for (unsigned int i = 0; i < family->built_count; i++)
		if (family->built[i].structure->kind == kind)
			return &family->built[i];
	return NULL;
}

static int fib_family_load(struct fib_family *family, struct fib_structure *structure)
{
	int err = 0;

	if (structure->kind->load)
		return structure->kind->load(structure, family->table);
	for (size_t i = 0; err >= 0 && i < family->table->count; i++)
		err = *family->plan->stop ? -EINTR
					  : structure->kind->announce(structure, &family->table->routes[i]);
	return err;
}

static int fib_family_build(struct fib_family *family, const struct fib_structure_kind *kind)
{
	struct fib_built *built = &family->built[family->built_count];
	__u64 began = stopwatch_wall();
	char what[96];
	int err;

	fprintf(stderr, "IPv%u: %zu routes into %s", fib_family_number(family), family->table->count,
		kind->name);
	err = kind->open(&family->bed, &built->structure);
	if (err >= 0) {
		family->built_count++;
		err = fib_family_load(family, built->structure);
	}
	built->load_seconds = (stopwatch_wall() - began) / 1e9;
	fprintf(stderr, ": %.2f s\n", built->load_seconds);
	if (err == -EINTR)
		return err;
	if (err < 0) {
		snprintf(what, sizeof(what), "load the routes into %s", kind->name);
		return fib_family_fail(family, what, err);
	}
	kind->memory(built->structure, &built->memory);
	return 0;
}

static int fib_family_add(struct fib_family *family, const struct fib_subject *subject)
{
	struct fib_entry *entry = &family->entries[family->entry_count];
	int err = 0;

	if (subject->family && subject->family != family->family)
		return 0;
	if (subject->ebpf && !family->bed.lookup)
		err = fib_family_open_ebpf(family);
	if (err >= 0 && subject->structure && !fib_family_built(family, subject->structure))
		err = fib_family_build(family, subject->structure);
	if (err < 0)
		return err;
	entry->subject = subject;
	entry->bed = &family->bed;
	if (subject->structure)
		entry->structure = fib_family_built(family, subject->structure)->structure;
	if (entry->structure && subject->prepare && subject->prepare(entry->structure) < 0) {
		fprintf(stderr, "IPv%u: %s is left out: not on this CPU\n", fib_family_number(family),
			subject->name);
		return 0;
	}
	family->entry_count++;
	return 0;
}

static int fib_family_make_streams(struct fib_family *family)
{
	int err = 0;

	for (unsigned int i = 0; err >= 0 && i < FIB_STREAMS; i++)
		err = fib_stream_new(family->table, i, &family->streams[i]);
	return err < 0 ? fib_family_fail(family, "draw addresses", err) : 0;
}

int fib_family_open(const struct fib_plan *plan, const struct table *table, size_t more,
		    const struct topology *topology, struct fib_family **ret_family)
{
	struct fib_family *family = calloc(1, sizeof(*family));
	int err;

	if (!family)
		return -ENOMEM;
	family->family = table->routes[0].family;
	family->plan = plan;
	family->table = table;
	family->bed.family = family->family;
	family->bed.table = table;
	family->bed.routes = table->count + more;
	family->bed.topology = topology;
	family->bed.stop = plan->stop;
	err = fib_family_make_streams(family);
	for (unsigned int i = 0; err >= 0 && i < plan->subject_count; i++)
		err = *plan->stop ? -EINTR : fib_family_add(family, plan->subjects[i]);
	if (err < 0)
		fib_family_close(family);
	else
		*ret_family = family;
	return err;
}

void fib_family_close(struct fib_family *family)
{
	if (!family)
		return;
	for (unsigned int i = 0; i < family->built_count; i++)
		family->built[i].structure->kind->close(family->built[i].structure);
	lookup_free(family->bed.lookup);
	image_store_free(family->bed.maps);
	for (unsigned int i = 0; i < FIB_STREAMS; i++)
		fib_stream_free(family->streams[i]);
	free(family);
}

unsigned int fib_family_number(const struct fib_family *family)
{
	return family->family == AF_INET6 ? 6 : 4;
}
