// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/offload_card.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "host/config.h"
#include "host/fib/grace.h"
#include "host/fib/image_store.h"
#include "host/loop.h"

#define DELAY       2000000ull /* ns that a packet spends on the card at most; some 100 us are known */
#define REST        20         /* ms between passes at least ... */
#define REST_SHARE  20         /* ... and so many times what a pass takes */
#define REST_MOST   1000
#define LOOK        1000 /* ms from one look at the ports to the next */
#define RETRY_FIRST 1000 /* ms from a failure to the next attempt; twice as long each time ... */
#define RETRY_MOST  60000
#define GOOD        30000 /* ... until it went well for so many ms */

struct port {
	LIST_ENTRY(port) link;
	struct engine_port port;
	bool wanted;   /* false: the thread may free it */
	void *program; /* NULL: not attached. Set by the thread, under the lock */
	__u16 queues;  /* that the program chooses from */
	uint64_t retry_at, retry;
	struct why why;             /* not attached: why */
	struct image_counters last; /* of this program, at the last look */
	struct image_counters *sum; /* of the port's number */
};

struct offload_card {
	const struct engine_context *context;
	const struct offload_device_ops *ops;
	char name[64];
	int seen_fd;
	unsigned int stale_after; /* s */
	pthread_t thread;

	/* Held for the moments in which ports change and a program is attached; never while the thread
	 * waits for the card's memory. */
	pthread_mutex_t lock;
	LIST_HEAD(, port) ports;
	struct why why; /* for ports that are not attached */
	bool failed;    /* says why */
	bool live;
	unsigned int elements;
	struct card_usage usage;
	__u64 starts, troubles;
	struct image_counters counters[IMAGE_PORTS];

	/* What wakes the thread, and what the image's grace asks. */
	pthread_mutex_t bell_lock;
	pthread_cond_t bell;
	bool rung;
	struct card *copy; /* NULL: the card has no tables */
	_Atomic bool ending;

	/* The thread's own. */
	void *device;
	__u64 beat; /* the deadline of the tables, as last seen */
	uint64_t beat_at, look_at, since, retry;
};

/* --- the bell --- */

static void ring(struct offload_card *card)
{
	pthread_mutex_lock(&card->bell_lock);
	card->rung = true;
	pthread_cond_signal(&card->bell);
	pthread_mutex_unlock(&card->bell_lock);
}

/* At most so many ms. */
static void rest(struct offload_card *card, uint64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&card->bell_lock);
	while (!card->rung && pthread_cond_timedwait(&card->bell, &card->bell_lock, &until) != ETIMEDOUT)
		;
	card->rung = false;
	pthread_mutex_unlock(&card->bell_lock);
}

static void tell(const struct offload_card *card)
{
	const __u64 one = 1;

	(void)!write(card->seen_fd, &one, sizeof(one)); /* full: the loop is told already */
}

/* --- the image's grace: its writer waits for passes of the copy that is there --- */

static void wait_begin(void *arg)
{
	struct offload_card *card = arg;

	pthread_mutex_lock(&card->bell_lock);
	if (card->copy) {
		card_wait.begin(card->copy);
		card->rung = true;
		pthread_cond_signal(&card->bell);
	}
	pthread_mutex_unlock(&card->bell_lock);
}

static bool wait_ended(void *arg)
{
	struct offload_card *card = arg;
	bool ended;

	pthread_mutex_lock(&card->bell_lock);
	ended = !card->copy || card_wait.ended(card->copy);
	pthread_mutex_unlock(&card->bell_lock);
	return ended;
}

static const struct grace_wait grace_wait = { .begin = wait_begin, .ended = wait_ended };

static void set_copy(struct offload_card *card, struct card *copy)
{
	pthread_mutex_lock(&card->bell_lock);
	card->copy = copy;
	pthread_mutex_unlock(&card->bell_lock);
}

/* --- ports, by the thread --- */

