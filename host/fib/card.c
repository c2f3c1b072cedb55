// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/fib/card_parts.h"

/* The writer of the image waits so long for a pass. */
#define PATIENCE_NANOSECONDS 100000000ull

#define NODE_PAGE 2048u /* elements, as host/fib/image_memory.c parts them out */
#define RUN_PAGE  512u
#define DEPTHS    8 /* nodes begin at multiples of it */
#define DEEPEST   128

const char *const card_map_names[CARD_MAPS] = { "node", "run", "control", "vrf",    "interface",
						"own",  "hop", "vlan",    "bucket", "counters" };

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* --- elements --- */

const __u32 card_value_sizes[CARD_MAPS] = {
	[CARD_NODE] = sizeof(__u64),
	[CARD_RUN] = 2 * sizeof(__u32),
	[CARD_CONTROL] = sizeof(struct image_control),
	[CARD_VRF] = sizeof(struct card_space),
	[CARD_INTERFACE] = sizeof(struct image_interface),
	[CARD_OWN] = sizeof(__u32),
	[CARD_HOP] = sizeof(struct image_nexthop),
	[CARD_VLAN] = sizeof(__u32),
	[CARD_BUCKET] = sizeof(__u32),
	[CARD_COUNTERS] = sizeof(struct image_counter),
};

/* What the card has in a map. */
static void *elements_of(struct card *card, enum card_map map)
{
	switch (map) {
	case CARD_NODE:
		return card->shadow.node;
	case CARD_RUN:
		return card->shadow.run;
	case CARD_CONTROL:
		return &card->control;
	case CARD_VRF:
		return card->space;
	case CARD_INTERFACE:
		return card->interface;
	case CARD_HOP:
		return card->hop;
	case CARD_OWN:
		return card->own;
	case CARD_VLAN:
		return card->vlan;
	default:
		return card->bucket;
	}
}

int card_write(struct card *card, enum card_map map, __u32 index, const void *value)
{
	size_t size = card_value_sizes[map];
	int error = card->writer.write(card->writer.arg, map, index, value);

	if (error < 0)
		return error;
	card->usage.writes++;
	memcpy((char *)elements_of(card, map) + index * size, value, size);
	return 0;
}

int card_check(const struct card *card)
{
	/* What was read before this is read before the flag, which is set before memory has another use. */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load(&card->overrun) ? -EAGAIN : 0;
}

/* --- passes --- */

/* `held`: the card is to punt all packets. A card has no clock, so the deadline says nothing there. */
static int write_control(struct card *card, bool held)
{
	const struct image_control *from = &card->store->tables->control;
	struct image_control control = { .version = from->version, .held = held };

	memcpy(control.hash_key, from->hash_key, sizeof(control.hash_key));
	if (memcmp(&card->control, &control, sizeof(control)) == 0)
		return 0;
	return card_write(card, CARD_CONTROL, 0, &control);
}

static bool image_held(const struct card *card)
{
	return __atomic_load_n(&card->store->tables->control.held, __ATOMIC_ACQUIRE);
}

static void forget_memory(struct card *card)
{
	image_memory_free(card->memory);
	grace_free(card->grace);
	card->memory = NULL;
	card->grace = NULL;
}

static int renew_memory(struct card *card)
{
	int error = grace_new(&card->grace);

	if (!error && card->delay)
		error = grace_add_delay(card->grace, card->delay);
	if (!error)
		error = image_memory_new(&card->shadow, card->grace, card->sizes.entries[CARD_HOP],
					 &card->memory);
	if (error)
		forget_memory(card);
	return error;
}

/* Nobody knows what the card has; the VRFs' entries are written anew because they lead nowhere here. */
static void forget(struct card *card)
{
	for (enum card_map map = CARD_RUN; map < CARD_COUNTERS; map++)
		memset(elements_of(card, map), map == CARD_VRF ? 0 : 0xff,
		       (size_t)card->sizes.entries[map] * card_value_sizes[map]);
	forget_memory(card);
	card->limit = 1;
	card->state = CARD_HOLD;
}

/* Until nothing is under way by what the card had; then *ret_ready: go on. */
static int hold(struct card *card, bool *ret_ready)
{
	int error = 0;

	if (card->state == CARD_HOLD) {
		error = write_control(card, true);
		if (error)
			return error;
		card->state = CARD_QUIET;
		card->quiet = now() + card->delay;
	}
	if (card->state == CARD_QUIET && now() >= card->quiet) {
		if (!card->memory)
			error = renew_memory(card);
		if (!error)
			card->state = CARD_FILL;
	}
	*ret_ready = !error && card->state >= CARD_FILL;
	return error;
}

