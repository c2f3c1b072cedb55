// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/twins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>

#include "tests/conformance/canonical.h"
#include "tests/conformance/decode.h"
#include "tests/oracle/lpm.h"
#include "tests/oracle/router.h"

#define HISTORY   256  // packets remembered, to find what a frame came from
#define PATIENCE  500  // milliseconds to wait for what is missing...
#define HURRY     20   // ... and once something has been missing
#define RESOLVING 5000 // milliseconds until the kernel has given a neighbour up
#define SHOWN     8    // differences printed
#define BIT(name) (1ull << REASON_##name)

struct sent {
	struct packet_drawn packet;
	__u64 key;
	__u64 forbids, excuses;
	bool open;      // must still come out of the kernel's router
	bool forwarded; // came out of it, in whatever form
};

struct heap_frame {
	__u64 hash;
	struct capture_frame frame;
	const char *kind; // of the packet it came from, NULL: not known
};

struct heap {
	struct heap_frame *frame;
	__u32 count, room;
};

struct twins {
	const struct world *world;
	struct capture *capture[2];
	struct canonical *canonical[2];
	struct heap heap[2]; // what has come out of one and not, yet, of the other
	struct sent *history;
	__u64 judged;      // packets up to this number have been judged
	struct lpm *flows; // flow and VRF to the member it goes to
	struct twins_figures figures;
	__u32 shown;
};

static const char *const names[] = { "kernel", "subject" };

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static __u64 hash_frame(const struct capture_frame *frame)
{
	__u64 hash = 14695981039346656037u ^ frame->port;

	for (__u32 i = 0; i < frame->length; i++)
		hash = (hash ^ frame->bytes[i]) * 1099511628211u;
	return hash;
}

static void heap_add(struct heap *heap, const struct capture_frame *frame, const char *kind)
{
	if (heap->count == heap->room) {
		heap->room = heap->room ? heap->room * 2 : 256;
		heap->frame = realloc(heap->frame, heap->room * sizeof(*heap->frame));
		if (!heap->frame)
			abort();
	}
	heap->frame[heap->count++] = (struct heap_frame){ hash_frame(frame), *frame, kind };
}

static void heap_clear(struct heap *heap)
{
	for (__u32 i = 0; i < heap->count; i++)
		free(heap->frame[i].frame.bytes);
	heap->count = 0;
}

static int order(const void *a, const void *b)
{
	const struct heap_frame *one = a, *two = b;

	return one->hash < two->hash ? -1 : one->hash > two->hash;
}

// Takes out of both heaps what is in both.
static void cancel(struct heap heap[2])
{
	__u32 at[2] = { 0, 0 }, kept[2] = { 0, 0 };

	for (int side = 0; side < 2; side++)
		qsort(heap[side].frame, heap[side].count, sizeof(*heap[side].frame), order);
	while (at[0] < heap[0].count || at[1] < heap[1].count) {
		struct heap_frame *one = at[0] < heap[0].count ? &heap[0].frame[at[0]] : NULL;
		struct heap_frame *two = at[1] < heap[1].count ? &heap[1].frame[at[1]] : NULL;

		if (one && two && one->hash == two->hash) {
			free(one->frame.bytes);
			free(two->frame.bytes);
			at[0]++;
			at[1]++;
		} else {
			int side = !one || (two && two->hash < one->hash);

			heap[side].frame[kept[side]++] = heap[side].frame[at[side]++];
		}
	}
	heap[0].count = kept[0];
	heap[1].count = kept[1];
}

/* --- what a frame came from --- */

static struct sent *find_sent(struct twins *twins, __u64 key)
{
	__u64 count = twins->figures.sent;

	for (__u64 i = 0; i < HISTORY && i < count && key; i++) {
		struct sent *sent = &twins->history[(count - 1 - i) % HISTORY];

		if (sent->key == key)
			return sent;
	}
	return NULL;
}

// The flow must go where its first packet went.
static void check_flow(struct twins *twins, const struct sent *sent, const struct router_answer *answer,
		       int member)
{
	const struct router_member *way = &answer->member[member];
	__u8 key[16] = { 0 };
	__u32 port = sent->packet.port->ifindex, value, before;

	value = way->mac[5] | way->mac[4] << 8 | way->mac[3] << 16 | way->out->ifindex << 24;
	memcpy(key, &answer->flow, 4);
	memcpy(key + 4, &port, 4);
	memcpy(key + 8, sent->packet.frame + 12, 8); // the tags
	if (!lpm_find(twins->flows, key, 128, &before))
		lpm_insert(twins->flows, key, 128, value);
	else if (before != value)
		twins->figures.strayed++;
}

