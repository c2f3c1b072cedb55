// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Two AF_XDP sockets at the ends of a veth over one memory, under random use: every frame is always in
// exactly one place, which is where the books say it is, and what was sent arrives.

#include "host/engine/afxdp_socket.h"

#include <criterion/criterion.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENDS  2
#define STEPS 4000
#define SEED  20260717u
#define SIZE  60

static struct afxdp_frames *frames;
static struct afxdp_cache cache;
static struct afxdp_socket *ends[ENDS];
static struct why why;
static unsigned int state = SEED;
static unsigned long sent, received;
// by frame: how many places it was found in
static unsigned char *places;
// frames that are kept back, so that others get scarce
static __u32 held[1u << 16], held_count;

static unsigned int random_below(unsigned int limit)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % limit;
}

// All frames of the device to its socket.
static void redirect(const char *name, struct afxdp_socket *socket)
{
	__u32 key = 0, fd = (__u32)socket->fd;
	int map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "sockets", 4, 4, 1, NULL);
	const struct bpf_insn program[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program_fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "to_socket", "GPL", program,
				       sizeof(program) / sizeof(program[0]), NULL);

	cr_assert_geq(program_fd, 0);
	cr_assert_eq(bpf_map_update_elem(map, &key, &fd, BPF_ANY), 0);
	cr_assert_eq(bpf_xdp_attach((int)if_nametoindex(name), program_fd, XDP_FLAGS_DRV_MODE, NULL), 0);
}

static void set_up(__u32 count)
{
	static const char *const names[ENDS] = { "a0", "b0" };

	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	cr_assert_eq(system("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 && ip link add a0 type veth "
			    "peer name b0 && "
			    "ip link set a0 up && ip link set b0 up"),
		     0);
	cr_assert_eq(afxdp_frames_new(count, &frames), 0);
	places = calloc(count, 1);
	for (__u16 i = 0; i < ENDS; i++) {
		struct afxdp_socket_options options = { .interface = names[i], .id = i };

		cr_assert_eq(afxdp_socket_open(frames, &options, &ends[i], &why), 0, "%s", why.text);
		cr_expect_not(ends[i]->zero_copy);
		redirect(names[i], ends[i]);
	}
}

// --- where the frames are ---

static void found(__u64 address, __u16 owner)
{
	__u32 frame = (__u32)(address / AFXDP_FRAME);

	cr_assert_lt(frame, frames->count);
	cr_assert_eq(places[frame]++, 0, "frame %u is in two places", frame);
	cr_assert_eq(frames->owner[frame], owner, "frame %u belongs to %u, not %u", frame,
		     frames->owner[frame], owner);
}

// The entries that one side has written and the other not yet read.
static __u32 walk_addresses(const void *ring, __u32 mask, const __u32 *producer, const __u32 *consumer,
			    __u16 owner)
{
	__u32 begin = __atomic_load_n(consumer, __ATOMIC_ACQUIRE);
	__u32 end = __atomic_load_n(producer, __ATOMIC_ACQUIRE);

	for (__u32 i = begin; i != end; i++)
		found(((const __u64 *)ring)[i & mask], owner);
	return end - begin;
}

static __u32 walk_descriptors(const void *ring, __u32 mask, const __u32 *producer, const __u32 *consumer,
			      __u16 owner)
{
	__u32 begin = __atomic_load_n(consumer, __ATOMIC_ACQUIRE);
	__u32 end = __atomic_load_n(producer, __ATOMIC_ACQUIRE);

	for (__u32 i = begin; i != end; i++)
		found(((const struct xdp_desc *)ring)[i & mask].addr, owner);
	return end - begin;
}

