// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>

#include "bench/generate.h"

// Offers packets at a rate: an AF_XDP socket on s of the subject's lane sends one frame after the other at
// the times they are due, each with a stamp of when it left and a number. The sink that meters, see
// generate_meter(), tells what became of them. Unlike the generator, which sends as fast as everything behind
// it can, it loses packets where the router is too slow.

struct offer;

#define OFFER_SIZES     4
#define OFFER_LARGEST   1514 // bytes of a frame, without FCS
#define OFFER_SEQUENCES TRAFFIC_SEQUENCES

struct offer_load {
	__u8 family;
	double rate;                // packets a second
	double seconds;             // at most OFFER_SEQUENCES packets in all
	__u16 sizes[OFFER_SIZES];   // bytes of frames without FCS, 0: no more; too small ones are made larger
	__u16 weights[OFFER_SIZES]; // how many of each in turn
	unsigned int cpu;           // where the sender runs
};

struct offer_result {
	__u64 sent;
	double seconds; // that it took
};

// Sends to the destinations of the generator; both outlive the offer.
int offer_open(const struct topology *topology, const struct generate *generate, struct offer **ret_offer);

// NULL is fine.
void offer_close(struct offer *offer);

// Sends; returns when everything has left. -EINTR once *stop is set.
int offer_run(struct offer *offer, const struct offer_load *load, const volatile sig_atomic_t *stop,
	      struct offer_result *ret_result);
