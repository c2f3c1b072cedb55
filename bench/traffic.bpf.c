// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The two ends of the bench. `generate4` and `generate6` run as live frames (BPF_PROG_TEST_RUN): the kernel
// hands them one recycled page after the other, with whatever the router left in it, so they write the whole
// header each time. The sinks sit on the far ends, check every packet against what a router must have made of
// it, counts and drops.

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench/traffic.h"

// Fields of a frame by their offset; all are at even offsets only.
#define AT16(frame, offset) (*(__u16 *)((frame) + (offset)))
#define AT32(frame, offset) (*(__u32 *)((frame) + (offset)))
#define AT64(frame, offset) (*(__u64 *)((frame) + (offset)))

#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, TRAFFIC_LANES);
	__type(key, __u32);
	__type(value, __u32);
} way_out SEC(".maps");

// Set by the owner while nothing runs.
union traffic_frame frame4, frame6;                  // what all frames of a family have in common
union traffic_frame gateway_frame[TRAFFIC_GATEWAYS]; // the MACs of a frame from the router to each gateway
__u32 gateway_mask[TRAFFIC_LANES];                   // 0: everything is expected at gateway 0

__u32 arriving_tag; // as of TRAFFIC_TAGGED
__u8 arriving_ttl = TRAFFIC_TTL - 1;
__u8 unaged4[TRAFFIC_LANES], unaged6[TRAFFIC_LANES]; // 1: the router leaves the TTL, hop limit as it was sent
__u64 day_ns = 1;                                    // what the time of day is ahead of CLOCK_MONOTONIC

// Of the kernel's pktgen: each device numbers its own frames, and has so many source ports.
__u32 pktgen_devices = 1, pktgen_ports = TRAFFIC_DESTINATIONS;

// May change at any time.
volatile __u32 lane;

struct traffic_destination4 destinations4[TRAFFIC_DESTINATIONS] SEC(".data.destinations4");
struct traffic_destination6 destinations6[TRAFFIC_DESTINATIONS] SEC(".data.destinations6");

struct traffic_pace pace;                  // of frames with stamps
union traffic_frame stamped_heads[2];      // IPv4, IPv6
__u16 stamped_order[TRAFFIC_DESTINATIONS]; // of destinations
__u64 stamped;                             // frames with stamps sent, by the one CPU that does

struct traffic_sent sent[TRAFFIC_CPUS];
struct traffic_arrived arrived[TRAFFIC_LANES][TRAFFIC_CPUS];
struct traffic_meter meters[TRAFFIC_CPUS];
__u64 newest[TRAFFIC_VLANS]; // sequence number that arrived; of each device of pktgen's
__u64 metered_since;         // what was sent before does not count

// Where payload is summed up, one per CPU.
struct {
	__u8 bytes[TRAFFIC_PART + 8];
} parts[TRAFFIC_CPUS];

// A bit for each sequence number that arrived.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TRAFFIC_SEQUENCES / 64);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline __u32 fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u32 cpu(void)
{
	return bpf_get_smp_processor_id() % TRAFFIC_CPUS;
}

