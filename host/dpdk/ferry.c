// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/dpdk/ferry.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <rte_mbuf.h>

#define LOAD     32 /* frames carried at once */
#define WATCH_MS 20 /* between looks at the links */

struct ferry {
	pthread_t thread;
	pthread_mutex_t lock; /* held while it touches devices */
	int poll_fd, stop_fd;
	struct device *const *device;
	unsigned int count;
	struct rte_mempool *pool;
};

/* The next frame that the kernel sent; a byte more than there is room for stands for what did not fit. */
static ssize_t take(const struct ferry *ferry, const struct device *device, struct rte_mbuf *frame)
{
	__u8 beyond;
	struct iovec part[] = { { rte_pktmbuf_mtod(frame, void *), rte_pktmbuf_tailroom(frame) },
				{ &beyond, sizeof(beyond) } };
	ssize_t length = readv(device->tap.fd, part, 2);

	if (length < 0 && errno == EBADFD) /* somebody deleted the interface */
		(void)epoll_ctl(ferry->poll_fd, EPOLL_CTL_DEL, device->tap.fd, NULL);
	return length;
}

static void carry(struct ferry *ferry, struct device *device)
{
	unsigned int slot = device->slots - 1, loaded = 0;
	struct rte_mbuf *frame[LOAD];

	if (rte_pktmbuf_alloc_bulk(ferry->pool, frame, LOAD) < 0)
		return;
	for (unsigned int i = 0; i < LOAD; i++) {
		ssize_t length = take(ferry, device, frame[loaded]);

		if (length <= 0)
			break;
		if (length > (ssize_t)rte_pktmbuf_tailroom(frame[loaded])) { /* its MTU is not the device's */
			device->tally[slot].unsent++;
			continue;
		}
		frame[loaded]->data_len = (__u16)length;
		frame[loaded++]->pkt_len = (__u32)length;
	}
	if (loaded < LOAD)
		rte_pktmbuf_free_bulk(frame + loaded, LOAD - loaded);
	if (!loaded)
		return;
	device->tally[slot].from_kernel += loaded;
	device_send(device, slot, frame, loaded);
}

static void watch(struct ferry *ferry)
{
	for (unsigned int i = 0; i < ferry->count; i++)
		device_watch(ferry->device[i]);
}

static __u64 milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000 + (__u64)now.tv_nsec / 1000000;
}

static void *sail(void *arg)
{
	struct ferry *ferry = arg;
	struct epoll_event event[16];
	__u64 watched = 0;

	for (;;) {
		int ready = epoll_wait(ferry->poll_fd, event, 16, WATCH_MS);

		pthread_mutex_lock(&ferry->lock);
		for (int i = 0; i < ready; i++) {
			if (!event[i].data.ptr) {
				pthread_mutex_unlock(&ferry->lock);
				return NULL;
			}
			carry(ferry, event[i].data.ptr);
		}
		if (milliseconds() - watched >= WATCH_MS) {
			watch(ferry);
			watched = milliseconds();
		}
		pthread_mutex_unlock(&ferry->lock);
	}
}

static int add_fd(const struct ferry *ferry, int fd, struct device *device)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = device };

	return epoll_ctl(ferry->poll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_fds(struct ferry *ferry)
{
	int error;

	ferry->stop_fd = eventfd(0, EFD_CLOEXEC);
	ferry->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (ferry->stop_fd < 0 || ferry->poll_fd < 0)
		return -errno;
	error = add_fd(ferry, ferry->stop_fd, NULL);
	for (unsigned int i = 0; error == 0 && i < ferry->count; i++)
		error = add_fd(ferry, ferry->device[i]->tap.fd, ferry->device[i]);
	return error;
}

static void close_fds(struct ferry *ferry)
{
	if (ferry->poll_fd >= 0)
		close(ferry->poll_fd);
	if (ferry->stop_fd >= 0)
		close(ferry->stop_fd);
}

static int start_thread(struct ferry *ferry)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&ferry->thread, NULL, sail, ferry);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

int ferry_start(struct device *const *device, unsigned int count, struct rte_mempool *pool,
		struct ferry **ret)
{
	struct ferry *ferry = calloc(1, sizeof(*ferry));
	int error;

	if (!ferry)
		return -ENOMEM;
	ferry->device = device;
	ferry->count = count;
	ferry->pool = pool;
	ferry->poll_fd = ferry->stop_fd = -1;
	pthread_mutex_init(&ferry->lock, NULL);
	error = open_fds(ferry);
	if (error == 0)
		error = start_thread(ferry);
	if (error < 0) {
		close_fds(ferry);
		free(ferry);
		return error;
	}
	*ret = ferry;
	return 0;
}

void ferry_stop(struct ferry *ferry)
{
	__u64 one = 1;

	if (!ferry)
		return;
	if (write(ferry->stop_fd, &one, sizeof(one)) == sizeof(one))
		(void)pthread_join(ferry->thread, NULL);
	close_fds(ferry);
	pthread_mutex_destroy(&ferry->lock);
	free(ferry);
}

void ferry_pause(struct ferry *ferry)
{
	pthread_mutex_lock(&ferry->lock);
}

void ferry_resume(struct ferry *ferry)
{
	pthread_mutex_unlock(&ferry->lock);
}
