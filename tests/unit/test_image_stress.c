// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/fib/fib.h"
#include "tests/unit/image_model.h"
#include "tests/unit/image_probes.h"
#include "tests/unit/image_reader.h"
#include "tests/unit/image_reader_layout.h"

/*
 * Readers look up without a pause, in threads and in the kernel's program, while the tables change; each
 * answer must be the one from before or from after the change in flight. PENSTOCK_TEST_SCALE multiplies the
 * work.
 */

#define VRFS     3
#define THREADS  2
#define PREFIXES 20000
#define PROBES   (READER_BATCH * 8) /* of each VRF and family */
#define CHANGES  500000
#define LOOKUPS  20000000

struct space {
	struct image_probe *probe; /* sorted by address */
};

struct stress {
	struct image_model *model;
	struct space space[VRFS][2];
	struct image_probe *probes; /* all, space after space */
	struct image_kernel_reader *kernel;
	atomic_bool stop;
	_Atomic __u64 lookups, forgotten, evasive;
	_Atomic unsigned wrong;
	/* Changes of a fallback, counted when they begin and when they end: a lookup that meets one may leave
	 * the packet to the kernel. */
	_Atomic __u32 fallbacks[VRFS][2];
};

static unsigned width_of(unsigned family)
{
	return family ? 128 : 32;
}

/* --- readers --- */

static void judge(struct stress *stress, const struct image_probe *probe, __u32 look, __u32 fallbacks,
		  __u16 answer)
{
	switch (image_probe_judge(probe, look, answer)) {
	case PROBE_RIGHT:
		break;
	case PROBE_FORGOTTEN:
		stress->forgotten++;
		break;
	case PROBE_WRONG:
		if (answer == REASON_NO_ROUTE &&
		    (fallbacks % 2 || stress->fallbacks[probe->vrf][probe->family] != fallbacks)) {
			stress->evasive++;
			break;
		}
		if (stress->wrong++ < 5)
			fprintf(stderr, "wrong: VRF %u family %u: %u, look %u state %u newest %u\n",
				probe->vrf, probe->family, answer, look, image_probe_look(probe),
				image_probe_newest(probe));
		break;
	}
}

struct thread {
	struct stress *stress;
	struct grace_reader *reader;
	__u64 seed;
	pthread_t id;
};

static void *read_in_thread(void *arg)
{
	enum { BURST = 32 };
	struct thread *thread = arg;
	struct stress *stress = thread->stress;
	struct random random;

	random_seed(&random, thread->seed);
	grace_reader_online(thread->reader);
	while (!stress->stop) {
		for (unsigned i = 0; i < BURST; i++) {
			const struct image_probe *probe =
				&stress->probes[random_below(&random, PROBES * VRFS * 2)];
			__u32 fallbacks = stress->fallbacks[probe->vrf][probe->family];
			__u32 look = image_probe_look(probe);
			__u16 answer = image_reader_leaf(stress->model->store, probe->vrf, probe->family,
							 probe->address);

			judge(stress, probe, look, fallbacks, answer);
		}
		stress->lookups += BURST;
		grace_reader_quiescent(thread->reader);
	}
	grace_reader_offline(thread->reader);
	return NULL;
}

static void stay_on_one_cpu(void)
{
	cpu_set_t allowed, one;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed)) {
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
		}
	sched_setaffinity(0, sizeof(one), &one);
}

/* One batch of probes of one space, by the program in the kernel. */
static void read_batch(struct stress *stress, unsigned vrf, unsigned family, unsigned number)
{
	const struct image_probe *probe = &stress->space[vrf][family].probe[number * READER_BATCH];
	struct reader_batch *batch = image_kernel_reader_batch(stress->kernel);
	__u32 look[READER_BATCH], fallbacks = stress->fallbacks[vrf][family];

	batch->vrf = vrf;
	batch->family = family;
	for (unsigned i = 0; i < READER_BATCH; i++) {
		batch->key[i] = image_reader_key(family, probe[i].address);
		look[i] = image_probe_look(&probe[i]);
	}
	if (image_kernel_reader_run(stress->kernel) < 0) {
		stress->wrong++;
		return;
	}
	for (unsigned i = 0; i < READER_BATCH; i++)
		judge(stress, &probe[i], look[i], fallbacks, batch->leaf[i]);
	stress->lookups += READER_BATCH;
}

