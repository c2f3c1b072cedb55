// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The sink judges routers, so it is judged first: right packets are right, and each fault is found, by its
// own name. Packets are made here, from the RFCs, and pushed through the program alone (BPF_PROG_TEST_RUN).

#include "bench/traffic.h"
#include "bench/traffic.skel.h"

#include <criterion/criterion.h>
#include <string.h>
#include <bpf/bpf.h>

#define GATEWAY 5
#define INDEX   4711

static const __u8 gateway_mac[6] = { 2, 1, 2, 3, 4, 5 }, router_mac[6] = { 2, 6, 7, 8, 9, 10 };
static struct traffic_bpf *traffic;
static __u8 frame[TRAFFIC_FRAME6 + 8 + TRAFFIC_TAG];
static unsigned int size;

static void put16(unsigned int offset, unsigned int value)
{
	frame[offset] = value >> 8;
	frame[offset + 1] = value;
}

// RFC 1071, byte by byte.
static void put_checksum(unsigned int offset, unsigned int begin, unsigned int end)
{
	unsigned int sum = 0, i;

	put16(offset, 0);
	for (i = begin; i < end; i++)
		sum += i % 2 == begin % 2 ? frame[i] << 8 : frame[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(offset, ~sum & 0xffff);
}

static void make_ethernet(unsigned int ethertype)
{
	memset(frame, 0, sizeof(frame));
	memcpy(frame, gateway_mac, 6);
	memcpy(frame + 6, router_mac, 6);
	put16(12, ethertype);
}

static void make_udp(unsigned int offset)
{
	__u16 index = INDEX;

	memcpy(frame + offset, &index, 2);
	put16(offset + 2, TRAFFIC_PORT);
	put16(offset + 4, size - offset);
}

static void make4(void)
{
	static const __u8 addresses[8] = { 198, 51, 100, 2, 203, 0, 113, 7 };

	size = TRAFFIC_FRAME4;
	make_ethernet(0x0800);
	frame[14] = 0x45;
	put16(16, size - 14);
	frame[22] = TRAFFIC_TTL - 1;
	frame[23] = 17;
	memcpy(frame + 26, addresses, 8);
	put_checksum(24, 14, 34);
	make_udp(34);
	memcpy(traffic->data_destinations4->destinations4[INDEX].address, addresses + 4, 4);
	traffic->data_destinations4->destinations4[INDEX].gateway = GATEWAY;
}

static void make6(void)
{
	unsigned int i;

	size = TRAFFIC_FRAME6;
	make_ethernet(0x86dd);
	frame[14] = 0x60;
	put16(18, size - 54);
	frame[20] = 17;
	frame[21] = TRAFFIC_TTL - 1;
	for (i = 22; i < 54; i++)
		frame[i] = 3 * i;
	make_udp(54);
	memcpy(traffic->data_destinations6->destinations6[INDEX].address, frame + 38, 16);
	traffic->data_destinations6->destinations6[INDEX].gateway = GATEWAY;
}

// Pushes the frame through the sink and returns what the counters of all CPUs add up to.
static struct traffic_arrived push(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = size);
	const struct traffic_arrived *arrived;
	struct traffic_arrived sum = { 0 };
	unsigned int cpu, kind;

	memset(traffic->bss->arrived, 0, sizeof(traffic->bss->arrived));
	cr_assert_eq(bpf_prog_test_run_opts(bpf_program__fd(traffic->progs.sink_subject), &run), 0);
	cr_assert_eq(run.retval, XDP_DROP);
	for (cpu = 0; cpu < TRAFFIC_CPUS; cpu++) {
		arrived = &traffic->bss->arrived[TRAFFIC_SUBJECT][cpu];
		sum.packets += arrived->packets;
		sum.foreign += arrived->foreign;
		for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
			sum.wrong[kind] += arrived->wrong[kind];
	}
	cr_assert_eq(sum.packets + sum.foreign, 1);
	return sum;
}

