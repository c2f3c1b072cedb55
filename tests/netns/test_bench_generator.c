// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Each way to send, seen on the wire by a packet socket on r0: numbers without a gap, sizes, families and
// tags as the load says, checksums computed here. And the sink that meters behind it: with a program that
// forwards in between, nothing lost at a low rate, whatever the frames; with a router made of packet sockets
// here, which loses, repeats, swaps and breaks packets, each of these counted as what it is.

#include "bench/generator.h"
#include "tests/netns/bench_wire.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct load mixed = { .family = AF_UNSPEC,
				   .share6 = 40,
				   .flows = 1000,
				   .rate = 20000,
				   .seconds = WIRE_FRAMES / 20000.0,
				   .sizes = { 60, 566, 1514 },
				   .weights = { 28, 16, 4 } };

TestSuite(bench_generator, .init = wire_open, .fini = wire_close);

// --- on the wire ---

// Checks a frame; returns its number.
static __u64 check_frame(const __u8 *frame, unsigned int size)
{
	bool six = wire_get16(frame + 12) == ETH_P_IPV6;
	unsigned int udp = six ? 54 : 34, addresses = six ? 22 : 26, length = size - udp;
	struct traffic_stamp stamp;
	__u16 index;

	memcpy(&stamp, frame + udp + 8, sizeof(stamp));
	memcpy(&index, frame + udp, sizeof(index));
	cr_assert_eq(memcmp(frame, wire_topology.subject.r0.mac, 6), 0);
	cr_assert_eq(memcmp(frame + 6, wire_topology.subject.s.mac, 6), 0);
	cr_assert_eq(wire_get16(frame + udp + 4), length);
	cr_assert_eq(wire_add(frame + addresses, size - addresses, 17 + length), 0xffff,
		     "UDP checksum of frame %llu", stamp.sequence);
	if (!six)
		cr_assert_eq(wire_add(frame + 14, 20, 0), 0xffff, "IPv4 checksum of frame %llu",
			     stamp.sequence);
	cr_assert_eq(index, stamp.sequence % mixed.flows);
	if (six)
		cr_assert_eq(frame[53], index % 256);
	else
		cr_assert_eq(frame[32], index % 256);
	return stamp.sequence;
}

static void on_the_wire(const char *name, const struct load *load)
{
	static __u8 seen[WIRE_FRAMES], frame[WIRE_ROOM];
	unsigned int sizes[3] = { 0 }, sixes = 0;
	struct generator *generator = wire_generator(name, load_largest(load));
	struct generator_counts counts;
	struct why why = { 0 };
	int fd = wire_listen();

	memset(seen, 0, sizeof(seen));
	cr_assert_eq(generator_run(generator, load, &wire_stop, &counts, &why), 0, "%s", why.text);
	cr_assert_eq(counts.sent, WIRE_FRAMES);
	for (unsigned int i = 0; i < WIRE_FRAMES; i++) {
		unsigned int size = wire_catch(fd, frame), vlan;
		__u64 number;

		cr_assert_gt(size, 0, "%s: %u frames arrived", name, i);
		vlan = wire_take_tag(frame, &size);
		number = check_frame(frame, size);
		cr_assert_lt(number, WIRE_FRAMES);
		cr_assert_eq(vlan, load_vlan(load, number), "%s: frame %llu is of VLAN %u", name, number,
			     vlan);
		cr_assert_not(seen[number], "%s: frame %llu twice", name, number);
		seen[number] = 1;
		sixes += wire_get16(frame + 12) == ETH_P_IPV6;
		sizes[size > 1000 ? 2 : size > 100]++;
	}
	cr_assert_eq(sixes, WIRE_FRAMES * load->share6 / 100);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(sizes[i], WIRE_FRAMES * load->weights[i] / 48, "%s: %u of size %u", name,
			     sizes[i], load->sizes[i]);
	generator_close(generator);
	close(fd);
}

static void tagged_on_the_wire(const char *name)
{
	struct load load = mixed;

	load.vlans = (struct lane_vlans){ .in = { 10, 0, 4094 }, .count = 3 };
	on_the_wire(name, &load);
}

Test(bench_generator, afxdp_on_the_wire)
{
	on_the_wire("afxdp", &mixed);
}

Test(bench_generator, afxdp_tagged_on_the_wire)
{
	tagged_on_the_wire("afxdp");
}

Test(bench_generator, live_on_the_wire)
{
	on_the_wire("live", &mixed);
}

Test(bench_generator, live_tagged_on_the_wire)
{
	tagged_on_the_wire("live");
}

#ifdef HAVE_DPDK
Test(bench_generator, dpdk_on_the_wire)
{
	on_the_wire("dpdk", &mixed);
}

Test(bench_generator, dpdk_tagged_on_the_wire)
{
	tagged_on_the_wire("dpdk");
}
#endif