static void *read_in_kernel(void *arg)
{
	struct thread *thread = arg;
	struct random random;

	stay_on_one_cpu();
	random_seed(&random, thread->seed);
	while (!thread->stress->stop)
		read_batch(thread->stress, random_below(&random, VRFS), random_below(&random, 2),
			   random_below(&random, PROBES / READER_BATCH));
	return NULL;
}

/* --- the writer --- */

static int compare_probes(const void *a, const void *b)
{
	return memcmp(((const struct image_probe *)a)->address, ((const struct image_probe *)b)->address, 16);
}

static void make_probes(struct stress *stress)
{
	struct image_model *model = stress->model;
	struct image_probe *probe = calloc(PROBES * VRFS * 2, sizeof(*probe));

	cr_assert(probe);
	stress->probes = probe;
	for (unsigned i = 0; i < PROBES * VRFS * 2; i++) {
		unsigned family = i / PROBES % 2;
		struct image_prefix prefix;

		do
			prefix = model_random_prefix(model, VRFS);
		while (prefix.family != family);
		probe[i].vrf = i / PROBES / 2;
		probe[i].family = family;
		model_address(&prefix.key, probe[i].address);
		if (random_below(&model->random, 2))
			probe[i].address[width_of(family) / 8 - 1] ^= random_below(&model->random, 256);
		image_probe_init(&probe[i], REASON_NO_ROUTE);
	}
	for (unsigned vrf = 0; vrf < VRFS; vrf++)
		for (unsigned family = 0; family < 2; family++) {
			stress->space[vrf][family].probe = &probe[(vrf * 2 + family) * PROBES];
			qsort(stress->space[vrf][family].probe, PROBES, sizeof(*probe), compare_probes);
		}
}

/* The first probe that is not below the address. */
static unsigned probe_from(const struct image_probe *probe, const __u8 *address)
{
	unsigned first = 0, past = PROBES;

	while (first < past) {
		unsigned middle = (first + past) / 2;

		if (memcmp(probe[middle].address, address, 16) < 0)
			first = middle + 1;
		else
			past = middle;
	}
	return first;
}

/* Notes the change in the naive tables and begins new answers; a second call ends them. */
static void each_inside(struct stress *stress, const struct image_prefix *prefix, bool begin)
{
	struct image_probe *probe = stress->space[prefix->vrf][prefix->family].probe;
	__u8 low[16], high[16];
	unsigned i;

	model_address(&prefix->key, low);
	memcpy(high, low, 16);
	for (unsigned bit = prefix->length; bit < width_of(prefix->family); bit++)
		high[bit / 8] |= 0x80 >> bit % 8;
	for (i = probe_from(probe, low); i < PROBES && memcmp(probe[i].address, high, 16) <= 0; i++) {
		__u16 answer;

		if (!begin) {
			image_probe_end(&probe[i]);
			continue;
		}
		answer = model_expect(stress->model, prefix->vrf, prefix->family, probe[i].address);
		if (answer != image_probe_newest(&probe[i]))
			image_probe_begin(&probe[i], answer);
	}
}

static void change(struct stress *stress, const struct image_prefix *prefix, __u16 leaf)
{
	struct image_update *update = stress->model->update;
	__u16 old;

	model_note(stress->model, prefix, leaf);
	if (prefix->length == 0)
		stress->fallbacks[prefix->vrf][prefix->family]++;
	each_inside(stress, prefix, true);
	if (leaf)
		image_update_set(update, prefix, leaf, &old);
	else
		image_update_delete(update, prefix);
	while (image_update_busy(update))
		image_update_settle(update);
	each_inside(stress, prefix, false);
	if (prefix->length == 0)
		stress->fallbacks[prefix->vrf][prefix->family]++;
}

static void close_and_open(struct stress *stress, unsigned vrf)
{
	struct image_model *model = stress->model;
	struct image_prefix whole = { .vrf = vrf };

	for (__u32 i = 0; i < model->pool_count; i++)
		if (model->pool[i].vrf == vrf)
			model_note(model, &model->pool[i], 0);
	for (whole.family = 0; whole.family < 2; whole.family++) {
		for (whole.layer = 0; whole.layer < PREFIX_LAYERS; whole.layer++)
			model_note(model, &whole, 0);
		stress->fallbacks[vrf][whole.family]++;
		each_inside(stress, &whole, true);
	}
	image_update_close(model->update, vrf);
	cr_assert_eq(image_update_open(model->update, vrf, random_below(&model->random, 2)), 0);
	for (whole.family = 0; whole.family < 2; whole.family++) {
		each_inside(stress, &whole, false);
		stress->fallbacks[vrf][whole.family]++;
	}
}

