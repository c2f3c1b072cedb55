// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Grace periods: when nobody can still be looking at what was taken out of the image.
 *
 * Time is cut into epochs. Memory that was unlinked now belongs to grace_epoch(); it may be written again
 * once grace_passed() has reached that number. grace_poll() closes the open epoch, asks every registered
 * wait to begin waiting for it, and lets it pass when all have ended, so the time is that of the slowest
 * reader in use. Nothing here blocks the caller.
 *
 * Three waits are supplied: the kernel's RCU (XDP programs), quiescent counters (threads of user space),
 * a fixed delay (the NIC). With no wait registered every epoch passes at the next poll.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

struct grace;

int grace_new(struct grace **ret);
/* Ends the helper threads; the caller knows that no reader is left. NULL is fine. */
void grace_free(struct grace *grace);

/* The epoch of what is unlinked now. */
__u64 grace_epoch(const struct grace *grace);
/* Everything unlinked in this epoch or before may be reused. */
__u64 grace_passed(const struct grace *grace);
/* wanted: something waits for the open epoch. Returns true when grace_passed() advanced. */
bool grace_poll(struct grace *grace, bool wanted);

/* A kind of reader. Both are called by grace_poll() and must not block. */
struct grace_wait {
	void (*begin)(void *arg);   /* whoever began to read before this call must be waited for */
	bool (*ended)(void *arg);   /* true: they have all finished */
	void (*release)(void *arg); /* the wait is removed; NULL: nothing to do */
};

/* The wait takes part from the next epoch that closes. -ENOMEM. */
int grace_add(struct grace *grace, const struct grace_wait *wait, void *arg);
void grace_remove(struct grace *grace, const struct grace_wait *wait, void *arg);

/* XDP programs: a helper thread writes to a map in a map, which returns after the kernel's RCU grace period.
 * -EPERM, -ENOMEM. */
int grace_add_kernel(struct grace *grace);
/* For what is done seldom: returns once the XDP programs that run now have ended, after some 20 ms. */
void grace_wait_kernel(void);
/* Becomes readable when a helper thread has finished: poll it in the event loop, then call grace_poll(). */
int grace_fd(const struct grace *grace);

/* A fixed delay, for readers that answer no questions. */
int grace_add_delay(struct grace *grace, __u64 nanoseconds);

/*
 * Threads of user space that read the image. Between two bursts a thread says that it holds nothing; before
 * it sleeps it goes offline. Registering is done by the writer's thread (-ENOMEM); the other three calls by
 * the reader's own. A new reader is offline.
 */
struct grace_reader;
int grace_reader_add(struct grace *grace, struct grace_reader **ret);
void grace_reader_remove(struct grace *grace, struct grace_reader *reader);
void grace_reader_online(struct grace_reader *reader);
void grace_reader_quiescent(struct grace_reader *reader);
void grace_reader_offline(struct grace_reader *reader);
