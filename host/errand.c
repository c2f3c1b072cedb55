// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/errand.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/loop.h"

struct list {
	struct errand *first, **end;
};

struct errands {
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list sent, back; /* under lock */
	bool stop;              /* under lock */
	int event;
};

static void append(struct list *list, struct errand *errand)
{
	errand->next = NULL;
	*list->end = errand;
	list->end = &errand->next;
}

static struct errand *take(struct list *list)
{
	struct errand *errand = list->first;

	if (!errand)
		return NULL;
	list->first = errand->next;
	if (!list->first)
		list->end = &list->first;
	return errand;
}

static void *run(void *arg)
{
	struct errands *errands = arg;
	struct errand *errand;

	pthread_mutex_lock(&errands->lock);
	while (!errands->stop) {
		errand = take(&errands->sent);
		if (!errand) {
			pthread_cond_wait(&errands->wake, &errands->lock);
			continue;
		}
		pthread_mutex_unlock(&errands->lock);
		errand->work(errand->arg);
		pthread_mutex_lock(&errands->lock);
		append(&errands->back, errand);
		(void)eventfd_write(errands->event, 1);
	}
	pthread_mutex_unlock(&errands->lock);
	return NULL;
}

static void back(void *arg, uint32_t events)
{
	struct errands *errands = arg;
	struct errand *errand;
	eventfd_t count;

	(void)eventfd_read(errands->event, &count);
	for (;;) {
		pthread_mutex_lock(&errands->lock);
		errand = take(&errands->back);
		pthread_mutex_unlock(&errands->lock);
		if (!errand)
			return;
		errand->under_way = false;
		errand->done(errand->arg);
	}
}

/* Signals are the loop's. */
static int start_thread(struct errands *errands)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&errands->thread, NULL, run, errands);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

int errands_new(struct loop *loop, struct errands **ret)
{
	struct errands *errands = calloc(1, sizeof(*errands));
	int error;

	if (!errands)
		return -ENOMEM;
	errands->loop = loop;
	errands->sent.end = &errands->sent.first;
	errands->back.end = &errands->back.first;
	pthread_mutex_init(&errands->lock, NULL);
	pthread_cond_init(&errands->wake, NULL);
	errands->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (errands->event < 0) {
		error = -errno;
		goto free_errands;
	}
	error = loop_fd_add(loop, errands->event, EPOLLIN, back, errands);
	if (error < 0)
		goto close_event;
	error = start_thread(errands);
	if (error < 0)
		goto remove_event;
	*ret = errands;
	return 0;
remove_event:
	loop_fd_remove(loop, errands->event);
close_event:
	close(errands->event);
free_errands:
	free(errands);
	return error;
}

void errands_free(struct errands *errands)
{
	if (!errands)
		return;
	pthread_mutex_lock(&errands->lock);
	errands->stop = true;
	pthread_cond_signal(&errands->wake);
	pthread_mutex_unlock(&errands->lock);
	(void)pthread_join(errands->thread, NULL);
	loop_fd_remove(errands->loop, errands->event);
	close(errands->event);
	pthread_cond_destroy(&errands->wake);
	pthread_mutex_destroy(&errands->lock);
	free(errands);
}

void errand_send(struct errands *errands, struct errand *errand)
{
	if (errand->under_way)
		return;
	errand->under_way = true;
	pthread_mutex_lock(&errands->lock);
	append(&errands->sent, errand);
	pthread_cond_signal(&errands->wake);
	pthread_mutex_unlock(&errands->lock);
}
