// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/membarrier.h>

#include "host/fib/grace.h"

struct member {
	struct member *next;
	const struct grace_wait *wait;
	void *arg;
	bool waiting; /* takes part in the epoch that is passing, and has not ended */
};

struct grace_reader {
	struct grace_reader *next;
	_Atomic __u64 seen; /* the epoch that was open when it was last quiescent; READER_OFFLINE */
	const _Atomic __u64 *epoch;
};

#define READER_OFFLINE (~0ull)

struct grace {
	_Atomic __u64 epoch; /* open */
	__u64 passed;
	bool passing; /* epoch - 1 is closed and waited for */
	struct member *members;
	struct grace_reader *readers;
	int fd;
};

/* --- the kernel's RCU --- */

struct kernel_wait {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	_Atomic bool stop;
	__u64 asked; /* under lock */
	_Atomic __u64 answered;
	int outer, inner, event;
};

/* A write to an array of maps returns after synchronize_rcu(): programs that began before it have ended. */
static void kernel_synchronize(struct kernel_wait *wait)
{
	__u32 key = 0;

	/* It can only fail for want of memory, which passes. */
	while (bpf_map_update_elem(wait->outer, &key, &wait->inner, BPF_ANY) < 0 && !wait->stop)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void *kernel_main(void *arg)
{
	struct kernel_wait *wait = arg;

	pthread_mutex_lock(&wait->lock);
	for (;;) {
		__u64 asked = wait->asked;

		if (wait->stop)
			break;
		if (asked == atomic_load(&wait->answered)) {
			pthread_cond_wait(&wait->wake, &wait->lock);
			continue;
		}
		pthread_mutex_unlock(&wait->lock);
		kernel_synchronize(wait);
		atomic_store(&wait->answered, asked);
		eventfd_write(wait->event, 1);
		pthread_mutex_lock(&wait->lock);
	}
	pthread_mutex_unlock(&wait->lock);
	return NULL;
}

static void kernel_begin(void *arg)
{
	struct kernel_wait *wait = arg;

	pthread_mutex_lock(&wait->lock);
	wait->asked++;
	pthread_cond_signal(&wait->wake);
	pthread_mutex_unlock(&wait->lock);
}

static bool kernel_ended(void *arg)
{
	struct kernel_wait *wait = arg;

	return atomic_load(&wait->answered) == wait->asked;
}

static void kernel_release(void *arg)
{
	struct kernel_wait *wait = arg;

	pthread_mutex_lock(&wait->lock);
	wait->stop = true;
	pthread_cond_signal(&wait->wake);
	pthread_mutex_unlock(&wait->lock);
	pthread_join(wait->thread, NULL);
	pthread_mutex_destroy(&wait->lock);
	pthread_cond_destroy(&wait->wake);
	close(wait->inner);
	close(wait->outer);
	free(wait);
}

static const struct grace_wait kernel_waits = { kernel_begin, kernel_ended, kernel_release };

static int kernel_maps(struct kernel_wait *wait)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);

	wait->inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "grace_inner", 4, 4, 1, NULL);
	if (wait->inner < 0)
		return -errno;
	options.inner_map_fd = wait->inner;
	wait->outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "grace", 4, 4, 1, &options);
	if (wait->outer < 0) {
		int error = -errno;

		close(wait->inner);
		return error;
	}
	return 0;
}

/* --- threads of user space --- */

static bool readers_ended(void *arg)
{
	struct grace *grace = arg;
	__u64 epoch = atomic_load(&grace->epoch);

	for (const struct grace_reader *reader = grace->readers; reader; reader = reader->next)
		if (atomic_load(&reader->seen) < epoch)
			return false;
	return true;
}

/* --- a fixed delay --- */

struct delay_wait {
	__u64 nanoseconds, end;
};

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void delay_begin(void *arg)
{
	struct delay_wait *wait = arg;

	wait->end = now() + wait->nanoseconds;
}

static bool delay_ended(void *arg)
{
	const struct delay_wait *wait = arg;

	return now() >= wait->end;
}

static const struct grace_wait delay_waits = { delay_begin, delay_ended, free };

/* --- public --- */

int grace_new(struct grace **ret)
{
	struct grace *grace = calloc(1, sizeof(*grace));

	if (!grace)
		return -ENOMEM;
	grace->epoch = 1;
	grace->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (grace->fd < 0) {
		int error = -errno;

		free(grace);
		return error;
	}
	*ret = grace;
	return 0;
}

void grace_free(struct grace *grace)
{
	if (!grace)
		return;
	while (grace->members)
		grace_remove(grace, grace->members->wait, grace->members->arg);
	while (grace->readers)
		grace_reader_remove(grace, grace->readers);
	close(grace->fd);
	free(grace);
}

