// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The program for the NIC, loaded on this machine, beside the user build in drawn worlds, card CARD_OBJECT
 * [ELEMENTS], and through the golden vectors, card CARD_OBJECT --vectors WORLD FILE...
 *
 * What leaves by the port it came in by leaves here as XDP_TX, with the same bytes; what leaves by another is
 * passed on as it came, and so is what the card need not look into further once it sees that. All else has
 * the same verdict and reason. The card's maps are filled by host/fib/card.h, element by element. Without
 * ELEMENTS there is room for all; within so many, what they have no room for is the kernel's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "host/fib/card.h"
#include "tests/conformance/card_object.h"
#include "tests/conformance/decode.h"
#include "tests/conformance/runner.h"
#include "tests/conformance/vector.h"
#include "tests/conformance/world_fib.h"
#include "tests/conformance/world_text.h"
#include "tests/oracle/packets.h"
#include "tests/oracle/router.h"

#define SEED      20261130
#define WORLDS    7
#define PACKETS   40000
#define SHOWN     8
#define EXIT_SKIP 77

struct figures {
	__u64 packets, sent, beyond, full, unequal;
};

// Reasons that come after the question whether the port can be reached from here.
static bool is_late(__u8 reason)
{
	return reason == REASON_FORWARDED || reason == REASON_SAME_INTERFACE || reason == REASON_TOO_BIG ||
	       reason == REASON_MULTI_BUFFER || reason == REASON_NO_HEADROOM;
}

// Whether the card did what it may, where the program with all ports in reach did `all`.
static bool agrees(const struct runner_outcome *all, const struct runner_outcome *card, __u16 port,
		   const __u8 *frame, __u32 length)
{
	if (card->action == ACTION_PUNT && card->reason == REASON_EGRESS_BEYOND)
		return is_late(all->reason) && (all->action != ACTION_FORWARD || all->port != port) &&
		       card->length == length && memcmp(card->frame, frame, length) == 0;
	return card->action == all->action && card->reason == all->reason && card->length == all->length &&
	       (card->action != ACTION_FORWARD || all->port == port) &&
	       memcmp(card->frame, all->frame, all->length) == 0;
}

// Whether the card left it to the kernel as it does where its tables end: what has no counter lies beyond
// them.
static bool lacks_room(const struct runner_outcome *card, const __u8 *frame, __u32 length)
{
	return card->action == ACTION_PUNT &&
	       (card->reason == REASON_TABLE_FULL || card->reason == REASON_RPF ||
		card->reason == RUNNER_UNKNOWN) &&
	       card->length == length && memcmp(card->frame, frame, length) == 0;
}

static void show(const struct packet_drawn *packet, const struct runner_outcome *all,
		 const struct runner_outcome *card, int error)
{
	char title[128];

	snprintf(title, sizeof(title), "packet %llu (%s) into %s", (unsigned long long)packet->number,
		 packet->kind, packet->port->name);
	decode_print(stdout, title, packet->frame, packet->length);
	printf("  all: action %u, reason %u, port %d, %u bytes; card: %s, action %u, reason %u, %u bytes\n",
	       all->action, all->reason, all->port, all->length, error ? strerror(-error) : "ran",
	       card->action, card->reason, card->length);
}

static void try_packet(struct card_object *card, void *user, __u16 port, const struct packet_drawn *packet,
		       struct figures *figures)
{
	static struct runner_outcome all, outcome;
	int error;

	runner_user.run(user, port, packet->frame, packet->length, &all);
	error = card_object_run(card, port, packet->frame, packet->length, &outcome);
	figures->packets++;
	figures->sent += !error && outcome.action == ACTION_FORWARD;
	figures->beyond += !error && outcome.reason == REASON_EGRESS_BEYOND;
	if (!error && agrees(&all, &outcome, port, packet->frame, packet->length))
		return;
	if (!error && card->limited && lacks_room(&outcome, packet->frame, packet->length)) {
		figures->full++;
		return;
	}
	if (figures->unequal++ < SHOWN)
		show(packet, &all, &outcome, error);
}

static void try_packets(struct card_object *card, const struct world_fib *tables, __u64 seed,
			struct figures *figures)
{
	static struct packet_drawn packet;
	struct packets *packets = packets_new(tables->world, seed);
	void *user;

	if (!packets || runner_user.open(tables->store, tables->ports, &user))
		exit(1);
	if (card_object_feed(card, tables->store))
		exit(1);
	for (int i = 0; i < PACKETS; i++) {
		__u16 port;

		packets_next(packets, &packet);
		port = tables->port[packet.port - tables->world->interface];
		if (port != WORLD_FIB_NO_PORT && packet.length >= 14 && packet.length <= CARD_OBJECT_LONGEST)
			try_packet(card, user, port, &packet, figures);
	}
	runner_user.close(user);
	packets_free(packets);
}

static int run_world(const char *path, const struct card_sizes *sizes, bool limited, __u64 seed,
		     struct figures *figures)
{
	const struct world_options options = {
		.ports = 2 + seed % 2, .sub_interfaces = 12, .vrfs = 2, .routes = 1000
	};
	const struct fib_limits limits = { .node_chunks = 1 << 17, .run_cells = 1 << 20 };
	struct world *world = world_random(seed, &options);
	struct world_fib *tables = NULL;
	struct card_object card = { .sizes = *sizes, .limited = limited };
	int error;

