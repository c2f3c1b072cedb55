// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdio.h>

#include "bench/generator.h"
#include "bench/option.h"
#include "bench/topology.h"

// Options of benches that say who sends what.

struct sending {
	const struct generator_way *way;
	const char *pcap;
	struct recording *recording; // of it
	unsigned int flows;
	enum load_order order;
	struct topology_ports ports; // of this machine, tx NULL: none
	char dut[2][IFNAMSIZ];
	const char *dut_config; // path to write to
	char generators[512];   // what --help tells of them
};

#define SENDING_LINES 9 // with the one that ends them

// The lines of the table of options, which `more` of struct option_set is for. The way to send is set before,
// to what it is where none is given.
void sending_lines(struct sending *sending, struct option_line ret_lines[SENDING_LINES]);

// Reads what the options name, before anything is made; whether the router is on a stick is set before. Tells
// errors on stderr.
int sending_read(struct sending *sending, const char *bench);

// Is the router another machine?
static inline bool sending_is_remote(const struct sending *sending)
{
	return sending->ports.tx && !sending->ports.dut[0];
}

void sending_close(struct sending *sending);

// Sets in a load what the options say.
void sending_apply(const struct sending *sending, struct load *load);