// Notes that a packet came out; several paths look like the first.
static void trace(struct twins *twins, int side, struct sent *sent, struct capture_frame *frame)
{
	const struct world_interface *port = &twins->world->interface[frame->port];
	__u8 first[ROUTER_FRAME];
	struct router_answer answer;
	int member;

	if (side == KERNEL)
		sent->forwarded = true;
	if (sent->forbids)
		return;
	router_answer(twins->world, sent->packet.port, sent->packet.frame, sent->packet.length, &answer);
	member = router_member(twins->world, &answer, port, frame->bytes, frame->length);
	if (member < 0)
		return;
	if (side == KERNEL)
		sent->open = false;
	else if (!sent->excuses && answer.member_count > 1)
		check_flow(twins, sent, &answer, member);
	if (answer.member_count > 1) {
		frame->length = router_frame(twins->world, &answer, 0, first);
		frame->bytes = realloc(frame->bytes, frame->length);
		if (!frame->bytes)
			abort();
		memcpy(frame->bytes, first, frame->length);
		frame->port = world_port(twins->world, answer.member[0].out)->ifindex - WORLD_FIRST_IFINDEX;
	}
}

static bool collect(struct twins *twins, int side)
{
	struct capture_frame frame;
	bool any = false;

	while (capture_take(twins->capture[side], &frame)) {
		struct sent *sent = find_sent(twins, canonical_key(frame.bytes, frame.length));

		any = true;
		if (!canonical_frame(twins->canonical[side], &frame, sent)) {
			free(frame.bytes);
			continue;
		}
		twins->figures.frames += side == KERNEL;
		if (sent)
			trace(twins, side, sent, &frame);
		heap_add(&twins->heap[side], &frame, sent ? sent->packet.kind : NULL);
	}
	return any;
}

static bool anything_open(const struct twins *twins)
{
	if (twins->heap[KERNEL].count || twins->heap[SUBJECT].count)
		return true;
	for (__u64 i = twins->judged; i < twins->figures.sent; i++)
		if (twins->history[i % HISTORY].open)
			return true;
	return false;
}

/* --- judgement --- */

// The packet that an unexplained frame may have come from: the last one from or to the frame's addresses.
static const struct sent *guess(const struct twins *twins, const struct capture_frame *frame)
{
	__u32 count = twins->figures.sent < HISTORY ? twins->figures.sent : HISTORY;

	for (__u32 i = 0; i < count && frame->length >= 54; i++) {
		const struct sent *sent = &twins->history[(twins->figures.sent - 1 - i) % HISTORY];
		const __u8 *mark = sent->packet.frame + 26; // IPv4 source, or the middle of an IPv6 source

		if (sent->packet.length >= 34 && memmem(frame->bytes + 26, frame->length - 26, mark, 4))
			return sent;
	}
	return NULL;
}

static void show_packet(const struct sent *sent)
{
	char title[96];

	snprintf(title, sizeof(title), "packet %llu (%s) into %s", (unsigned long long)sent->packet.number,
		 sent->packet.kind, sent->packet.port->name);
	decode_print(stdout, title, sent->packet.frame, sent->packet.length);
	printf("    naive router: %s", sent->forbids ? "" : "forwards");
	if (sent->forbids)
		printf("must not be forwarded: %s", router_reasons(sent->forbids));
	if (sent->excuses)
		printf("; may be left to Linux: %s", router_reasons(sent->excuses));
	printf("\n");
}

static void judge_frames(struct twins *twins)
{
	for (int side = 0; side < 2; side++) {
		twins->figures.differences += twins->heap[side].count;
		for (__u32 i = 0; i < twins->heap[side].count && twins->shown < SHOWN; i++, twins->shown++) {
			const struct capture_frame *frame = &twins->heap[side].frame[i].frame;
			const struct sent *sent =
				find_sent(twins, canonical_key(frame->bytes, frame->length));
			char title[64];

			printf("difference: only the %s sent this\n", names[side]);
			snprintf(title, sizeof(title), "%s, out of w%u", names[side], frame->port);
			decode_print(stdout, title, frame->bytes, frame->length);
			if (!sent)
				sent = guess(twins, frame);
			if (sent)
				show_packet(sent);
		}
		heap_clear(&twins->heap[side]);
	}
}

// Linux forwards these, and does something more; or picks a path that the naive router leaves out.
static bool may_come_out(const struct sent *sent)
{
	return !sent->forbids || (sent->forbids | sent->excuses) & (BIT(SAME_INTERFACE) | BIT(OPTIONS));
}

static void judge_oracle(struct twins *twins)
{
	for (; twins->judged < twins->figures.sent; twins->judged++) {
		const struct sent *sent = &twins->history[twins->judged % HISTORY];

		if (twins->world->odd || (!sent->open && (!sent->forwarded || may_come_out(sent))))
			continue;
		twins->figures.unfaithful++;
		if (twins->shown++ >= SHOWN)
			continue;
		printf("the naive router is wrong: Linux %s this\n",
		       sent->open ? "did not forward (exactly so)" : "forwarded");
		show_packet(sent);
	}
}

