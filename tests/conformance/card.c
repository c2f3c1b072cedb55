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
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "host/engine/bake.h"
#include "host/fib/card.h"
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
#define PORTS     16
#define LONGEST   3000 // BPF_PROG_TEST_RUN takes no more in one buffer
#define SHOWN     8
#define EXIT_SKIP 77

struct test_card {
	struct bpf_object *object[PORTS];
	struct image_counter *counters;
	__u32 ports;
	struct card_sizes sizes;
	bool limited; // there may be too little room
};

struct figures {
	__u64 packets, sent, beyond, full, unequal;
};

#define COUNTERS_SIZE (REASON_MAX * sizeof(struct image_counter))

static int write_element(void *arg, enum card_map map, __u32 index, const void *value)
{
	const struct test_card *card = arg;
	struct bpf_map *to = bpf_object__find_map_by_name(card->object[0], card_map_names[map]);

	return bpf_map_update_elem(bpf_map__fd(to), &index, value, BPF_ANY) < 0 ? -errno : 0;
}

static int feed(struct test_card *card, const struct image_store *store)
{
	const struct card_writer writer = { .write = write_element, .arg = card };
	struct card *copy;
	int error = card_new(store, &card->sizes, &writer, 0, &copy);

	if (error)
		return error;
	do
		error = card_pass(copy);
	while (error == 1);
	card_free(copy);
	return error;
}

static int prepare(struct test_card *card, const struct image_store *store, __u32 port)
{
	struct bpf_object *object = card->object[port];
	int error = bake_port(bpf_object__next_program(object, NULL), store, port);

	for (enum card_map table = 0; table < CARD_MAPS && !error; table++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, card_map_names[table]);

		if (!map)
			return -ENOENT;
		if (port) {
			struct bpf_map *first =
				bpf_object__find_map_by_name(card->object[0], card_map_names[table]);

			error = bpf_map__reuse_fd(map, bpf_map__fd(first));
			continue;
		}
		if (bpf_map__value_size(map) != card_value_sizes[table])
			return -EPROTO;
		if (table == CARD_COUNTERS)
			error = bpf_map__set_map_flags(map, BPF_F_MMAPABLE);
		if (!error)
			error = bpf_map__set_max_entries(map, card->sizes.entries[table]);
	}
	return error ? error : bpf_object__load(object);
}

static int map_counters(struct test_card *card)
{
	struct bpf_map *map = bpf_object__find_map_by_name(card->object[0], card_map_names[CARD_COUNTERS]);
	void *memory = mmap(NULL, COUNTERS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		return -errno;
	card->counters = memory;
	return 0;
}

static void card_close(struct test_card *card)
{
	if (card->counters)
		munmap(card->counters, COUNTERS_SIZE);
	for (__u32 port = 0; port < card->ports; port++)
		bpf_object__close(card->object[port]);
}

static int card_open(struct test_card *card, const char *path, const struct image_store *store, __u32 ports)
{
	int error = ports > PORTS ? -E2BIG : 0;

	for (__u32 port = 0; port < ports && !error; port++) {
		card->object[port] = bpf_object__open_file(path, NULL);
		if (!card->object[port])
			return -errno;
		card->ports++;
		error = prepare(card, store, port);
	}
	return error ? error : map_counters(card);
}

// The reason that was counted since the counters were cleared; counts must be those of one frame.
static __u8 counted_reason(const struct test_card *card, __u32 bytes)
{
	const struct image_counter *counters = card->counters;
	__u8 reason = RUNNER_UNKNOWN;

	for (int i = 0; i < REASON_MAX; i++)
		if (counters[i].packets) {
			if (reason != RUNNER_UNKNOWN || counters[i].packets != 1 ||
			    counters[i].bytes != bytes)
				return RUNNER_UNKNOWN;
			reason = i;
		}
	return reason;
}

static int card_run(struct test_card *card, __u16 port, const __u8 *frame, __u32 length,
		    struct runner_outcome *ret_outcome)
{
	struct bpf_program *program = bpf_object__next_program(card->object[port], NULL);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
		    .data_out = ret_outcome->frame, .data_size_out = RUNNER_FRAME, .repeat = 1);

	memset(card->counters, 0, COUNTERS_SIZE);
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) < 0)
		return -errno;
	ret_outcome->length = options.data_size_out;
	ret_outcome->reason = counted_reason(card, options.data_size_out);
	ret_outcome->port = options.retval == XDP_TX ? port : -1;
	switch (options.retval) {
	case XDP_TX:
		ret_outcome->action = ACTION_FORWARD;
		return 0;
	case XDP_PASS:
		ret_outcome->action = ACTION_PUNT;
		return 0;
	case XDP_DROP:
		ret_outcome->action = ACTION_DROP;
		return 0;
	default:
		return -EPROTO;
	}
}

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

