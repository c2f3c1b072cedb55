// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/sender.h"

#include "bench/netns.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <xdp/xsk.h>

#define SENDER_CHUNKS      2048 // a power of 2
#define SENDER_BATCH       32   // frames that the kernel takes with one call
#define SENDER_PARTS       3    // chunks of a frame, at most
#define SENDER_NAP_NS      50000
// For frames that somebody holds.
#define SENDER_PATIENCE_NS 500000000

// Newer than the headers of the system: frames of several chunks (Linux 6.6).
#define SENDER_BIND_PARTS (1 << 4)
#define SENDER_CONTINUED  (1 << 0)

struct sender {
	const struct lane_port *port;
	bool parts; // frames may be larger than a chunk
	__u8 *area;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completion;
	__u32 chunk;     // the next one; chunks leave in order, so they are used in turn
	__u32 under_way; // chunks that the kernel has
	// of the run
	const struct sender_source *source;
	unsigned int cpu;
	pthread_t thread;
	bool started;
	atomic_bool stop, done;
	_Atomic __u64 sent; // also the number of the next frame
	__u64 begin;
	_Atomic __u64 end;
	int result;
	__u8 large[SENDER_PARTS * SENDER_CHUNK];
};

__u64 sender_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

// The socket of the memory is the one that is bound, so both belong into the port's namespace.
static int sender_bind(struct sender *sender, bool large)
{
	const struct xsk_umem_config memory = { .fill_size = 64,
						.comp_size = SENDER_CHUNKS,
						.frame_size = SENDER_CHUNK };
	const struct xsk_socket_config config = { .tx_size = SENDER_CHUNKS,
						  .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
						  .bind_flags = XDP_USE_NEED_WAKEUP |
								(large ? SENDER_BIND_PARTS : 0) };
	int home, err = netns_enter(sender->port->netns, &home);

	if (err < 0)
		return err;
	err = xsk_umem__create(&sender->umem, sender->area, SENDER_CHUNKS * SENDER_CHUNK, &sender->fill,
			       &sender->completion, &memory);
	if (err >= 0)
		err = xsk_socket__create(&sender->socket, sender->port->name, 0, sender->umem, NULL,
					 &sender->tx, &config);
	netns_leave(home);
	return err;
}

static int sender_refused(const struct sender *sender, bool large, int err, struct why *why)
{
	const char *name = sender->port->name;

	if (err == -EBUSY)
		return why_set(why, EBUSY, "%s: another AF_XDP socket has its queue 0; end that first", name);
	if (err == -EPERM || err == -EACCES)
		return why_set(why, -err, "%s: no AF_XDP socket without rights; run as root", name);
	if (err == -EINVAL && large)
		return why_set(why, EINVAL,
			       "%s: no frames above %u bytes by AF_XDP in this kernel, Linux 6.6 has them",
			       name, SENDER_CHUNK);
	return why_set(why, -err, "%s: no AF_XDP socket: %s", name, strerror(-err));
}