// --- wire_through a bad router, into the sink ---

static void faults(const char *name)
{
	struct generator *generator = wire_generator(name, 1518);
	struct load load = mixed;

	load.rate = 5000;
	load.seconds = WIRE_FRAMES / load.rate;
	wire_break(generator, &load);
	load.vlans = (struct lane_vlans){ .in = { 10, 0, 4094 }, .count = 3 };
	wire_break(generator, &load);
	generator_close(generator);
}

Test(bench_generator, afxdp_faults)
{
	faults("afxdp");
}

Test(bench_generator, live_faults)
{
	faults("live");
}

#ifdef HAVE_DPDK
Test(bench_generator, dpdk_faults)
{
	faults("dpdk");
}
#endif

// --- captures ---

#define RECORDED 40

// IPv4 frames with a tag each in turn: none, VLAN 10, VLAN 99, and one that is too short without.
static struct recording *record(void)
{
	static const __u16 tags[] = { 0, 0x600a, 0xa063, 0x2063 };
	static struct load_frames made;
	const struct load load = { .family = AF_INET, .flows = RECORDED, .sizes = { 100 }, .weights = { 1 } };
	struct recording *recording = recording_new();
	__u8 bytes[104];

	cr_assert_eq(load_prepare(&made, &load, &wire_topology.subject, wire_generate), 0);
	for (unsigned int i = 0; i < RECORDED; i++) {
		__u32 size = load_frame(&made, i, 0, bytes);
		__u16 tag = tags[i % 4];

		memset(bytes, 0x22, 12);
		if (tag) {
			memmove(bytes + 16, bytes + 12, size - 12);
			memcpy(bytes + 12, (__u8[]){ 0x81, 0x00, tag >> 8, tag }, 4);
			size += 4;
		}
		cr_assert_eq(recording_add(recording, i * 1000, bytes, i % 4 == 3 ? 60 : size), 0);
	}
	return recording;
}

static struct generator *open_pcap(const struct recording *recording)
{
	static struct generator_bed bed;
	struct generator *generator;
	struct why why = { 0 };

	bed = (struct generator_bed){ .lane = &wire_topology.subject,
				      .generate = wire_generate,
				      .recording = recording,
				      .largest = recording->largest };
	cr_assert_eq(generator_open(&generator_pcap, &bed, &generator, &why), 0, "%s", why.text);
	return generator;
}

// What the TCI of a frame is to be, as README says.
static unsigned int replayed_tci(const struct load *load, unsigned int i, unsigned int captured)
{
	unsigned int vlan = load_vlan(load, i);

	for (unsigned int k = 0; k < load->vlans.count; k++)
		if (load->vlans.in[k] == (captured & 0xfff))
			return captured;
	if (!load->vlans.count)
		return captured;
	return vlan ? (captured & 0xf000) | vlan : 0;
}

static void check_replayed(const struct recording *recording, const struct load *load, unsigned int i,
			   __u8 *frame, unsigned int size)
{
	__u8 wanted[WIRE_ROOM] = { 0 };
	unsigned int wanted_size = recording->frames[i].size, tci;

	memcpy(wanted, recording_bytes(recording, i), wanted_size);
	memcpy(wanted, wire_topology.subject.r0.mac, 6);
	memcpy(wanted + 6, wire_topology.subject.s.mac, 6);
	tci = replayed_tci(load, i, wire_take_tag(wanted, &wanted_size));
	cr_assert_eq(wire_take_tag(frame, &size), tci, "frame %u", i);
	wanted_size = wanted_size < 60 && !tci ? 60 : wanted_size;
	cr_assert_eq(size, wanted_size, "frame %u has %u bytes", i, size);
	cr_assert_eq(memcmp(frame, wanted, wanted_size < 56 ? wanted_size : 56), 0, "frame %u", i);
}

static void replay(struct generator *generator, const struct recording *recording, const struct load *load)
{
	static __u8 frame[WIRE_ROOM];
	struct generator_counts counts;
	struct why why = { 0 };
	int fd = wire_listen();

	cr_assert_eq(generator_run(generator, load, &wire_stop, &counts, &why), 0, "%s", why.text);
	cr_assert_eq(counts.sent, 2 * RECORDED);
	for (unsigned int i = 0; i < 2 * RECORDED; i++) {
		unsigned int size = wire_catch(fd, frame);

		cr_assert_gt(size, 0, "%u frames arrived", i);
		check_replayed(recording, load, i % RECORDED, frame, size);
	}
	close(fd);
}