static void note_counters(struct offload_card *card, struct port *port, const struct image_counters *now)
{
	pthread_mutex_lock(&card->lock);
	for (unsigned int i = 0; i < REASON_MAX; i++) {
		port->sum->reason[i].packets += now->reason[i].packets - port->last.reason[i].packets;
		port->sum->reason[i].bytes += now->reason[i].bytes - port->last.reason[i].bytes;
	}
	port->last = *now;
	pthread_mutex_unlock(&card->lock);
}

static void unload(struct offload_card *card, struct port *port)
{
	void *program;

	pthread_mutex_lock(&card->lock);
	program = port->program;
	port->program = NULL;
	if (program)
		card->ops->detach(program);
	pthread_mutex_unlock(&card->lock);
	if (program) {
		struct image_counters now;
		int error = card->ops->check(program, &now);

		if (error == 0 || error == -ENOLINK) /* what it counted until the end */
			note_counters(card, port, &now);
		card->ops->unload(program);
	}
}

/* Frees ports that are wanted no more. Returns whether some are left. */
static bool reap(struct offload_card *card)
{
	struct port *port, *next;
	bool some;

	pthread_mutex_lock(&card->lock);
	for (port = LIST_FIRST(&card->ports); port; port = next) {
		next = LIST_NEXT(port, link);
		if (port->wanted)
			continue;
		pthread_mutex_unlock(&card->lock);
		unload(card, port);
		pthread_mutex_lock(&card->lock);
		next = LIST_NEXT(port, link);
		LIST_REMOVE(port, link);
		free(port);
	}
	some = !LIST_EMPTY(&card->ports);
	pthread_mutex_unlock(&card->lock);
	return some;
}

/* All are detached at once, and only then cleaned up. */
static void unload_all(struct offload_card *card)
{
	struct port *port;

	pthread_mutex_lock(&card->lock);
	LIST_FOREACH (port, &card->ports, link)
		if (port->program)
			card->ops->detach(port->program);
	pthread_mutex_unlock(&card->lock);
	for (;;) {
		pthread_mutex_lock(&card->lock);
		LIST_FOREACH (port, &card->ports, link)
			if (port->program)
				break;
		pthread_mutex_unlock(&card->lock);
		if (!port)
			return;
		unload(card, port);
	}
}

static uint64_t later(uint64_t *retry)
{
	uint64_t wait = *retry ? *retry : RETRY_FIRST;

	*retry = wait * 2 < RETRY_MOST ? wait * 2 : RETRY_MOST;
	return wait;
}

static void note_refusal(struct offload_card *card, struct port *port, const struct why *why)
{
	uint64_t wait = later(&port->retry);

	pthread_mutex_lock(&card->lock);
	port->why = *why;
	port->retry_at = loop_now() + wait;
	pthread_mutex_unlock(&card->lock);
	tell(card);
}

/* With queues if it may choose them. */
static int load(struct offload_card *card, struct engine_port *port, void **ret_program, struct why *why)
{
	int error = card->ops->load(card->device, port, ret_program, why);

	if (error == -ENOPROTOOPT && port->queues) {
		port->queues = 0;
		error = card->ops->load(card->device, port, ret_program, why);
	}
	return error;
}

/* To load takes long: so it is done without the lock, and the port may be dropped meanwhile. */
static void attach_port(struct offload_card *card, struct port *port)
{
	struct engine_port instance = port->port;
	struct why why = { "" };
	void *program = NULL;
	int error = load(card, &instance, &program, &why);

	if (error == 0) {
		pthread_mutex_lock(&card->lock);
		error = port->wanted ? card->ops->attach(program, &why) : -ECANCELED;
		if (error == 0) {
			memset(&port->last, 0, sizeof(port->last));
			port->program = program;
			port->queues = instance.queues;
			port->why.text[0] = 0;
		}
		pthread_mutex_unlock(&card->lock);
		if (error)
			card->ops->unload(program);
	}
	if (error == -ECANCELED)
		return;
	if (error)
		note_refusal(card, port, &why);
	else
		port->retry = 0;
	tell(card);
}