	if (!world)
		return -ENOMEM;
	error = world_fib_new(world, seed, &limits, false, &tables);
	if (!error)
		error = card_object_open(&card, path, tables->store, tables->ports);
	if (!error)
		try_packets(&card, tables, seed, figures);
	card_object_close(&card);
	world_fib_free(tables);
	world_free(world);
	return error;
}

// The outcome that is written.
static void written(const struct vector *vector, struct runner_outcome *ret)
{
	bool forwards = vector->action == ACTION_FORWARD;

	ret->action = vector->action;
	ret->reason = vector->reason;
	ret->length = forwards ? vector->out_length : vector->in_length;
	memcpy(ret->frame, forwards ? vector->out_frame : vector->in_frame, ret->length);
}

static __s32 port_of(const struct world_fib *tables, const char *name)
{
	const struct world_interface *port = world_text_interface(tables->world, name);

	return port ? tables->port[port->ifindex - WORLD_FIRST_IFINDEX] : WORLD_FIB_NO_PORT;
}

static void try_vector(struct card_object *card, const struct world_fib *tables, const struct vector *vector,
		       struct figures *figures)
{
	static struct runner_outcome all, outcome;
	__s32 in = port_of(tables, vector->in);
	int error;

	if (vector->in_length > CARD_OBJECT_LONGEST)
		return;
	written(vector, &all);
	all.port = vector->action == ACTION_FORWARD ? port_of(tables, vector->out) : -1;
	if (in == WORLD_FIB_NO_PORT) {
		printf("%s: %s is not a port\n", vector->name, vector->in);
		figures->unequal++;
		return;
	}
	error = card_object_run(card, in, vector->in_frame, vector->in_length, &outcome);
	figures->packets++;
	figures->sent += !error && outcome.action == ACTION_FORWARD;
	figures->beyond += !error && outcome.reason == REASON_EGRESS_BEYOND;
	if (!error && agrees(&all, &outcome, in, vector->in_frame, vector->in_length))
		return;
	figures->unequal++;
	printf("%s: action %u, reason %u; it is written: %u, %u\n", vector->name, outcome.action,
	       outcome.reason, vector->action, vector->reason);
	decode_print(stdout, "in", vector->in_frame, vector->in_length);
	decode_print(stdout, "out", outcome.frame, outcome.length);
}

static int run_vectors(const char *path, const char *world_path, char *files[], int count,
		       struct figures *figures)
{
	const struct fib_limits limits = { .node_chunks = 1 << 16, .run_cells = 1 << 20 };
	struct world *world = world_text_read(world_path);
	struct world_fib *tables = NULL;
	struct card_object card = { .sizes = card_object_whole };
	static struct vector vector;
	int error = world ? world_fib_new(world, 1, &limits, false, &tables) : -EINVAL;

	if (!error)
		error = card_object_open(&card, path, tables->store, tables->ports);
	if (!error)
		error = card_object_feed(&card, tables->store);
	for (int i = 0; i < count && !error; i++) {
		struct vector_file *file = vector_open(files[i]);
		int more = -EINVAL;

		while (file && (more = vector_next(file, &vector)) > 0)
			try_vector(&card, tables, &vector, figures);
		if (file)
			vector_close(file);
		error = more;
	}
	card_object_close(&card);
	world_fib_free(tables);
	world_free(world);
	return error;
}

static int run_worlds(const char *path, const struct card_sizes *sizes, bool limited, struct figures *figures)
{
	int error = 0;

	for (__u64 seed = SEED; seed < SEED + WORLDS && !error; seed++)
		error = run_world(path, sizes, limited, seed, figures);
	return error;
}

int main(int argc, char *argv[])
{
	bool vectors = argc > 4 && strcmp(argv[2], "--vectors") == 0, limited = argc == 3;
	struct figures figures = { 0 };
	struct card_sizes sizes = card_object_whole;
	__u64 least;
	int error;

	if ((!vectors && argc != 2 && argc != 3) || (limited && card_sizes_fit(atoi(argv[2]), &sizes))) {
		fprintf(stderr, "usage: card CARD_OBJECT [ELEMENTS | --vectors WORLD FILE...]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(NULL);
	error = vectors ? run_vectors(argv[1], argv[3], argv + 4, argc - 4, &figures)
			: run_worlds(argv[1], &sizes, limited, &figures);
	if (error == -EPERM) {
		printf("skipped: BPF is not permitted here\n");
		return EXIT_SKIP;
	}
	if (error) {
		printf("%s\n", strerror(-error));
		return 1;
	}
	printf("%llu packets: %llu sent by the port they came in by, %llu left to who reaches the others, "
	       "%llu without room, %llu unequal\n",
	       (unsigned long long)figures.packets, (unsigned long long)figures.sent,
	       (unsigned long long)figures.beyond, (unsigned long long)figures.full,
	       (unsigned long long)figures.unequal);
	least = vectors ? 1 : limited ? 100 : figures.packets / 50;
	if (figures.sent < least || figures.beyond < least)
		printf("the test has become weak\n");
	return figures.unequal || figures.sent < least || figures.beyond < least;
}
