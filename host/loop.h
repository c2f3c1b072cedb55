// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The event loop: one thread, epoll; timers are timerfds, signals come by signalfd. Callbacks may add and
 * remove anything, themselves included. No callback may block.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;

/* `events`: EPOLLIN, EPOLLOUT ... that are ready. */
typedef void loop_fd_fn(void *arg, uint32_t events);
typedef void loop_timer_fn(void *arg);
typedef void loop_signal_fn(void *arg, int signal);
/* Does a little waiting work; returns the milliseconds after which it wants to be called again at the latest,
 * -1: no wish. */
typedef int loop_idle_fn(void *arg);

int loop_new(struct loop **ret);
/* Frees the loop with all timers and watches; the caller's fds stay open. NULL is fine. */
void loop_free(struct loop *loop);

/* Watches an fd, level-triggered. The fd stays the caller's: remove it before closing it. -EEXIST: is watched
 * already. */
int loop_fd_add(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *arg);
/* Unknown fd: no effect. No callback for this fd after this returns, not even one that is ready already. */
void loop_fd_remove(struct loop *loop, int fd);

/* No callback for this fd until it goes on. */
void loop_fd_pause(struct loop *loop, int fd, bool pause);

/* A timer, disarmed. */
int loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *arg, struct loop_timer **ret);
/* Fires after `first` ms (0: at once) and then every `interval` ms (0: only once). Rearms a timer that runs.
 * Missed periods are not made up for: one call stands for all of them. */
void loop_timer_set(struct loop_timer *timer, uint32_t first, uint32_t interval);
void loop_timer_cancel(struct loop_timer *timer);
/* NULL is fine. */
void loop_timer_free(struct loop_timer *timer);

/* Blocks the signal for the thread and has the callback run in the loop instead. */
int loop_signal_add(struct loop *loop, int signal, loop_signal_fn *fn, void *arg);

/* Called when no fd is ready, and at least every 20 ms while fds are. One per loop. */
void loop_idle_set(struct loop *loop, loop_idle_fn *fn, void *arg);

/* Runs until loop_stop(); returns its status, or a negative errno if waiting failed. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int status);

/* Milliseconds on the monotonic clock. */
uint64_t loop_now(void);
