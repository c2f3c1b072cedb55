// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <getopt.h>
#include <stdio.h>

#include "bench/generator.h"

// Options of benches that say who sends what.

struct sending {
	const struct generator_way *way;
	const char *pcap;
	struct recording *recording; // of it
	unsigned int flows;
	enum load_order order;
};

enum { SENDING_GENERATOR = 0x100, SENDING_PCAP, SENDING_FLOWS, SENDING_DESTINATIONS };

// For getopt_long().
#define SENDING_OPTIONS                                                                                      \
	{ "generator", required_argument, NULL, SENDING_GENERATOR },                                         \
		{ "pcap", required_argument, NULL, SENDING_PCAP },                                           \
		{ "flows", required_argument, NULL, SENDING_FLOWS },                                         \
	{                                                                                                    \
		"destinations", required_argument, NULL, SENDING_DESTINATIONS                                \
	}

// Takes one of these options. -EINVAL: told on stderr.
int sending_option(struct sending *sending, const char *bench, int option, const char *value);

// Reads what the options name, before anything is made. Tells errors on stderr.
int sending_read(struct sending *sending, const char *bench);

void sending_close(struct sending *sending);

// Sets in a load what the options say.
void sending_apply(const struct sending *sending, struct load *load);

void sending_help(FILE *out);