// Twice, with their own tags and with those of a load.
Test(bench_generator, pcap_on_the_wire)
{
	struct recording *recording = record();
	struct generator *generator = open_pcap(recording);
	struct load load = { .packets = 2 * RECORDED, .rate = 5000 };

	replay(generator, recording, &load);
	load.vlans = (struct lane_vlans){ .in = { 10, 20 }, .count = 2 };
	replay(generator, recording, &load);
	load.vlans = (struct lane_vlans){ .in = { 0, 20, 4094 }, .count = 3 };
	replay(generator, recording, &load);
	generator_close(generator);
	recording_free(recording);
}

// Captured frames have no numbers: the sink counts them, and looks at headers. `bench equal` sees the rest.
Test(bench_generator, pcap_faults)
{
	struct recording *recording = record();
	struct generator *generator = open_pcap(recording);
	struct trial *trial = calloc(1, sizeof(*trial));
	struct trial_bed bed = { .generate = wire_generate,
				 .generator = generator,
				 .stop = &wire_stop,
				 .load = { .packets = RECORDED },
				 .pass = RECORDED,
				 .pass_arrives = RECORDED };
	int in = wire_listen(), out = wire_way_out();
	static __u8 frame[WIRE_ROOM];

	cr_assert_eq(generate_sink(wire_generate, GENERATE_SINK_REPLAYED), 0);
	cr_assert_eq(trial_start(&bed, 5000, 0), 0);
	cr_assert_eq(generator_wait(generator, &wire_stop), 0);
	for (unsigned int i = 0; i < RECORDED; i++) {
		unsigned int size = wire_catch(in, frame);

		cr_assert_gt(size, 0, "%u frames arrived", i);
		wire_take_tag(frame, &size);
		wire_route(frame);
		frame[24] ^= i == 8;
		for (unsigned int times = i == 4 ? 0 : i == 12 ? 3 : 1; times; times--)
			wire_send(out, frame, size);
	}
	cr_assert_eq(trial_end(&bed, trial), 0);
	cr_assert_eq(trial_arrived(trial), RECORDED + 1, "%llu arrived", trial_arrived(trial));
	cr_assert_eq(trial->metered.counts.wrong[TRAFFIC_WRONG_CHECKSUM], 1);
	cr_assert_eq(bed.wrong, 2, "%llu wrong: a broken one, and one more than were sent", bed.wrong);
	generator_close(generator);
	recording_free(recording);
	close(in);
	close(out);
	free(trial);
}

// --- wire_through a router, into the sink ---

Test(bench_generator, afxdp_through)
{
	wire_through("afxdp", &mixed);
}

Test(bench_generator, live_through)
{
	wire_through("live", &mixed);
}

// Frames of several parts, wire_through a program that sees all of them.
Test(bench_generator, jumbo_through)
{
	struct load load = mixed;

	load.rate = 5000;
	load.seconds = WIRE_FRAMES / load.rate;
	load.sizes[0] = 9014;
	load.sizes[1] = 4097;
	load.sizes[2] = 8193;
	cr_assert_eq(topology_mtu(&wire_topology, 9000), 0);
	wire_through("afxdp", &load);
#ifdef HAVE_DPDK
	wire_through("dpdk", &load);
#endif
}

// --- whom frames go to ---

static struct load_frames frames;

static void prepare(enum load_order order, unsigned int flows)
{
	struct load load = mixed;

	load.order = order;
	load.flows = flows;
	cr_assert_eq(load_prepare(&frames, &load, &wire_topology.subject, wire_generate), 0);
}

// How often destination 0 comes, of TRAFFIC_DESTINATIONS; and how often the same comes again at once.
static void tell(unsigned int flows, unsigned int *ret_first, unsigned int *ret_again)
{
	*ret_first = *ret_again = 0;
	for (unsigned int i = 0; i < TRAFFIC_DESTINATIONS; i++) {
		cr_assert_lt(load_destination(&frames, i), flows);
		*ret_first += load_destination(&frames, i) == 0;
		*ret_again += i && load_destination(&frames, i) == load_destination(&frames, i - 1);
	}
}

Test(bench_generator, destinations)
{
	const double harmonic = 7.4855; // of 1000
	unsigned int first, again;

	prepare(LOAD_UNIFORM, 1000);
	tell(1000, &first, &again);
	cr_assert_eq(first, 66);
	cr_assert_eq(again, 0);
	prepare(LOAD_ZIPF, 1000);
	tell(1000, &first, &again);
	cr_assert_float_eq(first, TRAFFIC_DESTINATIONS / harmonic, 500);
	cr_assert_lt(again, TRAFFIC_DESTINATIONS / 10);
	prepare(LOAD_TRACE, 1000);
	tell(1000, &first, &again);
	cr_assert_float_eq(first, TRAFFIC_DESTINATIONS / harmonic, 2000);
	cr_assert_gt(again, TRAFFIC_DESTINATIONS * 0.7); // trains of 4 on average
	cr_assert_lt(again, TRAFFIC_DESTINATIONS * 0.85);
	prepare(LOAD_UNIFORM, 1);
	tell(1, &first, &again);
}

