// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>

#include "bench/generator.h"
#include "bench/trial.h"

// The bench's own test bed, for tests of what is sent through it: a packet socket on r0 catches frames, and a
// router made of packet sockets passes them on to the sink, well or badly.

#define WIRE_FRAMES 1200 // of a load
#define WIRE_ROOM   9200 // for a frame

extern struct topology wire_topology;
extern struct generate *wire_generate;
extern volatile sig_atomic_t wire_stop;

// Makes the bed, with destinations 198.18.i.7 and 2001:2::i for 256 numbers in turn; for TestSuite().
void wire_open(void);
void wire_close(void);

// Opens a generator of that name on the bed.
struct generator *wire_generator(const char *name, unsigned int largest);

// A packet socket on r0.
int wire_listen(void);

// The next frame from s, its tag back in its place; 0: none comes any more. What the router says of its own
// is not looked at.
unsigned int wire_catch(int fd, __u8 frame[WIRE_ROOM]);

// Takes the tag off a frame; returns its TCI, 0: it has none.
unsigned int wire_take_tag(__u8 *frame, unsigned int *size);

unsigned int wire_get16(const __u8 *field);

// Adds bytes to a one's complement sum.
unsigned int wire_add(const __u8 *bytes, unsigned int size, unsigned int sum);

// A packet socket on r1.
int wire_way_out(void);

// Makes of a frame without a tag what a router does.
void wire_route(__u8 *frame);

void wire_send(int fd, const __u8 *frame, unsigned int size);

// Sends a load of WIRE_FRAMES through a router that loses, repeats, swaps and breaks packets: each of these
// is counted as what it is.
void wire_break(struct generator *generator, const struct load *load);

// Sends a load of WIRE_FRAMES through a program that forwards: all arrive, right.
void wire_through(const char *name, const struct load *load);
