// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The thread that serves a card, against a card in memory whose every call can fail. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "host/config.h"
#include "host/engine/offload_card.h"
#include "host/fib/grace.h"
#include "host/fib/image_store.h"
#include "host/loop.h"
#include "tests/unit/card_device.h"
#include "tests/unit/image_model.h"

#define SEED     20261130
#define ELEMENTS 400000
#define WAIT     30000 /* ms of patience */

enum call { OPEN, WRITE, LOAD, ATTACH, CHECK, CALLS };

/* The card, and how its calls fail: with this error, from the so manieth call on; 0: never. */
static struct {
	pthread_mutex_t lock;
	struct card_device *device;
	int error[CALLS];
	__u64 after[CALLS], calls[CALLS];
	unsigned int opens, closes, loads, unloads, attached;
	struct image_counters counters;
	__u16 queues;         /* of the program that was loaded last */
	bool firmware_queues; /* its programs may choose queues */
	__u64 without;        /* attempts to load one that does not */
	bool early;           /* attached while the card's tables were not filled */
	bool slow;            /* loading takes some time */
	bool loading;
} card_state = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct program {
	struct engine_port port;
	bool attached;
};

static int fails(enum call call)
{
	int error;

	pthread_mutex_lock(&card_state.lock);
	card_state.calls[call]++;
	error = card_state.calls[call] > card_state.after[call] ? card_state.error[call] : 0;
	pthread_mutex_unlock(&card_state.lock);
	return error;
}

static void set_failure(enum call call, int error, __u64 more_calls)
{
	pthread_mutex_lock(&card_state.lock);
	card_state.error[call] = error;
	card_state.after[call] = card_state.calls[call] + more_calls;
	pthread_mutex_unlock(&card_state.lock);
}

static int fake_open(const struct engine_context *context, __u32 ifindex, void **ret_device,
		     struct card_sizes *ret_sizes, struct why *why)
{
	int error = fails(OPEN);

	if (error)
		return why_set(why, -error, "no maps");
	cr_assert_eq(card_sizes_fit(ELEMENTS, ret_sizes), 0);
	pthread_mutex_lock(&card_state.lock);
	card_state.opens++;
	*ret_device = card_state.device = card_device_new(ret_sizes);
	pthread_mutex_unlock(&card_state.lock);
	return 0;
}

static void fake_close(void *device)
{
	pthread_mutex_lock(&card_state.lock);
	cr_assert_eq(card_state.loads, card_state.unloads, "programs are unloaded before their maps go");
	card_state.closes++;
	card_device_free(device);
	card_state.device = NULL;
	pthread_mutex_unlock(&card_state.lock);
}

static int fake_write(void *device, enum card_map map, __u32 index, const void *value)
{
	struct card_writer writer = card_device_writer(device);
	int error = fails(WRITE);

	return error ? error : writer.write(device, map, index, value);
}

static int fake_load(void *device, const struct engine_port *port, void **ret_program, struct why *why)
{
	struct program *program;
	int error = fails(LOAD);

	card_state.without += !port->queues;
	if (!error && port->queues && !card_state.firmware_queues)
		error = -ENOPROTOOPT;
	if (error)
		return why_set(why, -error, "not this program");
	card_state.queues = port->queues;
	card_state.loading = true;
	if (card_state.slow)
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	card_state.loading = false;
	program = calloc(1, sizeof(*program));
	cr_assert(program);
	program->port = *port;
	pthread_mutex_lock(&card_state.lock);
	card_state.loads++;
	pthread_mutex_unlock(&card_state.lock);
	*ret_program = program;
	return 0;
}

static int fake_attach(void *arg, struct why *why)
{
	struct program *program = arg;
	int error = fails(ATTACH);

	if (error)
		return why_set(why, -error, "somebody else is there");
	pthread_mutex_lock(&card_state.lock);
	card_state.early |= card_device_held(card_state.device);
	card_state.attached++;
	program->attached = true;
	pthread_mutex_unlock(&card_state.lock);
	return 0;
}

