// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/afxdp_worker.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/engine/afxdp_counters.h"
#include "host/engine/afxdp_handback.h"
#include "host/engine/engine.h"
#include "host/fib/grace.h"

#define SLEEP     20 /* ms between signs of life, well below STEERING_PATIENCE */
#define SLEEP_OUT 1  /* ms while frames wait that the kernel did not take */
#define EMPTY     64 /* turns without a frame before a sleep */

/* A socket that the worker receives from. */
struct afxdp_place {
	struct afxdp_worker *worker;
	struct afxdp_socket *socket;
	__u32 ifindex;
	__u16 port;
};

struct afxdp_worker {
	struct afxdp_crew *crew;
	pthread_t thread;
	unsigned int number;
	int wake_fd;
	struct grace_reader *reader;
	struct burst *burst;
	struct afxdp_cache cache;
	struct afxdp_crew_facts facts;

	/* sockets to receive from, to kick at the end of the turn, and those that are still sending */
	unsigned int places, kicks;
	struct afxdp_place *place;
	struct pollfd *poll; /* of the places, and the last: wake_fd */
	struct afxdp_socket **kick;

	/* resting */
	pthread_mutex_t lock;
	pthread_cond_t turn;
	bool rest, resting, end; /* under the lock; `rest` is also looked at without */
};

/* Only the worker writes; others may read at any time. */
static void count_fact(__u64 *fact, unsigned int count)
{
	__atomic_store_n(fact, *fact + count, __ATOMIC_RELAXED);
}

/* --- what the burst loop calls --- */

static unsigned int receive(void *arg, struct burst_frame *ret, void **ret_handle)
{
	struct afxdp_place *place = arg;

	return afxdp_socket_receive(place->socket, &place->worker->cache, ret);
}

static void drop(void *arg, void **handle, unsigned int count)
{
	struct afxdp_worker *worker = ((struct afxdp_place *)arg)->worker;
	struct burst_frame *const *frame = (struct burst_frame *const *)handle;

	for (unsigned int i = 0; i < count; i++)
		afxdp_cache_put(&worker->cache, worker->crew->frames, (__u32)(unsigned long)frame[i]->handle);
}

static void punt(void *arg, void **handle, unsigned int count)
{
	struct burst_frame *const *frame = (struct burst_frame *const *)handle;
	struct afxdp_place *place = arg;
	struct afxdp_worker *worker = place->worker;

	for (unsigned int i = 0; i < count; i++) {
		int error = afxdp_handback_give(worker->crew->handback, place->ifindex, place->socket->queue,
						frame[i]->data, frame[i]->length);

		count_fact(error == 0 ? &worker->facts.handed_back : &worker->facts.lost, 1);
	}
	drop(arg, handle, count);
}

static void kick_later(struct afxdp_worker *worker, struct afxdp_socket *socket)
{
	for (unsigned int i = 0; i < worker->kicks; i++)
		if (worker->kick[i] == socket)
			return;
	worker->kick[worker->kicks++] = socket;
}

static void transmit(void *arg, __u16 port, void **handle, unsigned int count)
{
	struct afxdp_place *place = arg;
	struct afxdp_worker *worker = place->worker;
	const struct afxdp_port *egress = &worker->crew->port[port];
	struct afxdp_socket *socket;

	if (!egress->sockets) { /* went between the look at `reach` and here */
		count_fact(&worker->facts.lost, count);
		drop(arg, handle, count);
		return;
	}
	socket = egress->socket[place->socket->queue % egress->transmit];
	afxdp_socket_send(socket, &worker->cache, (struct burst_frame *const *)handle, count);
	kick_later(worker, socket);
}

static const struct burst_io io = { .receive = receive, .punt = punt, .drop = drop, .transmit = transmit };

/* --- the loop --- */

static void show_life(struct afxdp_worker *worker)
{
	struct afxdp_crew *crew = worker->crew;
	struct timespec now;
	__u64 nanoseconds;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	nanoseconds = (__u64)now.tv_sec * 1000000000ull + (__u64)now.tv_nsec;
	if (crew->steering->beat[worker->number] == nanoseconds)
		return;
	for (unsigned int queue = worker->number; queue < STEERING_QUEUES; queue += crew->workers)
		__atomic_store_n(&crew->steering->beat[queue], nanoseconds, __ATOMIC_RELAXED);
}

/* Sends what the turn made, and what the kernel did not take before. */
static void kick_all(struct afxdp_worker *worker)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < worker->kicks; i++) {
		struct afxdp_socket *socket = worker->kick[i];

		if (!afxdp_socket_kick(socket))
			worker->kick[left++] = socket;
	}
	worker->kicks = left;
}