static struct port *next_due(struct offload_card *card)
{
	uint64_t now = loop_now();
	struct port *port;

	pthread_mutex_lock(&card->lock);
	LIST_FOREACH (port, &card->ports, link)
		if (port->wanted && !port->program && now >= port->retry_at)
			break;
	pthread_mutex_unlock(&card->lock);
	return port;
}

/* Only the thread frees ports and programs, so that they may be looked at without the lock. */
static int look_at_port(struct offload_card *card, struct port *port, struct why *why)
{
	struct image_counters now;
	int error = card->ops->check(port->program, &now);

	if (error == 0 || error == -ENOLINK)
		note_counters(card, port, &now);
	if (error != -ENOLINK)
		return error ? why_set(why, -error, "the card does not answer: %s", strerror(-error)) : 0;
	unload(card, port);
	(void)why_set(why, 0, "the program was taken off %s", port->port.name);
	note_refusal(card, port, why);
	return 0;
}

/* --- the card, by the thread --- */

/* Without heartbeats the tables are not to be trusted, and the card has no clock. */
static int feel_pulse(struct offload_card *card, struct why *why)
{
	__u64 beat = __atomic_load_n(&card->context->store->tables->control.deadline, __ATOMIC_ACQUIRE);
	uint64_t now = loop_now();

	if (beat != card->beat || !card->beat_at || beat == ~0ull) {
		card->beat = beat;
		card->beat_at = now;
	}
	if (now - card->beat_at < card->stale_after * 1000ull)
		return 0;
	return why_set(why, ETIME, "the daemon has not said for %u s that the tables hold",
		       card->stale_after);
}

static int look(struct offload_card *card, struct why *why)
{
	struct port *port;
	int error = 0;

	if (loop_now() < card->look_at)
		return 0;
	pthread_mutex_lock(&card->lock);
	for (port = LIST_FIRST(&card->ports); port && !error; port = LIST_NEXT(port, link)) {
		pthread_mutex_unlock(&card->lock);
		if (port->program)
			error = look_at_port(card, port, why);
		pthread_mutex_lock(&card->lock);
	}
	pthread_mutex_unlock(&card->lock);
	card->look_at = loop_now() + LOOK;
	return error;
}

static void publish(struct offload_card *card, const struct card *copy)
{
	bool live;

	pthread_mutex_lock(&card->lock);
	live = card->live;
	card_usage(copy, &card->usage);
	card->live = card->usage.live;
	card->failed = false;
	(void)why_set(&card->why, 0, "the card is being filled: %llu elements are written",
		      card->usage.writes);
	pthread_mutex_unlock(&card->lock);
	if (live != card->live)
		tell(card);
}

static int write_element(void *arg, enum card_map map, __u32 index, const void *value)
{
	struct offload_card *card = arg;

	/* An end of the daemon waits for no card. */
	return atomic_load(&card->ending) ? -ECANCELED : card->ops->write(card->device, map, index, value);
}

/* One pass, what it made possible, and a rest. */
static int go_on(struct offload_card *card, struct card *copy, struct why *why)
{
	uint64_t start = loop_now(), wait;
	int status = card_pass(copy), error;
	struct port *port;

	if (status < 0)
		return why_set(why, -status, "the card does not take what is written to its tables: %s",
			       strerror(-status));
	wait = (loop_now() - start) * REST_SHARE;
	publish(card, copy);
	error = feel_pulse(card, why);
	port = !error && (status == 0 || card->usage.live) ? next_due(card) : NULL;
	if (port)
		attach_port(card, port);
	if (!error)
		error = look(card, why);
	if (status > 0 || port || card_wanted(copy))
		wait = status > 0 && wait ? 0 : 1;
	else if (wait < REST)
		wait = REST;
	if (!error && wait)
		rest(card, wait < REST_MOST ? wait : REST_MOST);
	if (loop_now() - card->since > GOOD)
		card->retry = 0;
	return error;
}

