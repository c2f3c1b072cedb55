// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Work that may block, done in a thread of its own so that the event loop does not wait: questions to the
 * kernel about devices wait for the lock (rtnl) that it holds for a second where a link goes or comes with
 * all routes behind it. One errand after the other, in the order in which they were sent.
 */
#pragma once

#include <stdbool.h>

struct errands;
struct loop;

typedef void errand_fn(void *arg);

/* Its memory is the caller's; from errand_send() until done() it stays where it is, and untouched. */
struct errand {
	errand_fn *work; /* in the thread; what it uses besides `arg` must bear that */
	errand_fn *done; /* then, in the loop; may send it again */
	void *arg;
	bool under_way;      /* for the caller to see */
	struct errand *next; /* the rest is for errand.c */
};

/* Makes the thread; it has the rights and the namespaces of the caller. The loop is borrowed. */
int errands_new(struct loop *loop, struct errands **ret);
/* Waits for the errand that is under way; of it and of what has not begun, done() is not called. NULL is
 * fine. */
void errands_free(struct errands *errands);
/* No effect on one that is under way. */
void errand_send(struct errands *errands, struct errand *errand);