static int write_identity(struct card *card)
{
	int error = 0;

	for (__u32 id = 0; id < card->sizes.entries[CARD_HOP] && !error; id += 2) {
		const __u32 pair[2] = { id, id + 1 };

		if (memcmp(&card->shadow.run[id], pair, sizeof(pair)))
			error = card_write(card, CARD_RUN, id / 2, pair);
	}
	return error;
}

static int copy(struct card *card)
{
	int error = 0;

	grace_poll(card->grace, image_memory_newest(card->memory) == grace_epoch(card->grace));
	image_memory_recycle(card->memory, ~0u);
	if (image_held(card))
		error = write_control(card, true);
	if (!error)
		error = write_identity(card);
	if (!error)
		error = card_tables_pass(card);
	if (!error)
		error = card_routes_pass(card);
	return error ? error : card_check(card);
}

/* All of the image that was there when the pass began is on the card. */
static int finish(struct card *card, __u64 pass)
{
	int error = write_control(card, image_held(card));

	if (error)
		return error;
	card->state = CARD_LIVE;
	atomic_store(&card->done, pass);
	if (card->usage.deferred && card->limit < DEEPEST)
		card->limit += DEPTHS;
	else
		card->limit = DEEPEST;
	/* What found no room may find some when limbo has been emptied. */
	return card->usage.deferred || (card->usage.punted && image_memory_newest(card->memory));
}

static int fail(struct card *card, int error)
{
	card->usage.failures++;
	forget(card);
	return error;
}

/* --- public --- */

/* Parts the rest out to node[] and run[], which gets so much of it. */
static void fit_rest(__u32 rest, unsigned percent, struct card_sizes *sizes)
{
	sizes->entries[CARD_RUN] = (__u32)((__u64)rest * percent / 100) / RUN_PAGE * RUN_PAGE;
	sizes->entries[CARD_NODE] = (rest - sizes->entries[CARD_RUN]) / NODE_PAGE * NODE_PAGE;
}

static int fit(__u32 budget, const __u32 entries[CARD_MAPS], struct card_sizes *ret)
{
	struct card_sizes sizes = {};
	__u32 rest = budget;

	for (enum card_map map = 0; map < CARD_MAPS; map++) {
		if (entries[map] > rest)
			return -ENOSPC;
		sizes.entries[map] = entries[map];
		rest -= entries[map];
	}
	/* A root of 24 bits makes it two elements to one; where nodes are cut it is the other way around. */
	fit_rest(rest, 30, &sizes);
	sizes.split = sizes.entries[CARD_NODE] < ROOT4_WORDS + ROOT4_WORDS / 4;
	if (sizes.split)
		fit_rest(rest, 55, &sizes);
	if (sizes.entries[CARD_RUN] < entries[CARD_HOP] / 2 + 2 * RUN_PAGE || !sizes.entries[CARD_NODE])
		return -ENOSPC;
	*ret = sizes;
	return 0;
}

int card_sizes_fit(__u32 budget, struct card_sizes *ret)
{
	static const __u32 large[CARD_MAPS] = {
		[CARD_CONTROL] = 1,      [CARD_VRF] = 2 * 64,
		[CARD_INTERFACE] = 1024, [CARD_OWN] = IMAGE_OWN,
		[CARD_HOP] = 4096,       [CARD_VLAN] = 16 * 4096,
		[CARD_BUCKET] = 1 << 17, [CARD_COUNTERS] = REASON_MAX,
	};
	static const __u32 middle[CARD_MAPS] = {
		[CARD_CONTROL] = 1,      [CARD_VRF] = 2 * 64,
		[CARD_INTERFACE] = 512,  [CARD_OWN] = IMAGE_OWN,
		[CARD_HOP] = 4096,       [CARD_VLAN] = 8 * 4096,
		[CARD_BUCKET] = 1 << 14, [CARD_COUNTERS] = REASON_MAX,
	};
	static const __u32 small[CARD_MAPS] = {
		[CARD_CONTROL] = 1,      [CARD_VRF] = 2 * 16,
		[CARD_INTERFACE] = 256,  [CARD_OWN] = IMAGE_OWN,
		[CARD_HOP] = 1024,       [CARD_VLAN] = 2 * 4096,
		[CARD_BUCKET] = 1 << 11, [CARD_COUNTERS] = REASON_MAX,
	};

	return fit(budget, budget >= 1 << 20 ? large : budget >= 1 << 18 ? middle : small, ret);
}