static int fill_and_follow(struct offload_card *card, const struct card_sizes *sizes, struct why *why)
{
	const struct card_writer writer = { write_element, card };
	struct card *copy;
	int error = card_new(card->context->store, sizes, &writer, DELAY, &copy);

	if (error)
		return why_set(why, -error, "no memory for a copy of the card's tables: %s",
			       strerror(-error));
	set_copy(card, copy);
	while (!error && !atomic_load(&card->ending) && reap(card))
		error = go_on(card, copy, why);
	unload_all(card);
	set_copy(card, NULL);
	card_free(copy);
	return error;
}

/* Until it fails, or no port is left. */
static int serve(struct offload_card *card, struct why *why)
{
	struct card_sizes sizes;
	__u32 ifindex;
	int error;

	pthread_mutex_lock(&card->lock);
	ifindex = LIST_FIRST(&card->ports)->port.ifindex;
	pthread_mutex_unlock(&card->lock);
	error = card->ops->open(card->context, ifindex, &card->device, &sizes, why);
	if (error)
		return error;
	pthread_mutex_lock(&card->lock);
	card->starts++;
	card->elements = 0;
	for (int map = 0; map < CARD_MAPS; map++)
		card->elements += sizes.entries[map];
	pthread_mutex_unlock(&card->lock);
	card->since = loop_now();
	card->look_at = 0;
	error = fill_and_follow(card, &sizes, why);
	card->ops->close(card->device);
	return error;
}

static void note_trouble(struct offload_card *card, const struct why *why, uint64_t wait)
{
	pthread_mutex_lock(&card->lock);
	card->live = false;
	memset(&card->usage, 0, sizeof(card->usage));
	card->failed = why->text[0] != 0;
	card->troubles += card->failed;
	if (card->failed)
		(void)why_set(&card->why, 0, "%.250s; tried again in %u s", why->text,
			      (unsigned int)(wait + 999) / 1000);
	pthread_mutex_unlock(&card->lock);
	tell(card);
}

static void *run(void *arg)
{
	struct offload_card *card = arg;
	uint64_t until;

	while (!atomic_load(&card->ending)) {
		struct why why = { "" };

		if (!reap(card)) {
			card->retry = 0;
			rest(card, REST_MOST);
			continue;
		}
		until = 0;
		if (serve(card, &why) < 0)
			until = later(&card->retry);
		note_trouble(card, &why, until);
		until += loop_now();
		while (!atomic_load(&card->ending) && loop_now() < until && reap(card))
			rest(card, until - loop_now());
	}
	(void)reap(card);
	return NULL;
}

/* --- public --- */

static int start_thread(struct offload_card *card)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
	error = pthread_create(&card->thread, NULL, run, card);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

int offload_card_new(const struct engine_context *context, const struct offload_device_ops *ops,
		     const char *name, int seen_fd, struct offload_card **ret)
{
	struct offload_card *card = calloc(1, sizeof(*card));
	pthread_condattr_t monotonic;
	int error;

	if (!card)
		return -ENOMEM;
	card->context = context;
	card->ops = ops;
	card->seen_fd = seen_fd;
	card->stale_after = context->config->stale_after;
	(void)snprintf(card->name, sizeof(card->name), "%s", name);
	(void)why_set(&card->why, 0, "the card's tables are being made");
	LIST_INIT(&card->ports);
	pthread_mutex_init(&card->lock, NULL);
	pthread_mutex_init(&card->bell_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&card->bell, &monotonic);
	pthread_condattr_destroy(&monotonic);
	error = grace_add(context->grace, &grace_wait, card);
	if (error)
		goto free_card;
	error = start_thread(card);
	if (error)
		goto remove_wait;
	*ret = card;
	return 0;
remove_wait:
	grace_remove(context->grace, &grace_wait, card);
free_card:
	free(card);
	return error;
}