// free + fill + rx + tx + completion + what the kernel holds = all; the kernel runs in our own calls here.
static void audit(void)
{
	__u32 sum = frames->free_count + cache.count + held_count;

	memset(places, 0, frames->count);
	for (__u32 i = 0; i < frames->free_count; i++)
		found((__u64)frames->free[i] * AFXDP_FRAME, AFXDP_FREE);
	for (__u32 i = 0; i < cache.count; i++)
		found((__u64)cache.frame[i] * AFXDP_FRAME, AFXDP_FREE);
	for (__u32 i = 0; i < held_count; i++)
		found((__u64)held[i] * AFXDP_FRAME, AFXDP_FREE);
	for (int i = 0; i < ENDS; i++) {
		struct afxdp_socket *end = ends[i];
		__u32 in, out;

		in = walk_addresses(end->fill.ring, end->fill.mask, end->fill.producer, end->fill.consumer,
				    end->receive_owner);
		in += walk_descriptors(end->rx.ring, end->rx.mask, end->rx.producer, end->rx.consumer,
				       end->receive_owner);
		out = walk_descriptors(end->tx.ring, end->tx.mask, end->tx.producer, end->tx.consumer,
				       end->send_owner);
		out += walk_addresses(end->completion.ring, end->completion.mask, end->completion.producer,
				      end->completion.consumer, end->send_owner);
		cr_assert_leq(in, end->receiving);
		cr_assert_leq(out, end->sending);
		cr_assert(afxdp_socket_is_sound(end));
		sum += end->receiving + end->sending;
	}
	cr_assert_eq(sum, frames->count, "%u frames of %u", sum, frames->count);
}

// --- random use ---

static void make_frame(struct burst_frame *frame, __u32 number)
{
	frame->data = frames->area + (size_t)number * AFXDP_FRAME + 256 - random_below(3) * 4;
	frame->length = SIZE;
	frame->handle = (void *)(unsigned long)number;
	memset(frame->data, 0xff, 12);
	memset(frame->data + 12, (int)(sent & 0x7f), SIZE - 12);
	frame->data[12] = 0x88; // an ethertype for experiments
	frame->data[13] = 0xb5;
}

static void send_some(struct afxdp_socket *end)
{
	struct burst_frame frame[BURST_MOST], *list[BURST_MOST];
	__u32 count = afxdp_cache_ready(&cache, frames, 1 + random_below(BURST_MOST));
	__u64 full = end->counts.ring_full;

	for (__u32 i = 0; i < count; i++) {
		make_frame(&frame[i], cache.frame[--cache.count]);
		list[i] = &frame[i];
		sent++;
	}
	afxdp_socket_send(end, &cache, list, count);
	sent -= end->counts.ring_full - full;
}

// Takes what is there; some go out by the other end again.
static unsigned int receive_some(int which)
{
	struct burst_frame frame[BURST_MOST], *list[BURST_MOST];
	unsigned int count = afxdp_socket_receive(ends[which], &cache, frame);
	unsigned int on = count ? random_below(count + 1) : 0;

	received += count;
	for (unsigned int i = 0; i < count; i++) {
		cr_assert_eq(frame[i].length, SIZE);
		for (int k = 15; k < SIZE; k++)
			cr_assert_eq(frame[i].data[k], frame[i].data[14], "a frame was written to meanwhile");
		list[i] = &frame[i];
	}
	if (on && which == 0 && sent < 1000000) {
		__u64 full = ends[1]->counts.ring_full;

		afxdp_socket_send(ends[1], &cache, list, on);
		sent += on - (ends[1]->counts.ring_full - full);
	} else {
		on = 0;
	}
	for (unsigned int i = on; i < count; i++)
		afxdp_cache_put(&cache, frames, (__u32)(unsigned long)frame[i].handle);
	return count;
}

static void hold_some(void)
{
	if (held_count) {
		while (held_count)
			afxdp_cache_put(&cache, frames, held[--held_count]);
		return;
	}
	for (int i = 0; i < 20; i++) {
		__u32 count = afxdp_cache_ready(&cache, frames, AFXDP_CACHE_BATCH);

		while (count--)
			held[held_count++] = cache.frame[--cache.count];
	}
}