// A mix of VLANs: the frames are those of the same load without, with a tag put in; each VLAN comes as often.
Test(bench_generator, tags)
{
	static struct load_frames plain;
	static const __u16 vlans[] = { 10, 0, 4094 };
	struct load load = mixed;
	unsigned int times[3] = { 0 }, families[3][2] = { 0 };
	__u8 bytes[1514 + 4], wanted[1514 + 4];

	cr_assert_eq(load_prepare(&plain, &load, &wire_topology.subject, wire_generate), 0);
	load.vlans = (struct lane_vlans){ .in = { 10, 0, 4094 }, .count = 3 };
	cr_assert_eq(load_largest(&load), 1518);
	cr_assert_eq(load_prepare(&frames, &load, &wire_topology.subject, wire_generate), 0);
	for (unsigned int i = 0; i < 4800; i++) {
		__u32 size = load_frame(&frames, i, 5, bytes), of_plain = load_frame(&plain, i, 5, wanted);
		unsigned int which = wire_get16(bytes + 12) != 0x8100 ? 1
				     : wire_get16(bytes + 14) == 10   ? 0
								      : 2;

		if (which != 1) {
			memmove(wanted + 16, wanted + 12, of_plain - 12);
			memcpy(wanted + 12, which ? "\x81\x00\x0f\xfe" : "\x81\x00\x00\x0a", 4);
			of_plain += 4;
		}
		cr_assert_eq(size, of_plain, "frame %u", i);
		cr_assert_eq(memcmp(bytes, wanted, size), 0, "frame %u", i);
		times[which]++;
		families[which][load_is_six(&load, i)]++;
	}
	for (unsigned int i = 0; i < 3; i++) {
		cr_assert_float_eq((double)times[i], 1600.0, 160.0, "VLAN %u comes %u times", vlans[i],
				   times[i]);
		cr_assert_float_eq((double)families[i][1], times[i] * 0.4, 80.0, "VLAN %u: %u IPv6", vlans[i],
				   families[i][1]);
	}
}

// What a way cannot send it says before anything is set up.
Test(bench_generator, suits)
{
	struct load load = mixed;
	struct why why = { 0 };

	cr_assert_eq(generator_suits(&generator_afxdp, &load, &why), 0);
	cr_assert_eq(generator_suits(&generator_pktgen, &load, &why), -EOPNOTSUPP);
	cr_assert_not_null(strstr(why.text, "pktgen: sends IPv4 of one size only"), "%s", why.text);
	load = (struct load){ .family = AF_INET, .sizes = { 60 }, .weights = { 1 } };
	load.vlans = (struct lane_vlans){ .in = { 10 }, .count = 1 };
	cr_assert_eq(generator_suits(&generator_pktgen, &load, &why), 0);
	load.vlans = (struct lane_vlans){ .in = { 10, 20 }, .count = 2 };
	cr_assert_eq(generator_suits(&generator_live, &load, &why), 0);
	cr_assert_eq(generator_suits(&generator_pktgen, &load, &why), 0);
	load.vlans.count = 0;
	load.order = LOAD_ZIPF;
	cr_assert_eq(generator_suits(&generator_pktgen, &load, &why), -EOPNOTSUPP);
	cr_assert_not_null(strstr(why.text, "one destination after the other"), "%s", why.text);
	load.order = LOAD_UNIFORM;
	load.sizes[0] = 9014;
	cr_assert_eq(generator_suits(&generator_afxdp, &load, &why), 0);
	cr_assert_eq(generator_suits(&generator_live, &load, &why), -EMSGSIZE);
	cr_assert_not_null(strstr(why.text, "live: sends frames of 3520 bytes at most"), "%s", why.text);
}

Test(bench_generator, too_much)
{
	struct load load = mixed;

	load.rate = 1e9;
	load.seconds = 1;
	cr_assert_eq(load_prepare(&frames, &load, &wire_topology.subject, wire_generate), -EINVAL);
	load = mixed;
	load.sizes[2] = LOAD_LARGEST + 1;
	cr_assert_eq(load_prepare(&frames, &load, &wire_topology.subject, wire_generate), -EMSGSIZE);
}

// Two of them on one queue.
Test(bench_generator, busy)
{
	const struct generator_bed bed = { .lane = &wire_topology.subject,
					   .generate = wire_generate,
					   .largest = 60 };
	struct generator *one = wire_generator("afxdp", 60), *two = NULL;
	struct why why = { 0 };

	cr_assert_eq(generator_open(&generator_afxdp, &bed, &two, &why), -EBUSY);
	cr_assert_not_null(strstr(why.text, "s0: another AF_XDP socket"), "%s", why.text);
	generator_close(one);
}