// Expects exactly these kinds of wrong, as bits.
static void expect(unsigned int kinds, const char *what)
{
	struct traffic_arrived sum = push();

	cr_assert_eq(sum.foreign, 0, "%s: taken for foreign", what);
	for (unsigned int kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		cr_assert_eq(sum.wrong[kind], kinds >> kind & 1, "%s: wrong kind %u counted %llu times", what,
			     kind, sum.wrong[kind]);
}

// Flips each bit of the bytes from begin to end, one at a time.
static void flip_each(unsigned int begin, unsigned int end, unsigned int kinds, const char *what)
{
	for (unsigned int bit = begin * 8; bit < end * 8; bit++) {
		frame[bit / 8] ^= 1 << bit % 8;
		expect(kinds, what);
		frame[bit / 8] ^= 1 << bit % 8;
	}
}

static void load(void)
{
	traffic = traffic_bpf__open_and_load();
	cr_assert(traffic);
	memcpy(traffic->bss->gateway_frame[GATEWAY].bytes, gateway_mac, 6);
	memcpy(traffic->bss->gateway_frame[GATEWAY].bytes + 6, router_mac, 6);
	traffic->bss->gateway_mask[TRAFFIC_SUBJECT] = TRAFFIC_GATEWAYS - 1;
}

static void unload(void)
{
	traffic_bpf__destroy(traffic);
}

TestSuite(bench_sink, .init = load, .fini = unload);

Test(bench_sink, ipv4)
{
	make4();
	expect(0, "right packet");
	flip_each(0, 6, 1 << TRAFFIC_WRONG_GATEWAY, "destination MAC");
	flip_each(6, 12, 1 << TRAFFIC_WRONG_SOURCE, "source MAC");
	flip_each(15, 22, 1 << TRAFFIC_WRONG_CHECKSUM, "header byte");
	flip_each(22, 23, 1 << TRAFFIC_WRONG_TTL | 1 << TRAFFIC_WRONG_CHECKSUM, "TTL alone");
	flip_each(24, 30, 1 << TRAFFIC_WRONG_CHECKSUM, "checksum or source");
	flip_each(30, 34, 1 << TRAFFIC_WRONG_CHECKSUM | 1 << TRAFFIC_WRONG_DESTINATION, "destination alone");
	frame[22]++;
	put_checksum(24, 14, 34);
	expect(1 << TRAFFIC_WRONG_TTL, "TTL left as it was");
	frame[22]--;
	frame[33]++;
	put_checksum(24, 14, 34);
	expect(1 << TRAFFIC_WRONG_DESTINATION, "another destination");
	frame[33]--;
	put_checksum(24, 14, 34);
	size++;
	expect(1 << TRAFFIC_WRONG_LENGTH, "one byte more");
}

Test(bench_sink, ipv6)
{
	make6();
	expect(0, "right packet");
	flip_each(0, 6, 1 << TRAFFIC_WRONG_GATEWAY, "destination MAC");
	flip_each(6, 12, 1 << TRAFFIC_WRONG_SOURCE, "source MAC");
	flip_each(21, 22, 1 << TRAFFIC_WRONG_TTL, "hop limit");
	flip_each(38, 54, 1 << TRAFFIC_WRONG_DESTINATION, "destination");
	size++;
	expect(1 << TRAFFIC_WRONG_LENGTH, "one byte more");
}

Test(bench_sink, checksums_of_all_values)
{
	make4();
	for (unsigned int id = 0; id < 0x10000; id += 7) {
		put16(18, id);
		put_checksum(24, 14, 34);
		expect(0, "right checksum");
	}
}

Test(bench_sink, another_gateway_is_wrong_unless_all_go_to_the_first)
{
	make4();
	memcpy(traffic->bss->gateway_frame[0].bytes, frame, 12);
	traffic->data_destinations4->destinations4[INDEX].gateway = GATEWAY + 1;
	expect(1 << TRAFFIC_WRONG_GATEWAY | 1 << TRAFFIC_WRONG_SOURCE, "a gateway that has no MAC here");
	traffic->bss->gateway_mask[TRAFFIC_SUBJECT] = 0;
	expect(0, "the first gateway");
}

Test(bench_sink, others_are_foreign)
{
	make4();
	frame[23] = 6;
	cr_assert_eq(push().foreign, 1);
	make4();
	put16(36, TRAFFIC_PORT + 1);
	cr_assert_eq(push().foreign, 1);
	make6();
	put16(12, 0x88cc);
	cr_assert_eq(push().foreign, 1);
	make4();
	size = 42;
	cr_assert_eq(push().foreign, 1);
}

// --- the sink that meters ---

static struct traffic_meter meter_frame(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = size);
	struct traffic_meter sum = { 0 };

	memset(traffic->bss->meters, 0, sizeof(traffic->bss->meters));
	cr_assert_eq(bpf_prog_test_run_opts(bpf_program__fd(traffic->progs.sink_metered), &run), 0);
	for (unsigned int cpu = 0; cpu < TRAFFIC_CPUS; cpu++) {
		sum.duplicate += traffic->bss->meters[cpu].duplicate;
		sum.late += traffic->bss->meters[cpu].late;
		sum.corrupt += traffic->bss->meters[cpu].corrupt;
	}
	return sum;
}