static void fake_detach(void *arg)
{
	struct program *program = arg;

	pthread_mutex_lock(&card_state.lock);
	card_state.attached -= program->attached;
	program->attached = false;
	pthread_mutex_unlock(&card_state.lock);
}

static void fake_unload(void *arg)
{
	fake_detach(arg);
	pthread_mutex_lock(&card_state.lock);
	card_state.unloads++;
	pthread_mutex_unlock(&card_state.lock);
	free(arg);
}

static int fake_check(void *arg, struct image_counters *ret)
{
	struct program *program = arg;
	int error = fails(CHECK);

	pthread_mutex_lock(&card_state.lock);
	*ret = card_state.counters;
	if (!error && !program->attached)
		error = -ENOLINK;
	pthread_mutex_unlock(&card_state.lock);
	return error;
}

static const struct offload_device_ops fake_device = {
	.open = fake_open,
	.close = fake_close,
	.write = fake_write,
	.load = fake_load,
	.attach = fake_attach,
	.detach = fake_detach,
	.unload = fake_unload,
	.check = fake_check,
};

struct bed {
	struct image_model *model;
	struct grace *grace;
	struct config config;
	struct engine_context context;
	int seen;
	struct offload_card *card;
};

static const struct engine_port first = { .name = "nfp0", .ifindex = 7, .id = 3 };
static const struct engine_port queued = { .name = "nfp0", .ifindex = 7, .id = 3, .queues = 6 };
static const struct engine_port second = { .name = "nfp1", .ifindex = 8, .id = 4 };

static struct bed *bed_new(void)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct image_control *control;

	cr_assert(bed);
	bed->model = model_new(SEED, 0, 0);
	control = &bed->model->store->tables->control;
	control->version = IMAGE_VERSION;
	control->deadline = ~0ull;
	model_pool(bed->model, 200, 1);
	for (__u32 i = 0; i < bed->model->pool_count; i++)
		model_change(bed->model, &bed->model->pool[i], 100 + i % 50);
	cr_assert_eq(grace_new(&bed->grace), 0);
	bed->config.stale_after = 3600;
	bed->context = (struct engine_context){ .config = &bed->config,
						.store = bed->model->store,
						.grace = bed->grace };
	bed->seen = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	cr_assert_geq(bed->seen, 0);
	cr_assert_eq(offload_card_new(&bed->context, &fake_device, "card", bed->seen, &bed->card), 0);
	return bed;
}

static void bed_free(struct bed *bed)
{
	offload_card_free(bed->card);
	cr_expect_eq(card_state.opens, card_state.closes);
	cr_expect_eq(card_state.loads, card_state.unloads);
	cr_expect_eq(card_state.attached, 0);
	cr_expect_not(card_state.early, "a program is attached when the tables are filled, not before");
	grace_free(bed->grace);
	model_free(bed->model);
	close(bed->seen);
	free(bed);
}

static struct engine_state state_of(struct bed *bed, const struct engine_port *port)
{
	struct engine_state state;

	cr_assert_eq(offload_card_state(bed->card, port, &state), 0);
	return state;
}

#define until(condition)                                                                                     \
	do {                                                                                                 \
		uint64_t end = loop_now() + WAIT;                                                            \
		while (!(condition)) {                                                                       \
			cr_assert_lt(loop_now(), end, "not yet: %s", #condition);                            \
			nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);                           \
		}                                                                                            \
	} while (0)

static __u64 fact(struct bed *bed, const char *name)
{
	struct engine_fact facts[ENGINE_FACTS];
	unsigned int count = offload_card_facts(bed->card, &first, facts);

	cr_assert_leq(count, ENGINE_FACTS);
	for (unsigned int i = 0; i < count; i++)
		if (strcmp(facts[i].name, name) == 0)
			return facts[i].value;
	cr_assert_fail("there is no fact '%s'", name);
	return 0;
}