/* Returns how many changes it made: sometimes none. */
static unsigned random_change(struct stress *stress)
{
	struct image_model *model = stress->model;
	struct image_prefix prefix = model->pool[random_below(&model->random, model->pool_count)];
	__u16 leaf = random_below(&model->random, 3) ? 64 + random_below(&model->random, 60000) : 0;
	__u32 dice = random_below(&model->random, 40000);

	if (dice == 0) {
		close_and_open(stress, 1 + random_below(&model->random, VRFS - 1));
		return 1;
	}
	/* Short prefixes change many answers, and noting that takes long. */
	if (prefix.length < 10 && dice > 400)
		return 0;
	change(stress, &prefix, leaf);
	return 1;
}

/*
 * What was replaced waits for readers. Where the machine leaves them without a CPU for long, changes would
 * fill the tables with that, and answers become table-full; this is tested elsewhere.
 */
static void wait_for_readers(struct stress *stress)
{
	struct image_usage usage;

	image_update_usage(stress->model->update, &usage);
	while (usage.node_limbo > usage.node_total / 8 || usage.run_limbo > usage.run_total / 8) {
		sched_yield();
		image_update_settle(stress->model->update);
		image_update_usage(stress->model->update, &usage);
	}
}

static __u64 from_environment(const char *name, __u64 otherwise)
{
	const char *text = getenv(name);
	__u64 value = text ? strtoull(text, NULL, 10) : 0;

	return value ? value : otherwise;
}

static void run(struct stress *stress, struct thread *thread, unsigned threads, bool in_kernel)
{
	struct image_model *model = stress->model;
	__u64 scale = from_environment("PENSTOCK_TEST_SCALE", 1);
	__u64 changes = CHANGES * scale, lookups = LOOKUPS * scale;

	make_probes(stress);
	model_pool(model, PREFIXES, VRFS);
	for (unsigned i = 0; i < threads; i++) {
		bool last = i + 1 == threads;

		thread[i] = (struct thread){ .stress = stress, .seed = model->seed + i + 1 };
		if (!last || !in_kernel)
			cr_assert_eq(grace_reader_add(model->grace, &thread[i].reader), 0);
		cr_assert_eq(pthread_create(&thread[i].id, NULL,
					    last && in_kernel ? read_in_kernel : read_in_thread, &thread[i]),
			     0);
	}
	for (__u64 made = 0; !stress->wrong && (made < changes || stress->lookups < lookups);) {
		made += random_change(stress);
		if (made % 64 == 0)
			image_update_settle(model->update);
		wait_for_readers(stress);
	}
	stress->stop = true;
	for (unsigned i = 0; i < threads; i++)
		pthread_join(thread[i].id, NULL);
}

static void check(struct stress *stress)
{
	struct image_model *model = stress->model;
	struct image_usage usage;

	image_update_usage(model->update, &usage);
	fprintf(stderr, "seed %llu: %llu lookups, %llu forgotten, %llu left to the kernel; full %llu times\n",
		model->seed, stress->lookups, stress->forgotten, stress->evasive, usage.full);
	cr_assert_eq(usage.full, 0);
	cr_assert_eq(stress->wrong, 0, "seed %llu", model->seed);
	/* What is forgotten is not tested; readers that sleep too long are rare. */
	cr_assert_lt(stress->forgotten, stress->lookups / 100);
	cr_assert_lt(stress->evasive, stress->lookups / 1000);
	model_settle(model);
	model_check_all(model);
	model_check_memory(model);
}

Test(image_stress, threads_and_kernel)
{
	struct stress stress = {};
	struct thread thread[THREADS + 1];
	/* Room for all that is used, and that waits for readers, at any time: full tables are tested
	 * elsewhere. */
	const struct fib_limits limits = { .node_chunks = 1u << 20 };
	struct image_store *store;
	int error = image_store_maps(&limits, &store);

	if (error == -EPERM)
		cr_skip_test("needs root: no permission to make BPF maps");
	cr_assert_eq(error, 0);
	stress.model = model_new_in(from_environment("PENSTOCK_TEST_SEED", 77), store);
	cr_assert_eq(grace_add_kernel(stress.model->grace), 0);
	cr_assert_eq(image_kernel_reader_new(store, &stress.kernel), 0);
	run(&stress, thread, THREADS + 1, true);
	check(&stress);
	image_kernel_reader_free(stress.kernel);
	free(stress.probes);
	model_free(stress.model);
}