static void step(void)
{
	int which = (int)random_below(ENDS);

	switch (random_below(8)) {
	case 0:
	case 1:
	case 2:
		send_some(ends[which]);
		break;
	case 3:
	case 4:
		(void)afxdp_socket_kick(ends[which]);
		break;
	case 5:
		afxdp_socket_complete(ends[which], &cache);
		break;
	case 6:
		(void)receive_some(which);
		break;
	default:
		if (random_below(20) == 0)
			hold_some();
	}
}

static void settle(void)
{
	unsigned int idle = 0;

	while (held_count)
		afxdp_cache_put(&cache, frames, held[--held_count]);
	while (idle < 20) {
		unsigned int count = 0;

		for (int i = 0; i < ENDS; i++) {
			struct burst_frame frame[BURST_MOST];
			unsigned int some = afxdp_socket_receive(ends[i], &cache, frame);

			for (unsigned int k = 0; k < some; k++)
				afxdp_cache_put(&cache, frames, (__u32)(unsigned long)frame[k].handle);
			received += some;
			count += some + !afxdp_socket_kick(ends[i]);
			afxdp_socket_complete(ends[i], &cache);
			count += afxdp_socket_is_sending(ends[i]);
		}
		idle = count ? 0 : idle + 1;
		usleep(1000);
	}
}

static unsigned long dropped(void)
{
	unsigned long sum = 0;

	for (int i = 0; i < ENDS; i++) {
		struct xdp_statistics statistics;

		cr_assert_eq(afxdp_socket_statistics(ends[i], &statistics), 0);
		cr_assert_eq(statistics.rx_invalid_descs + statistics.tx_invalid_descs, 0);
		sum += statistics.rx_dropped + statistics.rx_ring_full + statistics.rx_fill_ring_empty_descs;
	}
	return sum;
}

static void run(__u32 count)
{
	set_up(count);
	printf("seed %u\n", state);
	audit();
	for (int i = 0; i < STEPS; i++) {
		step();
		audit();
	}
	settle();
	audit();
	cr_expect_gt(received, STEPS);
	cr_expect_leq(received, sent);
	cr_expect(received == sent || dropped() > 0, "%lu sent, %lu received, and no loss is told", sent,
		  received);
	cr_expect_eq(ends[0]->sending + ends[1]->sending, 0);
	for (int i = 0; i < ENDS; i++) {
		__u16 receive_owner = ends[i]->receive_owner, send_owner = ends[i]->send_owner;
		__u32 in = ends[i]->receiving;

		afxdp_socket_close(ends[i]);
		cr_expect_eq(afxdp_frames_reclaim(frames, receive_owner), in);
		cr_expect_eq(afxdp_frames_reclaim(frames, send_owner), 0);
	}
	afxdp_cache_spill(&cache, frames, AFXDP_CACHE);
	cr_expect_eq(frames->free_count, count, "all frames are back");
	afxdp_frames_free(frames);
	free(places);
}

Test(afxdp_socket, every_frame_has_its_place)
{
	run(16384);
}

// Fewer frames than the sockets would like to hold.
Test(afxdp_socket, frames_are_scarce)
{
	run(3000);
	cr_expect_gt(received, STEPS);
}

Test(afxdp_socket, a_queue_has_one_socket)
{
	struct afxdp_socket_options options = { .interface = "a0", .id = 7 };
	struct afxdp_socket *second = NULL;
	__u32 free_before;

	set_up(4096);
	free_before = frames->free_count;
	cr_expect_eq(afxdp_socket_open(frames, &options, &second, &why), -EBUSY);
	cr_expect_not_null(strstr(why.text, "queue 0 has an AF_XDP socket already"), "%s", why.text);
	options.queue = 1;
	cr_expect_lt(afxdp_socket_open(frames, &options, &second, &why), 0);
	cr_expect_not_null(strstr(why.text, "queue 1"), "%s", why.text);
	cr_expect_null(second);
	cr_expect_eq(frames->free_count, free_before);
	for (int i = 0; i < ENDS; i++)
		afxdp_socket_close(ends[i]);
	afxdp_frames_free(frames);
	free(places);
}