// Of UDP, in front of `offset`.
static void put_udp_checksum(unsigned int offset, unsigned int addresses)
{
	unsigned int sum = 17 + size - offset + 8;

	put16(offset - 2, 0);
	for (unsigned int i = addresses; i < size; i++)
		sum += i % 2 ? frame[i] : frame[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(offset - 2, ~sum & 0xffff);
}

static void put_stamp(unsigned int offset, unsigned int addresses, __u64 sequence)
{
	const struct traffic_stamp stamp = { .sent_ns = 1, .sequence = sequence };

	memcpy(frame + offset, &stamp, sizeof(stamp));
	put_udp_checksum(offset, addresses);
}

static void expect_meter(__u64 sequence, unsigned int duplicate, unsigned int late)
{
	struct traffic_meter sum = meter_frame();

	cr_assert_eq(sum.corrupt, 0, "%llu is corrupt", sequence);
	cr_assert_eq(sum.duplicate, duplicate, "%llu comes %llu times", sequence, sum.duplicate + 1);
	cr_assert_eq(sum.late, late, "%llu is late: %llu", sequence, sum.late);
}

static void meter_family(unsigned int offset, unsigned int addresses)
{
	static const struct {
		__u64 sequence;
		unsigned int duplicate, late;
	} order[] = { { 100, 0, 0 }, { 101, 0, 0 }, { 105, 0, 0 }, { 103, 0, 1 },
		      { 103, 1, 1 }, { 105, 1, 0 }, { 106, 0, 0 }, { TRAFFIC_SEQUENCES - 1, 0, 0 } };

	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		put_stamp(offset, addresses, order[i].sequence);
		expect_meter(order[i].sequence, order[i].duplicate, order[i].late);
	}
	put_stamp(offset, addresses, TRAFFIC_SEQUENCES);
	cr_assert_eq(meter_frame().corrupt, 1, "a number that nobody sends");
	put_stamp(offset, addresses, 200);
	put16(offset - 2, 0);
	cr_assert_eq(meter_frame().corrupt, 1, "without a checksum");
	put_stamp(offset, addresses, 199);
	traffic->bss->metered_since = 2;
	memset(traffic->bss->arrived, 0, sizeof(traffic->bss->arrived));
	expect_meter(199, 0, 0);
	for (unsigned int cpu = 0; cpu < TRAFFIC_CPUS; cpu++)
		cr_assert_eq(traffic->bss->arrived[TRAFFIC_SUBJECT][cpu].packets, 0,
			     "sent before, but counted");
	traffic->bss->metered_since = 0;
	put_stamp(offset, addresses, 200);
	for (unsigned int bit = offset * 8; bit < size * 8; bit++) {
		frame[bit / 8] ^= 1 << bit % 8;
		cr_assert_eq(meter_frame().corrupt, 1, "bit %u of the payload is flipped", bit);
		frame[bit / 8] ^= 1 << bit % 8;
	}
}

