// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Bursts against the program run on one packet at a time, in drawn worlds with all kinds of packets.

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/burst.h"
#include "host/engine/user_program.h"
#include "tests/conformance/world_fib.h"
#include "tests/oracle/packets.h"

#define HEADROOM 16
#define PORTS    4
#define PACKETS  40000
#define WORLDS   4

struct buffer {
	__u8 bytes[HEADROOM + DRAFT_FRAME];
	__u32 length;
};

// What waits at one port, and what becomes of it.
struct queue {
	__u16 port;
	unsigned int most; // before the next turn
	unsigned int count;
	struct buffer in[BURST_MOST], out[BURST_MOST];
	unsigned int handed;    // frames handed on so far
	__u64 reshaped;         // by place in the burst
	bool known[BURST_MOST]; // by place in the burst
	struct verdict verdict[BURST_MOST];
};

static struct image_counters counters[IMAGE_PORTS], expected[IMAGE_PORTS];
static bool reach[IMAGE_PORTS]; // of every second world; the others reach all ports

static unsigned int receive(void *arg, struct burst_frame *ret, void **ret_handle)
{
	struct queue *queue = arg;

	for (unsigned int i = 0; i < queue->count; i++) {
		queue->out[i] = queue->in[i];
		ret[i] = (struct burst_frame){ .data = queue->out[i].bytes + HEADROOM,
					       .length = queue->in[i].length,
					       .headroom = HEADROOM,
					       .handle = &queue->out[i] };
		cr_assert_eq(ret_handle[i], &ret[i]);
	}
	return queue->count;
}

// The frame is what the program makes of it alone.
static void check(struct queue *queue, const struct burst_frame *frame)
{
	struct buffer *out = frame->handle;
	unsigned int place = out - queue->out;

	cr_assert_not(queue->known[place], "frame %u was handed on twice", place);
	queue->known[place] = true;
	queue->verdict[place] = frame->verdict;
	queue->handed++;
	cr_assert_eq(frame->data - frame->headroom, out->bytes);
	memmove(out->bytes, frame->data, frame->length);
	out->length = frame->length;
}

static void reshape(void *arg, void *handle, const struct burst_frame *frame)
{
	struct queue *queue = arg;

	cr_assert_eq(handle, frame);
	queue->reshaped |= 1ull << ((struct buffer *)frame->handle - queue->out);
}

static void hand_on(struct queue *queue, enum action action, void **handle, unsigned int count)
{
	struct burst_frame **frame = (struct burst_frame **)handle;

	cr_assert_gt(count, 0);
	for (unsigned int i = 0; i < count; i++) {
		cr_assert_eq(frame[i]->verdict.action, action);
		cr_assert(i == 0 || frame[i]->handle > frame[i - 1]->handle, "frames changed places");
		check(queue, frame[i]);
		cr_assert_eq(queue->reshaped >> ((struct buffer *)frame[i]->handle - queue->out) & 1,
			     frame[i]->headroom != HEADROOM);
	}
}

static void punt(void *arg, void **handle, unsigned int count)
{
	hand_on(arg, ACTION_PUNT, handle, count);
}

static void drop(void *arg, void **handle, unsigned int count)
{
	hand_on(arg, ACTION_DROP, handle, count);
}

static void transmit(void *arg, __u16 port, void **handle, unsigned int count)
{
	struct burst_frame **frame = (struct burst_frame **)handle;

	for (unsigned int i = 0; i < count; i++)
		cr_assert_eq(frame[i]->verdict.port, port);
	hand_on(arg, ACTION_FORWARD, handle, count);
}

static const struct burst_io io = { receive, reshape, punt, drop, transmit };