static void start(struct bed *bed)
{
	cr_assert_eq(offload_card_add(bed->card, &first), 0);
	until(state_of(bed, &first).attached);
}

/* All of the image is on the card. */
static bool equal(struct bed *bed)
{
	bool same = true;

	pthread_mutex_lock(&card_state.lock);
	for (__u32 i = 0; i < bed->model->pool_count && same && card_state.device; i++) {
		const struct image_prefix *prefix = &bed->model->pool[i];
		__u8 address[16];

		model_address(&prefix->key, address);
		same = card_device_leaf(card_state.device, prefix->vrf, prefix->family, address) ==
		       model_answer(bed->model, prefix->vrf, prefix->family, address);
	}
	same = same && card_state.device;
	pthread_mutex_unlock(&card_state.lock);
	return same;
}

Test(offload_card, ports_share_the_tables_and_follow_the_image)
{
	struct bed *bed = bed_new();

	start(bed);
	cr_assert_eq(offload_card_add(bed->card, &second), 0);
	until(state_of(bed, &second).attached);
	cr_expect_eq(card_state.opens, 1);
	cr_expect_eq(card_state.attached, 2);
	until(equal(bed));
	for (__u32 i = 0; i < 20; i++)
		model_change(bed->model, &bed->model->pool[i], 200 + i);
	until(equal(bed));
	cr_expect_eq(fact(bed, "live"), 1);
	cr_expect_gt(fact(bed, "node_used"), 0);
	cr_expect_leq(fact(bed, "elements"), ELEMENTS);
	cr_expect_eq(poll(&(struct pollfd){ .fd = bed->seen, .events = POLLIN }, 1, 0), 1,
		     "the loop is told");

	offload_card_drop(bed->card, &first);
	cr_expect_eq(card_state.attached, 1, "at once");
	until(card_state.unloads == 1);
	cr_expect(state_of(bed, &second).attached);
	offload_card_drop(bed->card, &second);
	until(card_state.closes == 1);
	start(bed);
	cr_expect_eq(card_state.opens, 2);
	offload_card_drop(bed->card, &first);
	bed_free(bed);
}

/* Whatever fails ends the card's part at once, says why, and begins anew by itself. */
static void recover(enum call call, int error, const char *word)
{
	struct bed *bed = bed_new();

	start(bed);
	set_failure(call, error, 0);
	for (__u32 i = 0; i < bed->model->pool_count; i++) /* something to write */
		model_change(bed->model, &bed->model->pool[i], 300);
	until(!state_of(bed, &first).attached);
	cr_expect_eq(card_state.attached, 0);
	until(state_of(bed, &first).failed);
	cr_expect_not_null(strstr(state_of(bed, &first).why.text, word), "%s",
			   state_of(bed, &first).why.text);
	cr_expect_not_null(strstr(state_of(bed, &first).why.text, "tried again in 1 s"), "%s",
			   state_of(bed, &first).why.text);
	cr_expect_eq(fact(bed, "troubles"), 1);
	set_failure(call, 0, 0);
	until(state_of(bed, &first).attached);
	until(equal(bed));
	cr_expect_eq(fact(bed, "starts"), 2);
	offload_card_drop(bed->card, &first);
	bed_free(bed);
}

Test(offload_card, a_write_that_times_out)
{
	recover(WRITE, -ETIMEDOUT, strerror(ETIMEDOUT));
}

Test(offload_card, a_map_that_is_full)
{
	recover(WRITE, -E2BIG, strerror(E2BIG));
}

Test(offload_card, a_device_that_is_gone)
{
	recover(CHECK, -ENODEV, strerror(ENODEV));
}