void offload_card_free(struct offload_card *card)
{
	if (!card)
		return;
	atomic_store(&card->ending, true);
	ring(card);
	pthread_join(card->thread, NULL);
	grace_remove(card->context->grace, &grace_wait, card);
	pthread_cond_destroy(&card->bell);
	pthread_mutex_destroy(&card->bell_lock);
	pthread_mutex_destroy(&card->lock);
	free(card);
}

const char *offload_card_name(const struct offload_card *card)
{
	return card->name;
}

/* Under the lock. */
static struct port *find(struct offload_card *card, const struct engine_port *port)
{
	struct port *each;

	LIST_FOREACH (each, &card->ports, link)
		if (each->wanted && each->port.id == port->id && each->port.ifindex == port->ifindex)
			return each;
	return NULL;
}

int offload_card_add(struct offload_card *card, const struct engine_port *port)
{
	struct port *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->port = *port;
	entry->wanted = true;
	entry->sum = &card->counters[port->id];
	pthread_mutex_lock(&card->lock);
	LIST_INSERT_HEAD(&card->ports, entry, link);
	pthread_mutex_unlock(&card->lock);
	ring(card);
	return 0;
}

void offload_card_drop(struct offload_card *card, const struct engine_port *port)
{
	struct port *entry;

	pthread_mutex_lock(&card->lock);
	entry = find(card, port);
	if (entry) {
		entry->wanted = false;
		if (entry->program)
			card->ops->detach(entry->program);
	}
	pthread_mutex_unlock(&card->lock);
	ring(card);
}

int offload_card_state(struct offload_card *card, const struct engine_port *port, struct engine_state *ret)
{
	struct port *entry;

	memset(ret, 0, sizeof(*ret));
	pthread_mutex_lock(&card->lock);
	entry = find(card, port);
	if (entry) {
		ret->attached = entry->program != NULL;
		ret->failed = !ret->attached && (entry->why.text[0] || card->failed);
		if (!ret->attached)
			ret->why = entry->why.text[0] ? entry->why : card->why;
		else if (!card->live)
			(void)why_set(&ret->why, 0,
				      "it passes all on while its tables are brought up to date");
		(void)snprintf(ret->how, sizeof(ret->how), "%s", card->name);
	}
	pthread_mutex_unlock(&card->lock);
	return entry ? 0 : -ENOENT;
}

void offload_card_counters(struct offload_card *card, __u16 port, struct image_counters *ret)
{
	pthread_mutex_lock(&card->lock);
	for (unsigned int i = 0; i < REASON_MAX; i++) {
		ret->reason[i].packets += card->counters[port].reason[i].packets;
		ret->reason[i].bytes += card->counters[port].reason[i].bytes;
	}
	pthread_mutex_unlock(&card->lock);
}

unsigned int offload_card_facts(struct offload_card *card, const struct engine_port *port,
				struct engine_fact *ret)
{
	unsigned int count = 0;
	struct port *entry;

	pthread_mutex_lock(&card->lock);
	entry = find(card, port);
#define FACT(label, number) ret[count++] = (struct engine_fact){ label, number }
	FACT("steered_queues", entry && entry->program ? entry->queues : 0);
	FACT("live", card->live);
	FACT("elements", card->elements);
	FACT("node_used", card->usage.node_used);
	FACT("node_total", card->usage.node_total);
	FACT("run_used", card->usage.run_used);
	FACT("run_total", card->usage.run_total);
	FACT("punted", card->usage.punted);
	FACT("groups_punted", card->usage.groups_punted);
	FACT("deferred", card->usage.deferred);
	FACT("writes", card->usage.writes);
	FACT("overruns", card->usage.overruns);
	FACT("starts", card->starts);
	FACT("troubles", card->troubles);
#undef FACT
	pthread_mutex_unlock(&card->lock);
	return count;
}

void offload_card_each(struct offload_card *card, void (*fn)(void *arg, __u32 ifindex), void *arg)
{
	struct port *port;

	pthread_mutex_lock(&card->lock);
	LIST_FOREACH (port, &card->ports, link)
		if (port->wanted)
			fn(arg, port->port.ifindex);
	pthread_mutex_unlock(&card->lock);
}