__u64 grace_epoch(const struct grace *grace)
{
	return atomic_load_explicit(&grace->epoch, memory_order_relaxed);
}

__u64 grace_passed(const struct grace *grace)
{
	return grace->passed;
}

static bool all_ended(struct grace *grace)
{
	bool ended = readers_ended(grace);

	for (struct member *member = grace->members; member; member = member->next) {
		if (member->waiting && member->wait->ended(member->arg))
			member->waiting = false;
		ended = ended && !member->waiting;
	}
	return ended;
}

bool grace_poll(struct grace *grace, bool wanted)
{
	bool advanced = false;
	eventfd_t count;

	eventfd_read(grace->fd, &count);
	if (grace->passing && all_ended(grace)) {
		grace->passing = false;
		grace->passed = grace_epoch(grace) - 1;
		advanced = true;
	}
	if (wanted && !grace->passing) {
		/* What was unlinked before is visible to everybody before anybody is asked. */
		atomic_fetch_add(&grace->epoch, 1);
		grace->passing = true;
		for (struct member *member = grace->members; member; member = member->next) {
			member->waiting = true;
			member->wait->begin(member->arg);
		}
		if (all_ended(grace)) {
			grace->passing = false;
			grace->passed = grace_epoch(grace) - 1;
			advanced = true;
		}
	}
	return advanced;
}

int grace_add(struct grace *grace, const struct grace_wait *wait, void *arg)
{
	struct member *member = calloc(1, sizeof(*member));

	if (!member)
		return -ENOMEM;
	member->wait = wait;
	member->arg = arg;
	member->next = grace->members;
	grace->members = member;
	return 0;
}

void grace_remove(struct grace *grace, const struct grace_wait *wait, void *arg)
{
	for (struct member **link = &grace->members; *link; link = &(*link)->next) {
		struct member *member = *link;

		if (member->wait != wait || member->arg != arg)
			continue;
		*link = member->next;
		if (wait->release)
			wait->release(arg);
		free(member);
		return;
	}
}

int grace_add_kernel(struct grace *grace)
{
	struct kernel_wait *wait = calloc(1, sizeof(*wait));
	int error;

	if (!wait)
		return -ENOMEM;
	wait->event = grace->fd;
	error = kernel_maps(wait);
	if (error < 0)
		goto free_wait;
	pthread_mutex_init(&wait->lock, NULL);
	pthread_cond_init(&wait->wake, NULL);
	error = -pthread_create(&wait->thread, NULL, kernel_main, wait);
	if (error < 0)
		goto close_maps;
	error = grace_add(grace, &kernel_waits, wait);
	if (error < 0) {
		kernel_release(wait);
		return error;
	}
	return 0;

close_maps:
	close(wait->inner);
	close(wait->outer);
free_wait:
	free(wait);
	return error;
}

/* The command is synchronize_rcu(). A kernel with nohz_full does not have it: no program runs for so long. */
void grace_wait_kernel(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

int grace_fd(const struct grace *grace)
{
	return grace->fd;
}

int grace_add_delay(struct grace *grace, __u64 nanoseconds)
{
	struct delay_wait *wait = calloc(1, sizeof(*wait));
	int error;

	if (!wait)
		return -ENOMEM;
	wait->nanoseconds = nanoseconds;
	error = grace_add(grace, &delay_waits, wait);
	if (error < 0)
		free(wait);
	return error;
}

int grace_reader_add(struct grace *grace, struct grace_reader **ret)
{
	struct grace_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	atomic_init(&reader->seen, READER_OFFLINE);
	reader->epoch = &grace->epoch;
	reader->next = grace->readers;
	grace->readers = reader;
	*ret = reader;
	return 0;
}

void grace_reader_remove(struct grace *grace, struct grace_reader *reader)
{
	for (struct grace_reader **link = &grace->readers; *link; link = &(*link)->next) {
		if (*link != reader)
			continue;
		*link = reader->next;
		free(reader);
		return;
	}
}

void grace_reader_online(struct grace_reader *reader)
{
	/* Sequentially consistent: the writer sees us, or we see what the writer did before it looked. */
	atomic_store(&reader->seen, atomic_load(reader->epoch));
	atomic_thread_fence(memory_order_seq_cst);
}

void grace_reader_quiescent(struct grace_reader *reader)
{
	__u64 epoch = atomic_load_explicit(reader->epoch, memory_order_acquire);

	/* Release: all reads of the burst are before it. Writes only when the epoch has changed. */
	if (atomic_load_explicit(&reader->seen, memory_order_relaxed) != epoch)
		atomic_store(&reader->seen, epoch);
}

void grace_reader_offline(struct grace_reader *reader)
{
	atomic_store_explicit(&reader->seen, READER_OFFLINE, memory_order_release);
}