/* While it is filled, too: and the image's writer waits no longer than it must. */
Test(offload_card, a_write_that_fails_while_the_card_is_filled)
{
	struct bed *bed = bed_new();

	set_failure(WRITE, -EIO, 500);
	cr_assert_eq(offload_card_add(bed->card, &first), 0);
	until(state_of(bed, &first).failed);
	cr_expect_eq(card_state.loads, 0, "nothing is attached to half of the tables");
	cr_expect_not_null(strstr(state_of(bed, &first).why.text, strerror(EIO)));
	set_failure(WRITE, 0, 0);
	until(state_of(bed, &first).attached);
	offload_card_drop(bed->card, &first);
	bed_free(bed);
}

Test(offload_card, a_card_that_takes_no_maps)
{
	struct bed *bed = bed_new();

	set_failure(OPEN, -ENOMEM, 0);
	cr_assert_eq(offload_card_add(bed->card, &first), 0);
	until(state_of(bed, &first).failed);
	cr_expect_not_null(strstr(state_of(bed, &first).why.text, "no maps; tried again in"));
	set_failure(OPEN, 0, 0);
	until(state_of(bed, &first).attached);
	offload_card_drop(bed->card, &first);
	bed_free(bed);
}

/* The tables stay, other ports go on. */
static void refuse_one(enum call call, int error, const char *word)
{
	struct bed *bed = bed_new();

	start(bed);
	set_failure(call, error, 0);
	cr_assert_eq(offload_card_add(bed->card, &second), 0);
	until(state_of(bed, &second).failed);
	cr_expect_not_null(strstr(state_of(bed, &second).why.text, word));
	cr_expect(state_of(bed, &first).attached);
	set_failure(call, 0, 0);
	until(state_of(bed, &second).attached);
	cr_expect_eq(card_state.opens, 1);
	offload_card_drop(bed->card, &first);
	offload_card_drop(bed->card, &second);
	bed_free(bed);
}

Test(offload_card, a_program_that_is_refused)
{
	refuse_one(LOAD, -EINVAL, "not this program");
}

Test(offload_card, a_port_that_is_taken)
{
	refuse_one(ATTACH, -EBUSY, "somebody else");
}

Test(offload_card, a_program_that_somebody_took_away)
{
	struct bed *bed = bed_new();

	start(bed);
	set_failure(CHECK, -ENOLINK, 0);
	until(!state_of(bed, &first).attached);
	cr_expect_not_null(strstr(state_of(bed, &first).why.text, "taken off nfp0"));
	set_failure(CHECK, 0, 0);
	until(state_of(bed, &first).attached);
	cr_expect_eq(card_state.opens, 1);
	offload_card_drop(bed->card, &first);
	bed_free(bed);
}

/* The firmware decides whether the program chooses among the queues that somebody reads. */
Test(offload_card, queues_are_chosen_where_the_firmware_lets_it)
{
	struct bed *bed = bed_new();

	for (int may = 0; may < 2; may++) {
		card_state.firmware_queues = may;
		cr_assert_eq(offload_card_add(bed->card, &queued), 0);
		until(state_of(bed, &queued).attached);
		cr_expect_eq(card_state.queues, may ? 6 : 0);
		cr_expect_eq(fact(bed, "steered_queues"), may ? 6 : 0);
		cr_expect_eq(card_state.calls[LOAD], may ? 3 : 2);
		offload_card_drop(bed->card, &queued);
	}
	cr_expect_eq(fact(bed, "steered_queues"), 0, "it has no program any more");
	bed_free(bed);
}

/* What is refused for another reason is tried again as it was. */
Test(offload_card, a_refusal_takes_no_queues_away)
{
	struct bed *bed = bed_new();

	card_state.firmware_queues = true;
	set_failure(LOAD, -EOPNOTSUPP, 0);
	cr_assert_eq(offload_card_add(bed->card, &queued), 0);
	until(state_of(bed, &queued).failed);
	set_failure(LOAD, 0, 0);
	until(state_of(bed, &queued).attached);
	cr_expect_eq(card_state.without, 0);
	cr_expect_eq(card_state.queues, 6);
	cr_expect_eq(fact(bed, "steered_queues"), 6);
	offload_card_drop(bed->card, &queued);
	bed_free(bed);
}

