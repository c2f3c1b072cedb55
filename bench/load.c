// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/load.h"

#include "bench/frame.h"
#include "bench/workload/random.h"
#include "bench/workload/zipf.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define LOAD_SEED  1
#define LOAD_TRAIN 4 // packets of a train, on average

static unsigned int load_least(const struct load *load)
{
	return load->family == AF_INET6 ? TRAFFIC_FRAME6 : TRAFFIC_FRAME4;
}

// The sizes in an order in which each comes as evenly as its weight allows.
static void load_set_sizes(struct load_frames *frames)
{
	const struct load *load = &frames->load;
	unsigned int left[LOAD_SIZES] = { 0 }, total = 0, least = load_least(load);

	for (unsigned int i = 0; i < LOAD_SIZES && load->sizes[i]; i++)
		total += load->weights[i];
	if (total > TRAFFIC_SIZES)
		total = TRAFFIC_SIZES;
	frames->turn = total ? total : 1;
	frames->sizes[0] = least;
	for (unsigned int k = 0; k < total; k++) {
		unsigned int best = 0;

		for (unsigned int i = 0; i < LOAD_SIZES && load->sizes[i]; i++) {
			left[i] += load->weights[i];
			if (left[i] > left[best])
				best = i;
		}
		left[best] -= left[best] < total ? left[best] : total;
		frames->sizes[k] = load->sizes[best] < least ? least : load->sizes[best];
	}
}