/* Frames that were sent do not stay in completion rings while the worker sleeps. */
static void complete_all(struct afxdp_worker *worker)
{
	for (unsigned int i = 0; i < worker->places; i++)
		afxdp_socket_complete(worker->place[i].socket, &worker->cache);
}

static void sleep_a_while(struct afxdp_worker *worker)
{
	eventfd_t count;

	complete_all(worker);
	count_fact(&worker->facts.sleeps, 1);
	grace_reader_offline(worker->reader);
	if (poll(worker->poll, worker->places + 1, worker->kicks ? SLEEP_OUT : SLEEP) > 0 &&
	    worker->poll[worker->places].revents)
		(void)eventfd_read(worker->wake_fd, &count);
	grace_reader_online(worker->reader);
}

/* The kernel runs the card's poll function in our call. */
static void poll_cards(struct afxdp_worker *worker)
{
	for (unsigned int i = 0; i < worker->places; i++)
		(void)recvfrom(worker->place[i].socket->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static unsigned int take_turn(struct afxdp_worker *worker)
{
	unsigned int frames = 0;

	for (unsigned int i = 0; i < worker->places; i++)
		frames += burst_turn(worker->burst, worker->place[i].port, &io, &worker->place[i]);
	kick_all(worker);
	return frames;
}

/* Rests while it is told to. False: ends. */
static bool go_on(struct afxdp_worker *worker)
{
	bool end;

	if (!__atomic_load_n(&worker->rest, __ATOMIC_RELAXED))
		return true;
	grace_reader_offline(worker->reader);
	pthread_mutex_lock(&worker->lock);
	worker->resting = true;
	pthread_cond_broadcast(&worker->turn);
	while (__atomic_load_n(&worker->rest, __ATOMIC_RELAXED) && !worker->end)
		pthread_cond_wait(&worker->turn, &worker->lock);
	worker->resting = false;
	end = worker->end;
	pthread_mutex_unlock(&worker->lock);
	grace_reader_online(worker->reader);
	return !end;
}

static void *run(void *arg)
{
	struct afxdp_worker *worker = arg;
	unsigned int empty = 0;

	grace_reader_online(worker->reader);
	while (go_on(worker)) {
		show_life(worker);
		empty = take_turn(worker) ? 0 : empty + 1;
		grace_reader_quiescent(worker->reader);
		if (empty < EMPTY && worker->places)
			continue;
		if (worker->crew->busy && worker->places)
			poll_cards(worker);
		else
			sleep_a_while(worker);
	}
	grace_reader_offline(worker->reader);
	return NULL;
}

/* --- the crew --- */

static void free_worker(struct afxdp_worker *worker)
{
	if (!worker)
		return;
	afxdp_cache_spill(&worker->cache, worker->crew->frames, AFXDP_CACHE);
	if (worker->reader)
		grace_reader_remove(worker->crew->context->grace, worker->reader);
	burst_free(worker->burst);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	free(worker->place);
	free(worker->poll);
	free(worker->kick);
	free(worker);
}

static int make_worker(struct afxdp_crew *crew, unsigned int number, struct afxdp_worker **ret)
{
	struct afxdp_worker *worker = calloc(1, sizeof(*worker));
	int error = -ENOMEM;

	if (!worker)
		return -ENOMEM;
	worker->crew = crew;
	worker->number = number;
	worker->rest = true; /* until it is assigned something */
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	worker->place = calloc(IMAGE_PORTS * STEERING_QUEUES, sizeof(*worker->place));
	worker->poll = calloc(IMAGE_PORTS * STEERING_QUEUES + 1, sizeof(*worker->poll));
	worker->kick = calloc(IMAGE_PORTS * STEERING_QUEUES, sizeof(*worker->kick));
	if (worker->wake_fd < 0 || !worker->place || !worker->poll || !worker->kick)
		goto free_it;
	error = burst_new(crew->context->store, afxdp_counters_of(crew->counters, number), &worker->burst);
	if (error == 0)
		error = grace_reader_add(crew->context->grace, &worker->reader);
	if (error < 0)
		goto free_it;
	burst_reach(worker->burst, crew->reach);
	worker->poll[0] = (struct pollfd){ .fd = worker->wake_fd, .events = POLLIN };
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->turn, NULL);
	*ret = worker;
	return 0;
free_it:
	free_worker(worker);
	return error;
}

/* Signals are the main thread's. */
static int start_thread(struct afxdp_worker *worker, int cpu)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	cpu_set_t set;
	int error;

	pthread_attr_init(&attributes);
	if (cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		(void)pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&worker->thread, &attributes, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (error == 0)
		(void)pthread_setname_np(worker->thread, "afxdp");
	return -error;
}

int afxdp_crew_start(struct afxdp_crew *crew, unsigned int workers, const int *cpu, unsigned int cpus,
		     struct why *why)
{
	for (crew->workers = 0; crew->workers < workers; crew->workers++) {
		struct afxdp_worker *worker;
		int bound = cpus ? cpu[crew->workers % cpus] : -1;
		int error = make_worker(crew, crew->workers, &worker);

		if (error == 0) {
			error = start_thread(worker, bound);
			if (error < 0)
				free_worker(worker);
		}
		if (error < 0) {
			afxdp_crew_stop(crew);
			if (error == -EINVAL && cpus)
				return why_set(why, EINVAL, "afxdp.cpus: CPU %d is not there for us", bound);
			return why_set(why, -error, "cannot start a worker: %s", strerror(-error));
		}
		crew->worker[crew->workers] = worker;
	}
	return 0;
}

void afxdp_crew_stop(struct afxdp_crew *crew)
{
	for (unsigned int i = 0; i < crew->workers; i++) {
		struct afxdp_worker *worker = crew->worker[i];

		pthread_mutex_lock(&worker->lock);
		__atomic_store_n(&worker->rest, true, __ATOMIC_RELAXED);
		worker->end = true;
		pthread_cond_broadcast(&worker->turn);
		pthread_mutex_unlock(&worker->lock);
		(void)eventfd_write(worker->wake_fd, 1);
		(void)pthread_join(worker->thread, NULL);
		free_worker(worker);
	}
	crew->workers = 0;
}

void afxdp_crew_rest(struct afxdp_crew *crew)
{
	for (unsigned int i = 0; i < crew->workers; i++) {
		struct afxdp_worker *worker = crew->worker[i];

		__atomic_store_n(&worker->rest, true, __ATOMIC_RELAXED);
		(void)eventfd_write(worker->wake_fd, 1);
	}
	for (unsigned int i = 0; i < crew->workers; i++) {
		struct afxdp_worker *worker = crew->worker[i];

		pthread_mutex_lock(&worker->lock);
		while (!worker->resting)
			pthread_cond_wait(&worker->turn, &worker->lock);
		pthread_mutex_unlock(&worker->lock);
	}
}

/* Who has nothing to do rests on. */
void afxdp_crew_go(struct afxdp_crew *crew)
{
	for (unsigned int i = 0; i < crew->workers; i++) {
		struct afxdp_worker *worker = crew->worker[i];

		if (!worker->places)
			continue;
		pthread_mutex_lock(&worker->lock);
		__atomic_store_n(&worker->rest, false, __ATOMIC_RELAXED);
		pthread_cond_broadcast(&worker->turn);
		pthread_mutex_unlock(&worker->lock);
	}
}

static void add_place(struct afxdp_crew *crew, __u16 port, struct afxdp_socket *socket)
{
	struct afxdp_worker *worker = crew->worker[socket->queue % crew->workers];

	worker->place[worker->places] = (struct afxdp_place){
		.worker = worker, .socket = socket, .ifindex = crew->port[port].ifindex, .port = port
	};
	worker->poll[worker->places++] = (struct pollfd){ .fd = socket->fd, .events = POLLIN };
	worker->kick[worker->kicks++] = socket; /* it may have been about to */
}

void afxdp_crew_assign(struct afxdp_crew *crew)
{
	for (unsigned int i = 0; i < crew->workers; i++)
		crew->worker[i]->places = crew->worker[i]->kicks = 0;
	for (unsigned int port = 0; port < IMAGE_PORTS; port++)
		for (unsigned int i = 0; i < crew->port[port].sockets; i++)
			add_place(crew, port, crew->port[port].socket[i]);
	for (unsigned int i = 0; i < crew->workers; i++) {
		struct afxdp_worker *worker = crew->worker[i];

		worker->poll[worker->places] = (struct pollfd){ .fd = worker->wake_fd, .events = POLLIN };
	}
}

/* --- figures --- */

__u32 afxdp_crew_cached(const struct afxdp_crew *crew)
{
	__u32 sum = 0;

	for (unsigned int i = 0; i < crew->workers; i++)
		sum += crew->worker[i]->cache.count;
	return sum;
}

void afxdp_crew_facts(const struct afxdp_crew *crew, struct afxdp_crew_facts *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned int i = 0; i < crew->workers; i++) {
		const struct afxdp_crew_facts *facts = &crew->worker[i]->facts;

		ret->handed_back += __atomic_load_n(&facts->handed_back, __ATOMIC_RELAXED);
		ret->lost += __atomic_load_n(&facts->lost, __ATOMIC_RELAXED);
		ret->sleeps += __atomic_load_n(&facts->sleeps, __ATOMIC_RELAXED);
	}
}