SEC("xdp")
int generate4(struct xdp_md *ctx)
{
	void *frame = (void *)(long)ctx->data;
	__u32 way = lane % TRAFFIC_LANES;
	struct traffic_destination4 *destination;
	__u16 index;

	if (frame + TRAFFIC_FRAME4 > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	index = sent[cpu()].packets[way]++;
	destination = &destinations4[index];
	AT64(frame, 0) = frame4.words[0];
	AT64(frame, 8) = frame4.words[1];
	AT64(frame, 16) = frame4.words[2];
	AT16(frame, 24) = AT16((void *)destination->check, 0);
	AT32(frame, 26) = AT32((void *)frame4.bytes, 26);
	AT32(frame, 30) = AT32((void *)destination->address, 0);
	AT16(frame, 34) = index;
	AT32(frame, 36) = AT32((void *)frame4.bytes, 36);
	AT16(frame, 40) = 0;
	return bpf_redirect_map(&way_out, way, 0);
}

SEC("xdp")
int generate6(struct xdp_md *ctx)
{
	void *frame = (void *)(long)ctx->data;
	__u32 way = lane % TRAFFIC_LANES;
	struct traffic_destination6 *destination;
	__u16 index;

	if (frame + TRAFFIC_FRAME6 > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	index = sent[cpu()].packets[way]++;
	destination = &destinations6[index];
	AT64(frame, 0) = frame6.words[0];
	AT64(frame, 8) = frame6.words[1];
	AT64(frame, 16) = frame6.words[2];
	AT64(frame, 24) = frame6.words[3];
	AT64(frame, 32) = frame6.words[4];
	AT32(frame, 38) = AT32((void *)destination->address, 0);
	AT32(frame, 42) = AT32((void *)destination->address, 4);
	AT32(frame, 46) = AT32((void *)destination->address, 8);
	AT32(frame, 50) = AT32((void *)destination->address, 12);
	AT16(frame, 54) = index;
	AT32(frame, 56) = AT32((void *)frame6.bytes, 56);
	AT16(frame, 60) = AT16((void *)destination->check, 0);
	return bpf_redirect_map(&way_out, way, 0);
}

// One's complement sum of 4 or 16 bytes of address.
static __always_inline __u64 address_sum(const __u8 *address, bool six)
{
	__u64 sum = AT32((void *)address, 0);

	if (six)
		sum += (__u64)AT32((void *)address, 4) + AT32((void *)address, 8) + AT32((void *)address, 12);
	return sum;
}

// A frame of a load, as bench/load.c makes it: the head, then the destination, what differs by size, and the
// stamp; the pattern behind it is in the page from the begin.
static __always_inline void stamp_frame(void *frame, __u64 number, bool six)
{
	union traffic_frame *head = &stamped_heads[six];
	struct traffic_size *size = &pace.sizes[number % pace.turn % TRAFFIC_SIZES][six];
	__u16 index = stamped_order[number % TRAFFIC_DESTINATIONS], check;
	struct traffic_stamp stamp = { .sent_ns = bpf_ktime_get_ns(), .sequence = number };
	const __u8 *address = six ? destinations6[index].address : destinations4[index].address;
	__u64 sum = address_sum(address, six), rest = size->sum;
	__u32 at = six ? TRAFFIC_STAMP6 : TRAFFIC_STAMP4, udp = at - 8, i;

#pragma unroll
	for (i = 0; i < TRAFFIC_STAMP6 / 2; i++)
		if (i < at / 2)
			AT16(frame, 2 * i) = AT16((void *)head->bytes, 2 * i);
	AT16(frame, six ? 18 : 16) = size->ip_length;
	if (!six)
		AT16(frame, 24) = ~fold(sum + size->ip_sum) & 0xffff;
#pragma unroll
	for (i = 0; i < (six ? 16 : 4); i += 2)
		AT16(frame, udp - (six ? 16 : 4) + i) = AT16((void *)address, i);
	AT16(frame, udp) = index;
	AT16(frame, udp + 4) = size->udp_length;
	rest += sum + index + (stamp.sent_ns & 0xffffffff) + (stamp.sent_ns >> 32) +
		(stamp.sequence & 0xffffffff) + (stamp.sequence >> 32);
	check = ~fold(rest) & 0xffff;
	AT16(frame, udp + 6) = check ? check : 0xffff;
	__builtin_memcpy(frame + at, &stamp, sizeof(stamp));
}

// Where a longer head of IPv6 may have been in the page, the pattern again.
static __always_inline void restore_pattern(void *frame, void *end)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < TRAFFIC_STAMP6 - TRAFFIC_STAMP4; i++)
		if (frame + TRAFFIC_BEHIND4 + i + 1 <= end)
			((__u8 *)frame)[TRAFFIC_BEHIND4 + i] = pace.behind4[i];
}

// The VLAN of a frame, as load_vlan() has it; 0: none.
static __always_inline __u16 vlan_of(__u64 number)
{
	__u32 count = pace.vlan_count;

	return count ? pace.vlans[(number * TRAFFIC_VLAN_SPREAD >> 32) % count % TRAFFIC_VLANS] : 0;
}

// Puts a tag into a frame, in the room in front of it: all behind its MACs stays where it is in the page.
static __always_inline int put_tag(struct xdp_md *ctx, __u16 vlan)
{
	void *frame;
	__u32 i;

	if (bpf_xdp_adjust_head(ctx, -TRAFFIC_TAG) < 0)
		return -1;
	frame = (void *)(long)ctx->data;
	if (frame + 12 + TRAFFIC_TAG > (void *)(long)ctx->data_end)
		return -1;
#pragma unroll
	for (i = 0; i < 12; i += 2)
		AT16(frame, i) = AT16(frame, i + TRAFFIC_TAG);
	AT16(frame, 12) = bpf_htons(ETH_P_8021Q);
	AT16(frame, 14) = bpf_htons(vlan);
	return 0;
}