int sender_open(const struct lane_port *port, bool large, struct sender **ret_sender, struct why *why)
{
	struct sender *sender = calloc(1, sizeof(*sender));
	int err;

	if (!sender)
		return -ENOMEM;
	sender->port = port;
	sender->parts = large;
	sender->area = mmap(NULL, SENDER_CHUNKS * SENDER_CHUNK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (sender->area == MAP_FAILED) {
		free(sender);
		return -ENOMEM;
	}
	err = sender_bind(sender, large);
	if (err < 0) {
		err = sender_refused(sender, large, err, why);
		sender_close(sender);
		return err;
	}
	*ret_sender = sender;
	return 0;
}

void sender_close(struct sender *sender)
{
	struct generator_counts counts;

	if (!sender)
		return;
	sender_stop(sender, &counts);
	xsk_socket__delete(sender->socket);
	xsk_umem__delete(sender->umem);
	munmap(sender->area, SENDER_CHUNKS * SENDER_CHUNK);
	free(sender);
}

static void sender_reclaim(struct sender *sender)
{
	__u32 index, count = xsk_ring_cons__peek(&sender->completion, SENDER_CHUNKS, &index);

	if (count)
		xsk_ring_cons__release(&sender->completion, count);
	sender->under_way -= count;
}

static __u8 *sender_chunk(const struct sender *sender)
{
	return sender->area + (size_t)(sender->chunk & (SENDER_CHUNKS - 1)) * SENDER_CHUNK;
}

// Puts the next chunk into the ring; there is room for it.
static void sender_put_chunk(struct sender *sender, __u32 size, bool continued)
{
	__u32 index = 0;

	xsk_ring_prod__reserve(&sender->tx, 1, &index);
	*xsk_ring_prod__tx_desc(&sender->tx, index) =
		(struct xdp_desc){ .addr = (__u64)(sender_chunk(sender) - sender->area),
				   .len = size,
				   .options = continued ? SENDER_CONTINUED : 0 };
	sender->chunk++;
	sender->under_way++;
}

static void sender_put(struct sender *sender, __u64 now_ns)
{
	const struct sender_source *source = sender->source;
	__u8 *bytes = sender->parts ? sender->large : sender_chunk(sender);
	__u32 size = source->make(source->arg, sender->sent, now_ns, bytes), at, part;

	for (at = 0; at < size; at += part) {
		part = size - at > SENDER_CHUNK ? SENDER_CHUNK : size - at;
		if (sender->parts)
			memcpy(sender_chunk(sender), bytes + at, part);
		sender_put_chunk(sender, part, at + part < size);
	}
	sender->sent++;
}

// Moves what is due later by the time that it stood still.
static void sender_forgive(struct sender *sender, __u64 now_ns)
{
	const struct sender_source *source = sender->source;
	__u64 latest = source->due(source->arg, sender->sent) + source->late_ns;

	if (now_ns - sender->begin > latest)
		sender->begin = now_ns - latest;
}

// Puts what is due into the ring.
static void sender_fill(struct sender *sender)
{
	const struct timespec nap = { .tv_nsec = SENDER_NAP_NS };
	const struct sender_source *source = sender->source;
	__u64 now = sender_now_ns();
	unsigned int count;

	if (source->late_ns)
		sender_forgive(sender, now);

	for (count = 0; count < SENDER_BATCH && sender->sent < source->total &&
			sender->under_way + SENDER_PARTS <= SENDER_CHUNKS &&
			source->due(source->arg, sender->sent) <= now - sender->begin;
	     count++) {
		sender_put(sender, now);
		now = sender_now_ns();
	}
	if (count) // all parts of a frame at once
		xsk_ring_prod__submit(&sender->tx, sender->tx.cached_prod - *sender->tx.producer);
	else if (source->late_ns)
		nanosleep(&nap, NULL);
}

// What the kernel does not take now it takes with the next call.
static int sender_kick(const struct sender *sender)
{
	if (sendto(xsk_socket__fd(sender->socket), NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno == EAGAIN ||
	    errno == EBUSY || errno == ENOBUFS)
		return 0;
	return -errno;
}

// Sends what is due, until all is sent and has left.
static int sender_loop(struct sender *sender)
{
	const struct sender_source *source = sender->source;
	__u64 last = 0; // of frames was sent
	bool more = true;
	int err = 0;

	while (err >= 0 && (more || (sender->under_way && sender_now_ns() - last < SENDER_PATIENCE_NS))) {
		more = more && !sender->stop;
		if (more)
			sender_fill(sender);
		if (sender->under_way)
			err = sender_kick(sender);
		sender_reclaim(sender);
		if (more)
			last = sender_now_ns();
		more = more && sender->sent < source->total &&
		       (!source->most_ns || sender_now_ns() - sender->begin < source->most_ns);
	}
	return err;
}

static void *sender_run(void *argument)
{
	struct sender *sender = argument;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sender->cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	sender->begin = sender_now_ns();
	sender->result = sender_loop(sender);
	sender->end = sender_now_ns();
	sender->done = true;
	return NULL;
}

int sender_start(struct sender *sender, const struct sender_source *source, unsigned int cpu)
{
	sigset_t all, before;
	int err;

	sender->source = source;
	sender->cpu = cpu;
	sender->stop = sender->done = false;
	sender->sent = 0;
	sender->begin = sender_now_ns();
	sender->end = 0;
	sender->result = 0;
	// Signals of the process are for the main thread.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&sender->thread, NULL, sender_run, sender);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	sender->started = err == 0;
	return -err;
}

void sender_counts(const struct sender *sender, struct generator_counts *ret_counts)
{
	__u64 end = sender->end ? sender->end : sender_now_ns();

	ret_counts->done = sender->done;
	ret_counts->sent = sender->sent;
	ret_counts->seconds = (end - sender->begin) * 1e-9;
}

int sender_stop(struct sender *sender, struct generator_counts *ret_counts)
{
	if (!sender->started)
		return 0;
	sender->stop = true;
	pthread_join(sender->thread, NULL);
	sender->started = false;
	sender_counts(sender, ret_counts);
	return sender->result;
}
