// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A network namespace of this process' own with three links, and a mirror that follows it into a fib in plain
 * memory. The namespace ends with the process.
 *
 *   link i = 0..2:  device vI (peer pI, up), 10.0.I.1/24 and 2001:db8:I::1/64
 */
#pragma once

#include "host/fib/fib.h"
#include "host/mirror/mirror.h"
#include "tests/netns/kernel_oracle.h"

#define FIXTURE_LINKS 3

struct mirror_fixture {
	struct loop *loop;
	struct image_store *store;
	struct fib *fib;
	struct mirror *mirror;
	struct kernel_oracle *oracle;
	__u32 ifindex[FIXTURE_LINKS];
	__u32 changed; /* calls of the mirror's changed() */
	bool ready;
	/* for loop control */
	struct loop_timer *timer;
};

/* The namespace alone, then mirror and all. options->loop, .fib and the callbacks are the fixture's. */
void mirror_fixture_namespace(struct mirror_fixture *fixture);
void mirror_fixture_start(struct mirror_fixture *fixture, const struct mirror_options *options);
void mirror_fixture_stop(struct mirror_fixture *fixture);

/* What the fib has of a device, by name. A device of the fixture is a port. False: it has none. */
struct view_interface;
bool mirror_fixture_interface(struct mirror_fixture *fixture, const char *name, struct view_interface *ret);
/* Adds ports for the three links. */
void mirror_fixture_ports(struct mirror_fixture *fixture);

/* Runs a shell command; it must succeed. */
void mirror_fixture_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, but it may fail. */
int mirror_fixture_try(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Lets the loop run for so long. */
void mirror_fixture_pass(struct mirror_fixture *fixture, unsigned ms);
/* Lets it run until everything that has happened is in the fib, and nothing is doubtful. Fails after 20 s. */
void mirror_fixture_settle(struct mirror_fixture *fixture);
/* What the image has for an address, in kernel_oracle_ask()'s words; reasons that stand for none of them as
 * "punt NAME". */
void mirror_fixture_ask(struct mirror_fixture *fixture, __u8 family, const __u8 *address, __u32 table,
			char *text);
/* Asks both; false: they differ, and it is printed. Punts of the reasons that say "the kernel decides" are no
 * difference; they are counted in *punts if it is not NULL. */
bool mirror_fixture_same(struct mirror_fixture *fixture, __u8 family, const __u8 *address, unsigned *punts);
/* The same in a VRF, by the ifindex of its device. A miss in its table goes to the kernel, which looks at
 * main then. */
bool mirror_fixture_same_in(struct mirror_fixture *fixture, __u8 family, const __u8 *address, __u32 vrf,
			    __u32 table, unsigned *punts);
bool mirror_fixture_same_text(struct mirror_fixture *fixture, const char *address);