int twins_new(const struct world *world, const struct netns ends[2], struct twins **ret_twins)
{
	struct twins *twins = calloc(1, sizeof(*twins));
	int error = 0;

	if (!twins)
		return -ENOMEM;
	twins->world = world;
	twins->history = calloc(HISTORY, sizeof(*twins->history));
	twins->flows = lpm_new(128);
	for (int side = 0; side < 2 && !error; side++) {
		twins->canonical[side] = canonical_new(world);
		error = capture_new(world, &ends[side], &twins->capture[side]);
	}
	if (!error && (!twins->history || !twins->flows || !twins->canonical[0] || !twins->canonical[1]))
		error = -ENOMEM;
	if (error)
		twins_free(twins);
	else
		*ret_twins = twins;
	return error;
}

void twins_free(struct twins *twins)
{
	if (!twins)
		return;
	for (int side = 0; side < 2; side++) {
		capture_free(twins->capture[side]);
		canonical_free(twins->canonical[side]);
		heap_clear(&twins->heap[side]);
		free(twins->heap[side].frame);
	}
	lpm_free(twins->flows);
	free(twins->history);
	free(twins);
}

// Packets whose fate cannot be compared: the neighbour is not known, so that answers come with timers; or
// some of several paths do not carry it, and the two may choose differently.
static bool incomparable(const struct router_answer *answer)
{
	const __u64 paths = BIT(SAME_INTERFACE) | BIT(TOO_BIG) | BIT(NEIGHBOUR);

	return answer->forbids & BIT(NEIGHBOUR) ||
	       (!answer->forbids && answer->path_count > 1 && answer->excuses & paths);
}

// Sends into both, and notes what the naive router says.
static void send_both(struct twins *twins, const struct packet_drawn *packet,
		      const struct router_answer *answer)
{
	struct sent *sent = &twins->history[twins->figures.sent % HISTORY];

	for (int side = 0; side < 2; side++)
		if (capture_send(twins->capture[side], packet->port->ifindex - WORLD_FIRST_IFINDEX,
				 packet->frame, packet->length, twins->world->beside) < 0) {
			twins->figures.skipped++; // too long for the device: the same on both sides
			return;
		}
	sent->packet = *packet;
	sent->key = canonical_key(packet->frame, packet->length);
	sent->forbids = answer->forbids;
	sent->excuses = answer->excuses;
	sent->open = !answer->forbids && !twins->world->odd;
	sent->forwarded = false;
	twins->figures.sent++;
	twins->figures.plain += !(answer->forbids | answer->excuses) && !twins->world->odd;
}

// Whether either had something.
static bool collect_both(struct twins *twins)
{
	bool kernel = collect(twins, KERNEL), subject = collect(twins, SUBJECT);

	return kernel || subject;
}

static void settle(struct twins *twins, __u64 patience)
{
	__u64 last = now_ms();

	for (;;) {
		bool any = collect_both(twins);

		cancel(twins->heap);
		if (!anything_open(twins))
			break;
		if (any)
			last = now_ms();
		else if (now_ms() - last > patience)
			break;
		capture_wait(twins->capture[KERNEL], 1);
		capture_wait(twins->capture[SUBJECT], 1);
	}
	judge_frames(twins);
	judge_oracle(twins);
}

void twins_send(struct twins *twins, const struct packet_drawn *packet)
{
	struct router_answer answer;

	router_answer(twins->world, packet->port, packet->frame, packet->length, &answer);
	if (packet->length < 14 || incomparable(&answer))
		twins->figures.skipped++;
	else
		send_both(twins, packet, &answer);
}

void twins_settle(struct twins *twins)
{
	settle(twins, twins->figures.differences || twins->figures.unfaithful ? HURRY : PATIENCE);
}

bool twins_send_unresolved(struct twins *twins, const struct packet_drawn *packet)
{
	struct router_answer answer;

	router_answer(twins->world, packet->port, packet->frame, packet->length, &answer);
	if (packet->length < 14 || answer.forbids != BIT(NEIGHBOUR))
		return false;
	send_both(twins, packet, &answer);
	return true;
}

void twins_settle_unresolved(struct twins *twins)
{
	__u64 until = now_ms() + RESOLVING;

	while (now_ms() < until)
		if (!collect_both(twins))
			capture_wait(twins->capture[KERNEL], 20);
	settle(twins, PATIENCE);
}

void twins_forget_flows(struct twins *twins)
{
	lpm_free(twins->flows);
	twins->flows = lpm_new(128);
	if (!twins->flows)
		abort();
}

const struct twins_figures *twins_figures(const struct twins *twins)
{
	return &twins->figures;
}

__u64 twins_lost(const struct twins *twins)
{
	return capture_lost(twins->capture[KERNEL]) + capture_lost(twins->capture[SUBJECT]);
}