// No period of a power of two, so that parts that change places are found.
static void load_make_pattern(struct load_frames *frames)
{
	__u32 sum = 0;

	for (unsigned int i = 0; i < LOAD_LARGEST; i += 2) {
		frames->pattern[i] = i * 131 % 251;
		frames->pattern[i + 1] = (i + 1) * 131 % 251;
		frames->sums[i / 2] = sum;
		sum += frames->pattern[i] << 8 | frames->pattern[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	frames->sums[LOAD_LARGEST / 2] = sum;
}

// The sum of the pattern from an even offset up to the end of a frame.
static __u32 load_pattern_sum(const struct load_frames *frames, unsigned int from, unsigned int size)
{
	__u32 sum = frames->sums[size / 2] + 0xffff - frames->sums[from / 2]; // one's complement

	return size & 1 ? sum + (frames->pattern[size - 1] << 8) : sum;
}

unsigned int load_largest(const struct load *load)
{
	unsigned int largest = load->family == AF_INET ? TRAFFIC_FRAME4 : TRAFFIC_FRAME6;

	for (unsigned int i = 0; i < LOAD_SIZES && load->sizes[i]; i++)
		largest = load->sizes[i] > largest ? load->sizes[i] : largest;
	return largest + (load->vlans.count ? TRAFFIC_TAG : 0);
}

// Draws of the same popularity, whatever the table: destinations are drawn over that.
static int load_set_order(struct load_frames *frames)
{
	const struct load *load = &frames->load;
	struct random random;
	struct zipf *zipf;
	unsigned int i = 0;

	if (load->order == LOAD_UNIFORM) {
		for (i = 0; i < TRAFFIC_DESTINATIONS; i++)
			frames->order[i] = i % load->flows;
		return 0;
	}
	zipf = zipf_new(load->flows);
	if (!zipf)
		return -ENOMEM;
	random_seed(&random, LOAD_SEED);
	while (i < TRAFFIC_DESTINATIONS) {
		__u16 rank = zipf_rank(zipf, random_next(&random));

		do
			frames->order[i++] = rank;
		while (load->order == LOAD_TRACE && i < TRAFFIC_DESTINATIONS &&
		       random_below(&random, LOAD_TRAIN));
	}
	zipf_free(zipf);
	return 0;
}

int load_prepare(struct load_frames *frames, const struct load *load, const struct lane *lane,
		 const struct generate *generate)
{
	if (load_packets(load) > TRAFFIC_SEQUENCES)
		return -EINVAL;
	if (load_largest(load) > LOAD_LARGEST + (load->vlans.count ? TRAFFIC_TAG : 0))
		return -EMSGSIZE;
	frames->generate = generate;
	frames->load = *load;
	if (!frames->load.flows || frames->load.flows > TRAFFIC_DESTINATIONS)
		frames->load.flows = TRAFFIC_DESTINATIONS;
	frame_make(lane, AF_INET, &frames->heads[0]);
	frame_make(lane, AF_INET6, &frames->heads[1]);
	load_set_sizes(frames);
	load_make_pattern(frames);
	return load_set_order(frames);
}

static __u16 load_frame_size(const struct load_frames *frames, __u64 number, bool six)
{
	__u16 size = frames->sizes[number % frames->turn];

	return six && size < TRAFFIC_FRAME6 ? TRAFFIC_FRAME6 : size;
}

// Makes the head of a frame one of an attack.
static void load_disguise(union traffic_frame *head, bool six, enum load_attack attack, __u64 number)
{
	__u64 source = (number + 1) * 0x9e3779b97f4a7c15; // some other one for each
	unsigned int ttl = six ? 21 : 22, low = six ? 30 : 27, size = six ? 8 : 3;

	if (attack == LOAD_GOOD)
		return;
	if (!six) // of unicast, in no table's way
		head->bytes[26] = 45;
	memcpy(head->bytes + low, (__u8 *)&source + 8 - size, size);
	if (attack == LOAD_EXPIRED)
		head->bytes[ttl] = 1;
}

static __u32 load_untagged_frame(const struct load_frames *frames, __u64 number, __u64 now_ns, __u8 *bytes)
{
	const struct traffic_stamp stamp = { .sent_ns = now_ns, .sequence = number };
	bool six = load_is_six(&frames->load, number);
	__u8 family = six ? AF_INET6 : AF_INET;
	unsigned int at = six ? TRAFFIC_STAMP6 : TRAFFIC_STAMP4, behind = at + sizeof(stamp);
	__u16 index = load_destination(frames, number), size = load_frame_size(frames, number, six);
	union traffic_frame head = frames->heads[six];

	frame_resize(&head, family, size);
	frame_address(&head, family, generate_destination(frames->generate, family, index), index);
	load_disguise(&head, six, load_attack(frames->load.attack, index), number);
	memcpy(bytes, head.bytes, at);
	memcpy(bytes + at, &stamp, sizeof(stamp));
	memcpy(bytes + behind, frames->pattern + behind, size - behind);
	frame_finish(bytes, family, size, behind, load_pattern_sum(frames, behind, size));
	return size;
}

__u32 load_frame(const struct load_frames *frames, __u64 number, __u64 now_ns, __u8 *bytes)
{
	__u16 vlan = load_vlan(&frames->load, number);
	const __u8 tag[TRAFFIC_TAG] = { 0x81, 0x00, vlan >> 8, vlan };
	__u32 size;

	if (!vlan)
		return load_untagged_frame(frames, number, now_ns, bytes);
	size = load_untagged_frame(frames, number, now_ns, bytes + sizeof(tag));
	memmove(bytes, bytes + sizeof(tag), 12); // MACs
	memcpy(bytes + 12, tag, sizeof(tag));
	return size + sizeof(tag);
}

// A frame of that size to no address, without number and time: what the checksums of all such have in common.
static void load_size(const struct load_frames *frames, bool six, __u16 size, struct traffic_size *ret_size)
{
	static const __u8 nowhere[16];
	__u8 family = six ? AF_INET6 : AF_INET;
	unsigned int behind = (six ? TRAFFIC_STAMP6 : TRAFFIC_STAMP4) + sizeof(struct traffic_stamp);
	union traffic_frame head = frames->heads[six];
	__u8 bytes[TRAFFIC_FRAME6] = { 0 };
	__u32 check;

	frame_resize(&head, family, size);
	frame_address(&head, family, nowhere, 0);
	memcpy(bytes, head.bytes, sizeof(head.bytes));
	memset(bytes + behind - sizeof(struct traffic_stamp), 0, sizeof(struct traffic_stamp));
	frame_finish(bytes, family, size, behind, load_pattern_sum(frames, behind, size));
	ret_size->size = size;
	memcpy(&ret_size->ip_length, bytes + (six ? 18 : 16), 2);
	memcpy(&ret_size->udp_length, bytes + behind - sizeof(struct traffic_stamp) - 4, 2);
	check = bytes[24] | bytes[25] << 8;
	ret_size->ip_sum = ~check & 0xffff;
	check = bytes[behind - sizeof(struct traffic_stamp) - 2] |
		bytes[behind - sizeof(struct traffic_stamp) - 1] << 8;
	ret_size->sum = ~check & 0xffff;
}

void load_pace(const struct load_frames *frames, struct traffic_pace *ret_pace)
{
	const struct load *load = &frames->load;

	memset(ret_pace, 0, sizeof(*ret_pace));
	ret_pace->per_ns = load->rate > 0 ? load->rate * 4.294967296 : 0;
	ret_pace->total = load_packets(load) ? load_packets(load) : TRAFFIC_SEQUENCES;
	ret_pace->share6 = load->family == AF_UNSPEC ? load->share6 : load->family == AF_INET6 ? 100 : 0;
	ret_pace->turn = frames->turn;
	_Static_assert(LANE_VLANS <= TRAFFIC_VLANS, "as many as a lane has");
	memcpy(ret_pace->vlans, load->vlans.in, sizeof(load->vlans.in));
	ret_pace->vlan_count = load->vlans.count;
	memcpy(ret_pace->behind4, frames->pattern + TRAFFIC_BEHIND4, sizeof(ret_pace->behind4));
	for (unsigned int i = 0; i < frames->turn; i++)
		for (unsigned int six = 0; six < 2; six++)
			load_size(frames, six, load_frame_size(frames, i, six), &ret_pace->sizes[i][six]);
}
