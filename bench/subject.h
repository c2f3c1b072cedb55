// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "bench/topology.h"
#include "bench/workload/table.h"
#include "host/why.h"

// The routers under test. One at a time sits between r0 and r1 of the subject's lane; on the reference lane
// there is always the program that forwards without any lookup, which all are measured against.

struct subject_bed;

enum subject_delivery {
	SUBJECT_ROUTES,      // each packet to the gateway of its route
	SUBJECT_ONE_GATEWAY, // no lookup: all packets to gateway 0
	SUBJECT_NOTHING,     // drops: what was sent is counted
};

enum subject_kind {
	SUBJECT_KERNEL,   // no program on r0
	SUBJECT_BASELINE, // a program of bench/baseline.bpf.c
	SUBJECT_PENSTOCK, // the daemon
	SUBJECT_THREADS,  // the daemon, in a mode that forwards in threads of its own
	SUBJECT_COPY,     // the same, without zero copy, where there is zero copy
	SUBJECT_OFFLOAD,  // the daemon, on the device itself, with the best engine of the host behind that
	SUBJECT_DEVICES,  // the daemon, over devices of DPDK's that are r0 and r1
	SUBJECT_TESTPMD,  // DPDK's testpmd over AF_XDP sockets
	SUBJECT_L3FWD,    // DPDK's l3fwd over AF_XDP sockets
	SUBJECT_REMOTE,   // another machine
};

struct subject {
	const char *name;
	const char *summary; // for the help text
	enum subject_kind kind;
	enum subject_delivery delivery;
	bool generic;        // a baseline in generic mode, not native
	bool own_table;      // has to be given the routes; the others use the kernel's
	const char *program; // of a baseline; of penstock: its mode
	const char *device;  // of DPDK's over a port: its name but for the number, and its words
	// Of those that are no routers as RFC 1812 wants them: what a reader must know. They leave the TTL or
	// the hop limit as it is, or forward packets at whose end it is.
	const char *remark;
	bool keeps_ttl, keeps_hop_limit;
};

// All subjects; ret_count says how many.
const struct subject *subject_list(unsigned int *ret_count);

// Returns the subject of that name, or NULL.
const struct subject *subject_find(const char *name);

// Loads the baselines and attaches the reference. The topology must outlive the bed. Once *stop is set,
// attaching ends with -EINTR.
int subject_open(struct topology *topology, const volatile sig_atomic_t *stop, struct subject_bed **ret_bed);

// Detaches and frees; NULL is fine.
void subject_close(struct subject_bed *bed);

// Gives the routes of one family to the subjects that have an own table.
int subject_load(struct subject_bed *bed, const struct table *table);

// Whether it forwards in threads of its own, not where packets come in.
static inline bool subject_has_threads(const struct subject *subject)
{
	return subject->kind >= SUBJECT_THREADS;
}

// Does it know VLANs, as this bench sets them up?
static inline bool subject_has_vlans(const struct subject *subject)
{
	return subject->kind == SUBJECT_KERNEL ||
	       (subject->kind >= SUBJECT_PENSTOCK && subject->kind <= SUBJECT_DEVICES);
}

// Makes ready what the subject needs for all that follows, where it is to know so many routes of each family;
// once for each subject, before routes are loaded. An error: it cannot be had here, and `why` says why not.
int subject_provide(struct subject_bed *bed, const struct subject *subject, size_t routes4, size_t routes6,
		    struct why *why);

// Makes what the subject needs between r0 and r1 beforehand, and returns the port that the routes have to
// lead out of; subject_detach() removes it.
int subject_prepare(struct subject_bed *bed, const struct subject *subject,
		    const struct lane_port **ret_egress);

// Puts the subject between r0 and r1 and returns when it is ready to forward. At most one is attached. Tells
// errors on stderr.
int subject_attach(struct subject_bed *bed, const struct subject *subject);

// Takes the attached subject away; fine without one.
void subject_detach(struct subject_bed *bed);