// Frames with stamps, when they are due; what is not is dropped here and costs nothing but time.
SEC("xdp")
int generate_stamped(struct xdp_md *ctx)
{
	void *frame = (void *)(long)ctx->data;
	__u64 number = stamped, due = (bpf_ktime_get_ns() - pace.begin_ns) * pace.per_ns >> 32;
	struct traffic_size *size;
	__u16 vlan;
	bool six;

	if (number >= pace.total || (pace.per_ns && number > due) || !pace.turn)
		return XDP_DROP;
	six = pace.share6 && number * pace.share6 % 100 < pace.share6;
	size = &pace.sizes[number % pace.turn % TRAFFIC_SIZES][six];
	if (bpf_xdp_adjust_tail(ctx, (int)size->size - (int)bpf_xdp_get_buff_len(ctx)) < 0)
		return XDP_ABORTED;
	frame = (void *)(long)ctx->data;
	if (frame + TRAFFIC_FRAME4 > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (!six) {
		stamp_frame(frame, number, false);
		if (pace.share6)
			restore_pattern(frame, (void *)(long)ctx->data_end);
	}
	if (six && frame + TRAFFIC_FRAME6 <= (void *)(long)ctx->data_end)
		stamp_frame(frame, number, true);
	vlan = vlan_of(number);
	if (UNLIKELY(vlan) && put_tag(ctx, vlan) < 0)
		return XDP_ABORTED;
	stamped = number + 1;
	return bpf_redirect_map(&way_out, TRAFFIC_SUBJECT, 0);
}

static __always_inline __u32 wrong_macs(void *frame, __u32 gateway, enum traffic_lane way)
{
	union traffic_frame *expected = &gateway_frame[gateway & gateway_mask[way] & (TRAFFIC_GATEWAYS - 1)];
	__u64 first = AT64(frame, 0) ^ expected->words[0];
	__u32 rest = AT32(frame, 8) ^ AT32((void *)expected->bytes, 8);

	if (!UNLIKELY(first | rest))
		return 0;
	return (first & bpf_cpu_to_be64(0xffffffffffff0000) ? 1 << TRAFFIC_WRONG_GATEWAY : 0) |
	       ((first & bpf_cpu_to_be64(0xffff)) | rest ? 1 << TRAFFIC_WRONG_SOURCE : 0);
}

// The checksum of an IPv4 header without options.
static __always_inline bool is_right4(void *frame)
{
	return fold((__u64)AT32(frame, 14) + AT32(frame, 18) + AT32(frame, 22) + AT32(frame, 26) +
		    AT32(frame, 30)) == 0xffff;
}

static __always_inline __u32 wrong4(void *macs, void *frame, __u32 length, __u32 expected,
				    enum traffic_lane way)
{
	struct traffic_destination4 *destination = &destinations4[AT16(frame, 34)];
	__u32 wrong = wrong_macs(macs, destination->gateway, way);

	if (UNLIKELY(!is_right4(frame)))
		wrong |= 1 << TRAFFIC_WRONG_CHECKSUM;
	if (UNLIKELY(((__u8 *)frame)[22] != arriving_ttl + unaged4[way]))
		wrong |= 1 << TRAFFIC_WRONG_TTL;
	if (UNLIKELY(AT32(frame, 30) != AT32((void *)destination->address, 0)))
		wrong |= 1 << TRAFFIC_WRONG_DESTINATION;
	if (UNLIKELY(length != expected))
		wrong |= 1 << TRAFFIC_WRONG_LENGTH;
	return wrong;
}

static __always_inline __u32 wrong6(void *macs, void *frame, __u32 length, __u32 expected,
				    enum traffic_lane way)
{
	struct traffic_destination6 *destination = &destinations6[AT16(frame, 54)];
	void *address = destination->address;
	__u32 wrong = wrong_macs(macs, destination->gateway, way);

	if (UNLIKELY(((__u8 *)frame)[21] != arriving_ttl + unaged6[way]))
		wrong |= 1 << TRAFFIC_WRONG_TTL;
	if (UNLIKELY((AT32(frame, 38) ^ AT32(address, 0)) | (AT32(frame, 42) ^ AT32(address, 4)) |
		     (AT32(frame, 46) ^ AT32(address, 8)) | (AT32(frame, 50) ^ AT32(address, 12))))
		wrong |= 1 << TRAFFIC_WRONG_DESTINATION;
	if (UNLIKELY(length != expected))
		wrong |= 1 << TRAFFIC_WRONG_LENGTH;
	return wrong;
}

static __always_inline bool is_ours4(void *frame)
{
	return AT16(frame, 12) == bpf_htons(ETH_P_IP) && ((__u8 *)frame)[14] == 0x45 &&
	       ((__u8 *)frame)[23] == IPPROTO_UDP && AT16(frame, 36) == bpf_htons(TRAFFIC_PORT);
}

static __always_inline bool is_ours6(void *frame)
{
	return AT16(frame, 12) == bpf_htons(ETH_P_IPV6) && ((__u8 *)frame)[20] == IPPROTO_UDP &&
	       AT16(frame, 56) == bpf_htons(TRAFFIC_PORT);
}

// Is the UDP checksum right? From the addresses on; how many bytes, and how many of them are addresses.
// Global, so that the kernel looks at it once.
__noinline int is_intact(struct xdp_md *ctx, __u32 begin, __u32 size, __u32 addresses)
{
	__u8 *part = parts[cpu()].bytes;
	__s64 sum = bpf_htons(IPPROTO_UDP) + bpf_htons(size - addresses);
	__u32 i, length;

	if (!ctx) // the kernel looks at this function by itself
		return false;
	for (i = 0; i < TRAFFIC_PARTS && size; i++) {
		length = size < TRAFFIC_PART ? size : TRAFFIC_PART;
		if (bpf_xdp_load_bytes(ctx, begin, part, length) < 0)
			return false;
		AT32(part, length) = 0;
		sum = bpf_csum_diff(NULL, 0, (void *)part, (length + 3) & ~3u, sum);
		begin += length;
		size -= length;
	}
	return !size && fold(sum) == 0xffff;
}

// The stamp of a frame of ours, or of one of the kernel's pktgen: a word, a number, seconds and microseconds,
// big endian. Returns which device of pktgen's it is from, by its source port, 0 if it is none.
static __always_inline __u32 read_stamp(const struct traffic_stamp *from, __u32 port,
					struct traffic_stamp *ret_stamp)
{
	__u32 words[4], device;

	__builtin_memcpy(ret_stamp, from, sizeof(*ret_stamp));
	__builtin_memcpy(words, from, sizeof(words));
	if (words[0] != bpf_htonl(TRAFFIC_PKTGEN))
		return 0;
	device = pktgen_ports ? port / pktgen_ports % TRAFFIC_VLANS : 0;
	ret_stamp->sequence = (__u64)bpf_ntohl(words[1]) * pktgen_devices + device;
	ret_stamp->sent_ns = bpf_ntohl(words[2]) * 1000000000ull + bpf_ntohl(words[3]) * 1000ull - day_ns;
	return device;
}

// A packet that carries a stamp: how long it was under way, and whether it comes twice or too late. False: it
// was sent before anything was to be metered, and is none of what is counted now.
static __always_inline bool meter(const struct traffic_stamp *from, __u32 port, bool intact)
{
	struct traffic_meter *count = &meters[cpu()];
	__u64 mask, now = bpf_ktime_get_ns(), *word;
	struct traffic_stamp stamp;
	__u32 index, device = read_stamp(from, port, &stamp);

	index = stamp.sequence >> 6;
	word = intact && stamp.sequence < TRAFFIC_SEQUENCES ? bpf_map_lookup_elem(&seen, &index) : NULL;
	if (!word) {
		count->corrupt++;
		return true;
	}
	if (stamp.sent_ns < metered_since)
		return false;
	mask = 1ull << (stamp.sequence & 63);
	if (__sync_fetch_and_or(word, mask) & mask)
		count->duplicate++;
	if (stamp.sequence < newest[device])
		count->late++;
	else
		newest[device] = stamp.sequence;
	index = histogram_bucket(now > stamp.sent_ns ? now - stamp.sent_ns : 0);
	if (index < HISTOGRAM_BUCKETS)
		count->latency[index]++;
	return true;
}

// The tag of a frame of 60 bytes or more, as of TRAFFIC_TAGGED; behind it, the frame is as others are behind
// their MACs.
static __always_inline __u32 tag_of(void *frame)
{
	return AT16(frame, 12) == bpf_htons(ETH_P_8021Q) ? TRAFFIC_TAGGED | bpf_ntohs(AT16(frame, 14)) : 0;
}

static __always_inline int take(struct xdp_md *ctx, enum traffic_lane way, bool metered)
{
	void *macs = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *frame = macs;
	struct traffic_arrived *count = &arrived[way][cpu()];
	__u32 length = metered ? bpf_xdp_get_buff_len(ctx) : end - frame, wrong = 0, kind, rest, tag = 0,
	      shift = 0;
	bool now = true;

	if (metered && frame + TRAFFIC_FRAME4 <= end)
		tag = tag_of(frame);
	if (tag)
		shift = TRAFFIC_TAG;
	frame += shift;
	length -= shift;
	if (frame + TRAFFIC_FRAME4 <= end && is_ours4(frame)) {
		wrong = wrong4(macs, frame, length,
			       metered ? bpf_ntohs(AT16(frame, 16)) + ETH_HLEN : TRAFFIC_FRAME4, way);
		rest = bpf_ntohs(AT16(frame, 16)) + ETH_HLEN - 26;
		if (metered)
			now = meter(frame + TRAFFIC_STAMP4, bpf_ntohs(AT16(frame, 34)),
				    is_intact(ctx, 26 + shift, rest, 8));
	} else if (frame + TRAFFIC_FRAME6 <= end && is_ours6(frame)) {
		wrong = wrong6(macs, frame, length,
			       metered ? bpf_ntohs(AT16(frame, 18)) + ETH_HLEN + 40 : TRAFFIC_FRAME6, way);
		rest = bpf_ntohs(AT16(frame, 18)) + 32;
		if (metered)
			now = meter(frame + TRAFFIC_STAMP6, bpf_ntohs(AT16(frame, 54)),
				    is_intact(ctx, 22 + shift, rest, 32));
	} else {
		now = false;
	}
	if (UNLIKELY(!now)) {
		count->foreign++;
		return XDP_DROP;
	}
	if (metered && UNLIKELY(tag != arriving_tag))
		wrong |= 1 << TRAFFIC_WRONG_TAG;
	count->packets++;
	if (UNLIKELY(wrong))
		for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
			count->wrong[kind] += wrong >> kind & 1;
	return XDP_DROP;
}

SEC("xdp.frags")
int sink_subject(struct xdp_md *ctx)
{
	return take(ctx, TRAFFIC_SUBJECT, false);
}

SEC("xdp.frags")
int sink_reference(struct xdp_md *ctx)
{
	return take(ctx, TRAFFIC_REFERENCE, false);
}

// Of the subject's lane, for frames with stamps.
SEC("xdp.frags")
int sink_metered(struct xdp_md *ctx)
{
	return take(ctx, TRAFFIC_SUBJECT, true);
}

// Of the subject's lane, for frames of a capture: whatever the router sent is counted, its tag and IPv4's
// checksum verified.
SEC("xdp.frags")
int sink_replayed(struct xdp_md *ctx)
{
	void *frame = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct traffic_arrived *count = &arrived[TRAFFIC_SUBJECT][cpu()];
	__u32 tag;

	if (frame + 34 > end || ((__u8 *)frame)[0] & 1 ||
	    AT16(frame, 6) != AT16((void *)gateway_frame[0].bytes, 6) ||
	    AT32(frame, 8) != AT32((void *)gateway_frame[0].bytes, 8)) {
		count->foreign++;
		return XDP_DROP;
	}
	count->packets++;
	tag = tag_of(frame);
	if (UNLIKELY(tag != arriving_tag))
		count->wrong[TRAFFIC_WRONG_TAG]++;
	if (tag)
		frame += TRAFFIC_TAG;
	if (frame + 34 <= end && AT16(frame, 12) == bpf_htons(ETH_P_IP) && ((__u8 *)frame)[14] == 0x45 &&
	    !is_right4(frame))
		count->wrong[TRAFFIC_WRONG_CHECKSUM]++;
	return XDP_DROP;
}

// Of the subject's lane, where a packet socket takes what arrives, which does not see whether tags are in the
// frames: this is counted.
SEC("xdp.frags")
int sink_passes(struct xdp_md *ctx)
{
	void *frame = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct traffic_arrived *count = &arrived[TRAFFIC_SUBJECT][cpu()];
	__u32 tag;

	if (frame + TRAFFIC_FRAME4 > end)
		return XDP_PASS;
	tag = tag_of(frame);
	if (tag)
		frame += TRAFFIC_TAG;
	if ((frame + TRAFFIC_FRAME4 <= end && is_ours4(frame)) ||
	    (frame + TRAFFIC_FRAME6 <= end && is_ours6(frame))) {
		count->packets++;
		count->wrong[TRAFFIC_WRONG_TAG] += tag != arriving_tag;
	}
	return XDP_PASS;
}

char licence[] SEC("license") = "Dual BSD/GPL";
