// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "bench/load.h"
#include "bench/recording.h"
#include "host/why.h"

// Whatever sends packets into the router under test. Each way to send is one table of functions
// (bench/generator_*.c); benches know only these here. What became of the packets is the sink's to tell, see
// generate_meter_read().

enum generator_can {
	GENERATOR_MIXES = 1 << 0,   // several sizes, both families; else one, IPv4
	GENERATOR_AIMS = 1 << 1,    // any destinations in any order; else consecutive ones only
	GENERATOR_NUMBERS = 1 << 2, // frames have numbers and times, so that more than losses can be told
	GENERATOR_BRINGS = 1 << 3,  // sends frames of its own, not those of the load
};

// Where a generator sends, and what it may need to know.
struct generator_bed {
	const struct lane *lane;           // from s, to the MAC of r0
	struct generate *generate;         // destinations and sinks
	unsigned int largest;              // bytes of the largest frame
	const struct recording *recording; // to replay, NULL: none
};

struct generator_counts {
	__u64 sent;
	double seconds; // that it took, up to now
	bool done;      // all of the load is sent, or it failed
};

struct generator_way {
	const char *name, *summary;
	unsigned int can; // of enum generator_can
	unsigned int largest;
	int (*open)(const struct generator_bed *bed, void **ret_sender, struct why *why);
	void (*close)(void *sender);
	// Starts to send and returns at once.
	int (*start)(void *sender, const struct load *load, struct why *why);
	void (*counts)(void *sender, struct generator_counts *ret_counts);
	// Ends it, wherever it is. Returns what had ended it early.
	int (*stop)(void *sender, struct generator_counts *ret_counts);
};

extern const struct generator_way generator_live, generator_afxdp, generator_pcap, generator_pktgen;

struct generator;

// Makes one more known.
void generator_add(const struct generator_way *way);

// All ways; ret_count says how many.
const struct generator_way *const *generator_list(unsigned int *ret_count);

// Finds the way that a user names. Tells on stderr which there are, if none of that name can what is needed
// (of enum generator_can).
int generator_choose(const char *name, unsigned int needs, const struct generator_way **ret_way);

// Can it send such a load? -EMSGSIZE, -EOPNOTSUPP: not, and `why` says what of it.
int generator_suits(const struct generator_way *way, const struct load *load, struct why *why);

// Opens it; the bed must outlive it. `why` says what is missing or busy.
int generator_open(const struct generator_way *way, const struct generator_bed *bed,
		   struct generator **ret_generator, struct why *why);

// NULL is fine.
void generator_close(struct generator *generator);

const struct generator_way *generator_way(const struct generator *generator);

// Starts to send a load and returns at once. Errors of generator_suits(), too.
int generator_start(struct generator *generator, const struct load *load, struct why *why);

// How far it is, at any time between start and stop.
void generator_counts(struct generator *generator, struct generator_counts *ret_counts);

// Waits until all is sent. -EINTR once *stop is set.
int generator_wait(struct generator *generator, const volatile sig_atomic_t *stop);

// Ends it, wherever it is. Returns what had ended it early.
int generator_stop(struct generator *generator, struct generator_counts *ret_counts);

// Sends all of a load. -EINTR once *stop is set.
int generator_run(struct generator *generator, const struct load *load, const volatile sig_atomic_t *stop,
		  struct generator_counts *ret_counts, struct why *why);