static void compare_one(const struct image_store *store, const struct queue *queue, unsigned int place)
{
	struct buffer alone = queue->in[place];
	struct user_frame frame = { alone.bytes + HEADROOM, alone.length, HEADROOM };
	struct verdict verdict = user_program_run(store, queue->port, &frame);
	struct image_counter *counter;

	if (verdict.action == ACTION_FORWARD && !reach[verdict.port]) {
		verdict = (struct verdict){ ACTION_PUNT, REASON_EGRESS_BEYOND, 0 };
		alone = queue->in[place];
		frame = (struct user_frame){ alone.bytes + HEADROOM, alone.length, HEADROOM };
	} else if (queue->verdict[place].reason == REASON_EGRESS_BEYOND) {
		cr_assert(verdict.reason == REASON_SAME_INTERFACE || verdict.reason == REASON_TOO_BIG);
		verdict.reason = REASON_EGRESS_BEYOND;
	}
	counter = &expected[queue->port].reason[verdict.reason];
	counter->packets++;
	counter->bytes += frame.length;
	cr_assert_eq(verdict.action, queue->verdict[place].action);
	cr_assert_eq(verdict.reason, queue->verdict[place].reason);
	cr_assert(verdict.action != ACTION_FORWARD || verdict.port == queue->verdict[place].port);
	cr_assert_eq(frame.length, queue->out[place].length);
	cr_assert_arr_eq(frame.data, queue->out[place].bytes, frame.length);
}

static void turn(struct burst *burst, const struct image_store *store, struct queue *queue)
{
	memset(queue->known, 0, sizeof(queue->known));
	queue->handed = 0;
	queue->reshaped = 0;
	cr_assert_eq(burst_turn(burst, queue->port, &io, queue), queue->count);
	cr_assert_eq(queue->handed, queue->count);
	for (unsigned int i = 0; i < queue->count; i++)
		compare_one(store, queue, i);
	queue->count = 0;
}

static bool is_forwarded(const struct image_store *store, __u16 port, const struct packet_drawn *packet)
{
	struct buffer alone;
	struct user_frame frame = { alone.bytes + HEADROOM, packet->length, HEADROOM };

	memcpy(frame.data, packet->frame, packet->length);
	return user_program_run(store, port, &frame).action == ACTION_FORWARD;
}

// In the last world nothing else comes, so that bursts are whole.
static void run_world(__u64 seed)
{
	struct world_options options = { .ports = PORTS, .sub_interfaces = 6, .vrfs = 2, .routes = 1000 };
	struct world *world = world_random(seed, &options);
	struct queue *queues = calloc(PORTS, sizeof(*queues));
	struct packets *packets = packets_new(world, seed);
	struct packet_drawn packet;
	struct world_fib *tables;
	struct random random;
	struct burst *burst;

	cr_log_info("seed %llu", (unsigned long long)seed);
	random_seed(&random, seed);
	cr_assert_eq(world_fib_new(world, seed, NULL, false, &tables), 0);
	cr_assert_eq(burst_new(tables->store, counters, &burst), 0);
	for (unsigned int i = 0; i < IMAGE_PORTS; i++)
		reach[i] = seed % 2 ? i == 0 || i == 2 : true;
	burst_reach(burst, seed % 2 ? reach : NULL);
	for (int i = 0; i < PACKETS; i++) {
		__u16 port;

		packets_next(packets, &packet);
		port = tables->port[packet.port->ifindex - WORLD_FIRST_IFINDEX];
		if (port >= PORTS || (seed == WORLDS && !is_forwarded(tables->store, port, &packet)))
			continue;
		queues[port].port = port;
		queues[port].in[queues[port].count].length = packet.length;
		memcpy(queues[port].in[queues[port].count++].bytes + HEADROOM, packet.frame, packet.length);
		if (queues[port].count > queues[port].most) {
			turn(burst, tables->store, &queues[port]);
			queues[port].most = random_below(&random, BURST_MOST);
		}
	}
	burst_free(burst);
	world_fib_free(tables);
	packets_free(packets);
	world_free(world);
	free(queues);
}

Test(burst, does_what_the_program_does_alone)
{
	for (__u64 seed = 1; seed <= WORLDS; seed++)
		run_world(seed);
	cr_assert_arr_eq(counters, expected, sizeof(counters));
	cr_assert_gt(counters[0].reason[REASON_FORWARDED].packets, 0);
	cr_assert_gt(counters[0].reason[REASON_EGRESS_BEYOND].packets, 0);
}

Test(burst, of_nothing)
{
	struct queue queue = { .count = 0 };
	struct image_store *store;
	struct burst *burst;

	cr_assert_eq(image_store_memory(NULL, &store), 0);
	cr_assert_eq(burst_new(store, counters, &burst), 0);
	cr_assert_eq(burst_turn(burst, 0, &io, &queue), 0);
	burst_free(burst);
	image_store_free(store);
}