/* What it was being given while it went is not attached any more. */
Test(offload_card, a_port_dropped_while_its_program_is_loaded)
{
	struct bed *bed = bed_new();

	card_state.slow = true;
	cr_assert_eq(offload_card_add(bed->card, &first), 0);
	until(card_state.loading);
	offload_card_drop(bed->card, &first);
	until(card_state.closes == 1);
	cr_expect_eq(card_state.calls[ATTACH], 0);
	bed_free(bed);
}

/* Sums over programs: each counts from zero. */
Test(offload_card, counters_outlive_programs)
{
	struct image_counters sum;
	struct bed *bed = bed_new();

	start(bed);
	pthread_mutex_lock(&card_state.lock);
	card_state.counters.reason[REASON_FORWARDED] = (struct image_counter){ 5, 500 };
	pthread_mutex_unlock(&card_state.lock);
	until((memset(&sum, 0, sizeof(sum)), offload_card_counters(bed->card, first.id, &sum),
	       sum.reason[REASON_FORWARDED].packets == 5));
	pthread_mutex_lock(&card_state.lock);
	card_state.counters.reason[REASON_FORWARDED].packets = 7;
	pthread_mutex_unlock(&card_state.lock);
	offload_card_drop(bed->card, &first);
	until(card_state.closes == 1);
	memset(&sum, 0, sizeof(sum));
	offload_card_counters(bed->card, first.id, &sum);
	cr_expect_eq(sum.reason[REASON_FORWARDED].packets, 7, "what came after the last look counts, too");
	cr_expect_eq(sum.reason[REASON_FORWARDED].bytes, 500);
	pthread_mutex_lock(&card_state.lock);
	card_state.counters.reason[REASON_FORWARDED].packets = 2;
	pthread_mutex_unlock(&card_state.lock);
	start(bed);
	until((memset(&sum, 0, sizeof(sum)), offload_card_counters(bed->card, first.id, &sum),
	       sum.reason[REASON_FORWARDED].packets == 9));
	offload_card_drop(bed->card, &first);
	bed_free(bed);
}

/* A card has no clock: the thread is its clock. */
Test(offload_card, tables_that_nobody_vouches_for)
{
	struct bed *bed = bed_new();
	struct image_control *control = &bed->model->store->tables->control;

	offload_card_free(bed->card);
	control->deadline = 1000;
	bed->config.stale_after = 1;
	cr_assert_eq(offload_card_new(&bed->context, &fake_device, "card", bed->seen, &bed->card), 0);
	cr_assert_eq(offload_card_add(bed->card, &first), 0);
	until(state_of(bed, &first).failed);
	cr_expect_not_null(strstr(state_of(bed, &first).why.text, "tables hold"));
	cr_expect_eq(card_state.attached, 0);
	__atomic_store_n(&control->deadline, ~0ull, __ATOMIC_RELEASE);
	until(state_of(bed, &first).attached);
	offload_card_drop(bed->card, &first);
	bed_free(bed);
}

/* Its copy takes part in the image's grace, and only as long as it is there. */
Test(offload_card, the_image_waits_for_the_card)
{
	struct bed *bed = bed_new();
	__u64 epoch = grace_epoch(bed->grace);

	start(bed);
	until(grace_poll(bed->grace, true) || grace_passed(bed->grace) >= epoch);
	epoch = grace_epoch(bed->grace);
	until((grace_poll(bed->grace, true), grace_passed(bed->grace) >= epoch));
	cr_expect_eq(fact(bed, "overruns"), 0);
	offload_card_drop(bed->card, &first);
	until(card_state.closes == 1);
	epoch = grace_epoch(bed->grace);
	until((grace_poll(bed->grace, true), grace_passed(bed->grace) >= epoch));
	bed_free(bed);
}