static void try_packet(struct test_card *card, void *user, __u16 port, const struct packet_drawn *packet,
		       struct figures *figures)
{
	static struct runner_outcome all, outcome;
	int error;

	runner_user.run(user, port, packet->frame, packet->length, &all);
	error = card_run(card, port, packet->frame, packet->length, &outcome);
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

static void try_packets(struct test_card *card, const struct world_fib *tables, __u64 seed,
			struct figures *figures)
{
	static struct packet_drawn packet;
	struct packets *packets = packets_new(tables->world, seed);
	void *user;

	if (!packets || runner_user.open(tables->store, tables->ports, &user))
		exit(1);
	if (feed(card, tables->store))
		exit(1);
	for (int i = 0; i < PACKETS; i++) {
		__u16 port;

		packets_next(packets, &packet);
		port = tables->port[packet.port - tables->world->interface];
		if (port != WORLD_FIB_NO_PORT && packet.length >= 14 && packet.length <= LONGEST)
			try_packet(card, user, port, &packet, figures);
	}
	runner_user.close(user);
	packets_free(packets);
}

// Room for all of an image.
static const struct card_sizes whole = { .entries = { [CARD_NODE] = 1 << 20,
						      [CARD_RUN] = 1 << 19,
						      [CARD_CONTROL] = 1,
						      [CARD_VRF] = 2 * IMAGE_VRFS,
						      [CARD_INTERFACE] = IMAGE_INTERFACES,
						      [CARD_OWN] = IMAGE_OWN,
						      [CARD_HOP] = IMAGE_NEXTHOPS,
						      [CARD_VLAN] = IMAGE_VLAN_TABLES * 4096,
						      [CARD_BUCKET] = IMAGE_BUCKETS + 1,
						      [CARD_COUNTERS] = REASON_MAX } };

static int run_world(const char *path, const struct card_sizes *sizes, bool limited, __u64 seed,
		     struct figures *figures)
{
	const struct world_options options = {
		.ports = 2 + seed % 2, .sub_interfaces = 12, .vrfs = 2, .routes = 1000
	};
	const struct fib_limits limits = { .node_chunks = 1 << 17, .run_cells = 1 << 20 };
	struct world *world = world_random(seed, &options);
	struct world_fib *tables = NULL;
	struct test_card card = { .sizes = *sizes, .limited = limited };
	int error;

	if (!world)
		return -ENOMEM;
	error = world_fib_new(world, seed, &limits, false, &tables);
	if (!error)
		error = card_open(&card, path, tables->store, tables->ports);
	if (!error)
		try_packets(&card, tables, seed, figures);
	card_close(&card);
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

static void try_vector(struct test_card *card, const struct world_fib *tables, const struct vector *vector,
		       struct figures *figures)
{
	static struct runner_outcome all, outcome;
	__s32 in = port_of(tables, vector->in);
	int error;

	if (vector->in_length > LONGEST)
		return;
	written(vector, &all);
	all.port = vector->action == ACTION_FORWARD ? port_of(tables, vector->out) : -1;
	if (in == WORLD_FIB_NO_PORT) {
		printf("%s: %s is not a port\n", vector->name, vector->in);
		figures->unequal++;
		return;
	}
	error = card_run(card, in, vector->in_frame, vector->in_length, &outcome);
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
	struct test_card card = { .sizes = whole };
	static struct vector vector;
	int error = world ? world_fib_new(world, 1, &limits, false, &tables) : -EINVAL;

	if (!error)
		error = card_open(&card, path, tables->store, tables->ports);
	if (!error)
		error = feed(&card, tables->store);
	for (int i = 0; i < count && !error; i++) {
		struct vector_file *file = vector_open(files[i]);
		int more = -EINVAL;

		while (file && (more = vector_next(file, &vector)) > 0)
			try_vector(&card, tables, &vector, figures);
		if (file)
			vector_close(file);
		error = more;
	}
	card_close(&card);
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
	struct card_sizes sizes = whole;
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