static void *zeroed(__u32 count, size_t size, bool *ret_failed)
{
	void *memory = calloc(count, size);

	*ret_failed |= !memory;
	return memory;
}

int card_new(const struct image_store *store, const struct card_sizes *sizes,
	     const struct card_writer *writer, __u64 delay, struct card **ret)
{
	struct card *card = calloc(1, sizeof(*card));
	const __u32 *entries = sizes->entries;
	bool failed = false;
	int error;

	if (!card)
		return -ENOMEM;
	*card = (struct card){ .store = store, .sizes = *sizes, .writer = *writer, .delay = delay };
	card->shadow.node_chunks = entries[CARD_NODE] / NODE_CHUNK_WORDS;
	card->shadow.run_cells = 2 * entries[CARD_RUN];
	card->shadow.node = zeroed(entries[CARD_NODE], sizeof(__u64), &failed);
	card->shadow.run = zeroed(entries[CARD_RUN], 2 * sizeof(__u32), &failed);
	card->space = zeroed(entries[CARD_VRF], sizeof(*card->space), &failed);
	card->interface = zeroed(entries[CARD_INTERFACE], sizeof(*card->interface), &failed);
	card->hop = zeroed(entries[CARD_HOP], sizeof(*card->hop), &failed);
	card->own = zeroed(entries[CARD_OWN], sizeof(*card->own), &failed);
	card->vlan = zeroed(entries[CARD_VLAN], sizeof(*card->vlan), &failed);
	card->bucket = zeroed(entries[CARD_BUCKET], sizeof(*card->bucket), &failed);
	error = failed ? -ENOMEM : renew_memory(card);
	if (error) {
		card_free(card);
		return error;
	}
	card->limit = 1;
	card->state = CARD_FILL;
	*ret = card;
	return 0;
}

void card_free(struct card *card)
{
	if (!card)
		return;
	forget_memory(card);
	free(card->shadow.node);
	free(card->shadow.run);
	free(card->space);
	free(card->interface);
	free(card->hop);
	free(card->own);
	free(card->vlan);
	free(card->bucket);
	free(card);
}

int card_pass(struct card *card)
{
	__u64 pass = atomic_fetch_add(&card->begun, 1) + 1;
	bool ready = false;
	int error;

	if (atomic_exchange(&card->overrun, false)) {
		card->usage.overruns++;
		if (card->state == CARD_LIVE)
			card->state = CARD_HOLD;
	}
	error = hold(card, &ready);
	if (!error && !ready)
		return 1;
	if (!error)
		error = copy(card);
	if (!error)
		error = finish(card, pass);
	if (error == -EAGAIN)
		return 1;
	return error < 0 ? fail(card, error) : error;
}

static void wait_begin(void *arg)
{
	struct card *card = arg;

	card->delay_until = 0;
	card->asked_until = now() + PATIENCE_NANOSECONDS;
	atomic_store(&card->asked, atomic_load(&card->begun) + 1);
}

static bool wait_ended(void *arg)
{
	struct card *card = arg;

	if (!card->delay_until && atomic_load(&card->done) >= atomic_load(&card->asked))
		card->delay_until = now() + card->delay;
	if (card->delay_until)
		return now() >= card->delay_until;
	if (now() < card->asked_until)
		return false;
	atomic_store(&card->overrun, true);
	return true;
}

const struct grace_wait card_wait = { .begin = wait_begin, .ended = wait_ended };

bool card_wanted(const struct card *card)
{
	return atomic_load(&card->done) < atomic_load(&card->asked);
}

void card_usage(const struct card *card, struct card_usage *ret)
{
	struct image_memory_usage node = {}, run = {};

	if (card->memory) {
		image_memory_usage(card->memory, ARRAY_NODE, &node);
		image_memory_usage(card->memory, ARRAY_RUN, &run);
	}
	*ret = card->usage;
	ret->live = card->state == CARD_LIVE && !card->control.held;
	ret->node_used = (node.used + node.limbo) * NODE_CHUNK_WORDS;
	ret->node_total = card->sizes.entries[CARD_NODE];
	ret->run_used = (run.used + run.limbo) / 2;
	ret->run_total = card->sizes.entries[CARD_RUN];
}