Test(bench_sink, meters_ipv4)
{
	make4();
	meter_family(TRAFFIC_STAMP4, 26);
}

Test(bench_sink, meters_ipv6)
{
	make6();
	meter_family(TRAFFIC_STAMP6, 22);
}

// Puts a tag behind the MACs.
static void put_tag(unsigned int tci)
{
	memmove(frame + 16, frame + 12, size - 12);
	put16(12, 0x8100);
	put16(14, tci);
	size += TRAFFIC_TAG;
}

static void remove_tag(void)
{
	size -= TRAFFIC_TAG;
	memmove(frame + 12, frame + 16, size - 12);
}

// Exactly these kinds of wrong, as bits, of the frame that comes with this tag; -1: none.
static void expect_tag(int tci, unsigned int kinds)
{
	__u64 packets = 0, wrong[TRAFFIC_WRONG_KINDS] = { 0 };
	struct traffic_meter sum;

	if (tci >= 0)
		put_tag(tci);
	memset(traffic->bss->arrived, 0, sizeof(traffic->bss->arrived));
	sum = meter_frame();
	cr_assert_eq(sum.corrupt, 0, "tag %d: corrupt", tci);
	for (unsigned int cpu = 0; cpu < TRAFFIC_CPUS; cpu++) {
		packets += traffic->bss->arrived[TRAFFIC_SUBJECT][cpu].packets;
		for (unsigned int kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
			wrong[kind] += traffic->bss->arrived[TRAFFIC_SUBJECT][cpu].wrong[kind];
	}
	cr_assert_eq(packets, 1, "tag %d: %llu packets", tci, packets);
	for (unsigned int kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		cr_assert_eq(wrong[kind], kinds >> kind & 1, "tag %d: wrong kind %u counted %llu times", tci,
			     kind, wrong[kind]);
	if (tci >= 0)
		remove_tag();
}

static void tagged_family(unsigned int offset, unsigned int addresses)
{
	put_stamp(offset, addresses, 7);
	expect_tag(-1, 0);
	expect_tag(40, 1 << TRAFFIC_WRONG_TAG);
	expect_tag(0, 1 << TRAFFIC_WRONG_TAG);
	traffic->bss->arriving_tag = TRAFFIC_TAGGED | 40;
	expect_tag(40, 0);
	expect_tag(-1, 1 << TRAFFIC_WRONG_TAG);
	for (unsigned int bit = 0; bit < 16; bit++)
		expect_tag(40 ^ 1 << bit, 1 << TRAFFIC_WRONG_TAG);
	frame[5] ^= 1;
	expect_tag(40, 1 << TRAFFIC_WRONG_GATEWAY);
	frame[5] ^= 1;
	put_tag(40);
	for (unsigned int bit = (offset + TRAFFIC_TAG) * 8; bit < size * 8; bit++) {
		frame[bit / 8] ^= 1 << bit % 8;
		cr_assert_eq(meter_frame().corrupt, 1, "bit %u behind a tag is flipped", bit);
		frame[bit / 8] ^= 1 << bit % 8;
	}
	remove_tag();
}

Test(bench_sink, tagged_ipv4)
{
	make4();
	tagged_family(TRAFFIC_STAMP4, 26);
}

Test(bench_sink, tagged_ipv6)
{
	make6();
	tagged_family(TRAFFIC_STAMP6, 22);
}

// Three devices of pktgen's, each with its own numbers and 100 source ports: the same number is none twice if
// it is of another, and neither is late.
Test(bench_sink, devices_of_pktgen)
{
	static const struct {
		unsigned int port, number;
		bool twice, late;
	} frames[] = {
		{ 0, 5, false, false },  { 199, 3, false, false }, { 200, 9, false, false },
		{ 99, 6, false, false }, { 100, 3, true, false },  { 200, 8, false, true },
		{ 50, 9, false, false }, { 150, 4, false, false }, { 299, 9, true, false },
		{ 10, 9, true, false },  { 101, 1, false, true },
	};

	make4();
	put16(42, 0xbe9b);
	put16(44, 0xe955);
	put16(50, 1);
	traffic->data->pktgen_devices = 3;
	traffic->data->pktgen_ports = 100;
	traffic->data->day_ns = 0;
	for (unsigned int i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct traffic_meter sum;

		put16(34, frames[i].port);
		put16(48, frames[i].number);
		put_udp_checksum(42, 26);
		sum = meter_frame();
		cr_assert_eq(sum.corrupt, 0, "frame %u", i);
		cr_assert_eq(sum.duplicate, frames[i].twice, "frame %u of port %u", i, frames[i].port);
		cr_assert_eq(sum.late, frames[i].late, "frame %u of port %u", i, frames[i].port);
	}
}

// Frames of the kernel's pktgen: other words in the stamp, another TTL.
Test(bench_sink, meters_pktgen)
{
	const __u64 day = 1700000000ull * 1000000000;
	__u64 bucket_sum = 0;

	make4();
	frame[22] = 31;
	put_checksum(24, 14, 34);
	put16(42, 0xbe9b);
	put16(44, 0xe955);
	for (unsigned int number = 7; number < 9; number++) {
		put16(46, 0);
		put16(48, number);
		put16(50, 1700000000 >> 16);
		put16(52, 1700000000 & 0xffff);
		put16(54, 0);
		put16(56, 0);
		put_udp_checksum(42, 26);
		traffic->data->arriving_ttl = 31;
		traffic->data->day_ns = day; // it was sent when the machine started
		memset(traffic->bss->arrived, 0, sizeof(traffic->bss->arrived));
		expect_meter(number, 0, 0);
		expect_meter(number, 1, 0);
	}
	for (unsigned int cpu = 0; cpu < TRAFFIC_CPUS; cpu++) {
		for (unsigned int kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
			cr_assert_eq(traffic->bss->arrived[TRAFFIC_SUBJECT][cpu].wrong[kind], 0);
		for (unsigned int i = HISTOGRAM_BUCKETS / 2; i < HISTOGRAM_BUCKETS; i++)
			bucket_sum += traffic->bss->meters[cpu].latency[i];
	}
	cr_assert_eq(bucket_sum, 1, "the time since the machine started is long");
}

// Longer than what is summed up at once, and of an odd size.
Test(bench_sink, meters_long)
{
	static __u8 large[3001];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = large, .data_size_in = sizeof(large));
	static const unsigned int spots[] = { 60, 511, 537, 538, 539, 1050, 2999, 3000 };
	__u64 corrupt = 0;

	make4();
	memcpy(large, frame, 58);
	for (unsigned int i = 58; i < sizeof(large); i++)
		large[i] = i * 7;
	large[16] = (sizeof(large) - 14) >> 8;
	large[17] = (sizeof(large) - 14) & 255;
	large[38] = (sizeof(large) - 34) >> 8;
	large[39] = (sizeof(large) - 34) & 255;
	for (unsigned int i = 0; i <= sizeof(spots) / sizeof(spots[0]); i++) {
		unsigned int sum = 17 + sizeof(large) - 34;

		large[40] = large[41] = 0;
		for (unsigned int k = 26; k < sizeof(large); k++)
			sum += k % 2 ? large[k] : large[k] << 8;
		while (sum > 0xffff)
			sum = (sum & 0xffff) + (sum >> 16);
		large[40] = ~sum >> 8;
		large[41] = ~sum;
		if (i)
			large[spots[i - 1]] ^= 0x10;
		memset(traffic->bss->meters, 0, sizeof(traffic->bss->meters));
		cr_assert_eq(bpf_prog_test_run_opts(bpf_program__fd(traffic->progs.sink_metered), &run), 0);
		corrupt = 0;
		for (unsigned int cpu = 0; cpu < TRAFFIC_CPUS; cpu++)
			corrupt += traffic->bss->meters[cpu].corrupt;
		cr_assert_eq(corrupt, i > 0, "byte %u", i ? spots[i - 1] : 0);
		if (i)
			large[spots[i - 1]] ^= 0x10;
	}
}
