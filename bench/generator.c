// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/generator.h"

#include <assert.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define GENERATOR_WAYS    8
#define GENERATOR_POLL_NS 500000

struct generator {
	const struct generator_way *way;
	const struct generator_bed *bed;
	void *sender;
};

static const struct generator_way *generator_ways[GENERATOR_WAYS] = {
	&generator_afxdp,
	&generator_live,
	&generator_pcap,
	&generator_pktgen,
};
static unsigned int generator_way_count = 4;

void generator_add(const struct generator_way *way)
{
	assert(generator_way_count < GENERATOR_WAYS);
	generator_ways[generator_way_count++] = way;
}

const struct generator_way *const *generator_list(unsigned int *ret_count)
{
	*ret_count = generator_way_count;
	return generator_ways;
}

int generator_choose(const char *name, unsigned int needs, const struct generator_way **ret_way)
{
	char names[128] = "";

	for (unsigned int i = 0; i < generator_way_count; i++) {
		const struct generator_way *way = generator_ways[i];

		if ((way->can & needs) != needs)
			continue;
		if (strcmp(way->name, name) == 0) {
			*ret_way = way;
			return 0;
		}
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", names[0] ? ", " : "",
			 way->name);
	}
	warnx("bench: --generator %s: want one of %s", name, names);
	return -EINVAL;
}

static int generator_too_large(const struct generator_way *way, unsigned int size, struct why *why)
{
	return why_set(why, EMSGSIZE,
		       "generator %s: sends frames of %u bytes at most, not %u; see --generator", way->name,
		       way->largest, size);
}

int generator_suits(const struct generator_way *way, const struct load *load, struct why *why)
{
	bool brings = way->can & GENERATOR_BRINGS;

	if (!brings && load_largest(load) > way->largest)
		return generator_too_large(way, load_largest(load), why);
	if (!brings && !(way->can & GENERATOR_MIXES) && (load->family != AF_INET || load->sizes[1]))
		return why_set(why, EOPNOTSUPP, "generator %s: sends IPv4 of one size only; see --generator",
			       way->name);
	if (!brings && !(way->can & GENERATOR_AIMS) && load->order != LOAD_UNIFORM)
		return why_set(why, EOPNOTSUPP,
			       "generator %s: sends to one destination after the other only; see --generator",
			       way->name);
	return 0;
}

int generator_open(const struct generator_way *way, const struct generator_bed *bed,
		   struct generator **ret_generator, struct why *why)
{
	struct generator *generator;
	int err;

	if (bed->largest > way->largest)
		return generator_too_large(way, bed->largest, why);
	generator = calloc(1, sizeof(*generator));
	if (!generator)
		return -ENOMEM;
	generator->way = way;
	generator->bed = bed;
	err = way->open(bed, &generator->sender, why);
	if (err < 0) {
		free(generator);
		return err;
	}
	*ret_generator = generator;
	return 0;
}

void generator_close(struct generator *generator)
{
	if (!generator)
		return;
	generator->way->close(generator->sender);
	free(generator);
}

const struct generator_way *generator_way(const struct generator *generator)
{
	return generator->way;
}

int generator_start(struct generator *generator, const struct load *load, struct why *why)
{
	const struct generator_way *way = generator->way;
	int err = generator_suits(way, load, why);

	if (err < 0)
		return err;
	if (load_largest(load) > generator->bed->largest && !(way->can & GENERATOR_BRINGS))
		return why_set(why, EMSGSIZE, "generator %s: opened for frames of %u bytes, not %u",
			       way->name, generator->bed->largest, load_largest(load));
	return way->start(generator->sender, load, why);
}

void generator_counts(struct generator *generator, struct generator_counts *ret_counts)
{
	generator->way->counts(generator->sender, ret_counts);
}

int generator_wait(struct generator *generator, const volatile sig_atomic_t *stop)
{
	const struct timespec pause = { .tv_nsec = GENERATOR_POLL_NS };
	struct generator_counts counts;

	do {
		nanosleep(&pause, NULL);
		generator_counts(generator, &counts);
	} while (!counts.done && !*stop);
	return counts.done ? 0 : -EINTR;
}

int generator_stop(struct generator *generator, struct generator_counts *ret_counts)
{
	return generator->way->stop(generator->sender, ret_counts);
}

int generator_run(struct generator *generator, const struct load *load, const volatile sig_atomic_t *stop,
		  struct generator_counts *ret_counts, struct why *why)
{
	int err = generator_start(generator, load, why), waited;

	if (err < 0)
		return err;
	waited = generator_wait(generator, stop);
	err = generator_stop(generator, ret_counts);
	return err < 0 ? err : waited;
}
