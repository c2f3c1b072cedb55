// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The kernel against the image, by samples: addresses inside known prefixes and some from anywhere; the
 * kernel is asked what it would do (RTM_GETROUTE with RTM_F_FIB_MATCH), the image is looked up. That the
 * image hands a packet to the kernel is no difference, but for the lack of a route.
 *
 * A difference counts when it is still there AUDIT_AGAIN ms later, and again after that: until then it may be
 * a change that is on its way. One that counts has the table dumped again.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/fib/fib.h"
#include "host/mirror/links.h"
#include "host/mirror/objects.h"
#include "host/mirror/rib.h"

struct audit;
struct errands;
struct loop;

#define AUDIT_AGAIN  200 /* ms */
#define AUDIT_SHOWN  4   /* differences that are kept as text */
#define AUDIT_STEADY 20  /* samples that are looked at in a second when nobody asks for more */

/* A confirmed difference: in the table by which the kernel goes by one prefix and the image by another, or by
 * the same one otherwise. text: one line. */
struct audit_difference {
	__u32 table;
	struct fib_prefix kernel, image; /* length 0 and address 0 also if there is none */
	const char *text;
};
typedef void audit_differs_fn(void *arg, const struct audit_difference *difference);

/* Whether what is told by notifications has arrived: otherwise differences wait. 0: no; else a number that
 * another notification changes. */
typedef __u64 audit_settled_fn(void *arg);

/* All but the callbacks' arg are borrowed; the errands, in which the kernel is asked, are freed first. */
int audit_new(struct loop *loop, struct errands *errands, const struct fib *fib, const struct rib *rib,
	      const struct links *links, const struct objects *objects, audit_differs_fn *differs,
	      audit_settled_fn *settled, void *arg, struct audit **ret);
/* NULL is fine. */
void audit_free(struct audit *audit);

/* Begins a run of so many samples; without one it only looks at AUDIT_STEADY a second. A run under way goes
 * on instead. -ENODATA: nothing is mirrored yet. */
int audit_start(struct audit *audit, __u32 samples);
/* Whether the steady look goes on; initially not. */
void audit_steady(struct audit *audit, bool on);

struct audit_count {
	__u64 samples, same, left; /* left: to the kernel, for a reason other than the lack of a route */
	__u64 skipped;             /* that cannot be asked, or not compared */
	__u64 passing;             /* differences that were gone when looked at again */
	__u64 differences;
};

struct audit_result {
	bool running;
	struct audit_count run, total; /* the last run (or the one under way), all since the start */
	char text[AUDIT_SHOWN][256];   /* of the run's first differences; "" = none */
};
void audit_result(const struct audit *audit, struct audit_result *ret);
