// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Each way to send, seen on the wire by a packet socket on r0: numbers without a gap, sizes and families as
// the load says, checksums computed here. And the sink that meters behind it, with a program that forwards in
// between: nothing lost at a low rate, whatever the frames; each byte that changes on the way is found.

#include "bench/generator.h"
#include "bench/netns.h"
#include "bench/subject.h"
#include "bench/trial.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES 1200

static struct topology topology;
static struct generate *generate;
static volatile sig_atomic_t stop;

static const struct load mixed = { .family = AF_UNSPEC,
				   .share6 = 40,
				   .flows = 1000,
				   .rate = 20000,
				   .seconds = FRAMES / 20000.0,
				   .sizes = { 60, 566, 1514 },
				   .weights = { 28, 16, 4 } };

static void open_bed(void)
{
	struct generate_destination destinations[256] = { 0 };

	cr_assert_eq(topology_open(&topology), 0);
	cr_assert_eq(generate_open(&topology, &generate), 0);
	for (unsigned int i = 0; i < 256; i++) {
		destinations[i] = (struct generate_destination){ .address = { 198, 18, i, 7 } };
	}
	generate_set_destinations(generate, AF_INET, destinations, 256);
	for (unsigned int i = 0; i < 256; i++)
		destinations[i] = (struct generate_destination){ .address = { 0x20, 1, 0, 2, [15] = i } };
	generate_set_destinations(generate, AF_INET6, destinations, 256);
}

static void close_bed(void)
{
	generate_close(generate);
	topology_close(&topology);
}

TestSuite(bench_generator, .init = open_bed, .fini = close_bed);

static struct generator *open_generator(const char *name, unsigned int largest)
{
	static struct generator_bed bed;
	const struct generator_way *way = NULL;
	struct generator *generator;
	struct why why = { 0 };

	bed = (struct generator_bed){ .lane = &topology.subject, .generate = generate, .largest = largest };
	cr_assert_eq(generator_choose(name, 0, &way), 0);
	cr_assert_eq(generator_open(way, &bed, &generator, &why), 0, "%s: %s", name, why.text);
	return generator;
}

// --- on the wire ---

static int open_capture(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_ifindex = topology.subject.r0.ifindex,
				       .sll_protocol = htons(ETH_P_ALL) };
	const struct timeval patience = { .tv_sec = 10 };
	const int memory = 64 << 20;
	int home, fd;

	cr_assert_eq(netns_enter(topology.subject.r0.netns, &home), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &memory, sizeof(memory)), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	netns_leave(home);
	return fd;
}

static unsigned int get16(const __u8 *field)
{
	return field[0] << 8 | field[1];
}

static unsigned int add(const __u8 *bytes, unsigned int size, unsigned int sum)
{
	for (unsigned int i = 0; i < size; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

// Checks a frame; returns its number.
static __u64 check_frame(const __u8 *frame, unsigned int size)
{
	bool six = get16(frame + 12) == ETH_P_IPV6;
	unsigned int udp = six ? 54 : 34, addresses = six ? 22 : 26, length = size - udp;
	struct traffic_stamp stamp;
	__u16 index;

	memcpy(&stamp, frame + udp + 8, sizeof(stamp));
	memcpy(&index, frame + udp, sizeof(index));
	cr_assert_eq(memcmp(frame, topology.subject.r0.mac, 6), 0);
	cr_assert_eq(memcmp(frame + 6, topology.subject.s.mac, 6), 0);
	cr_assert_eq(get16(frame + udp + 4), length);
	cr_assert_eq(add(frame + addresses, size - addresses, 17 + length), 0xffff,
		     "UDP checksum of frame %llu", stamp.sequence);
	if (!six)
		cr_assert_eq(add(frame + 14, 20, 0), 0xffff, "IPv4 checksum of frame %llu", stamp.sequence);
	cr_assert_eq(index, stamp.sequence % mixed.flows);
	if (six)
		cr_assert_eq(frame[53], index % 256);
	else
		cr_assert_eq(frame[32], index % 256);
	return stamp.sequence;
}

static void on_the_wire(const char *name)
{
	static __u8 seen[FRAMES];
	unsigned int sizes[3] = { 0 }, sixes = 0;
	struct generator *generator = open_generator(name, 1514);
	struct generator_counts counts;
	struct why why = { 0 };
	int fd = open_capture();

	memset(seen, 0, sizeof(seen));
	cr_assert_eq(generator_run(generator, &mixed, &stop, &counts, &why), 0, "%s", why.text);
	cr_assert_eq(counts.sent, FRAMES);
	for (unsigned int i = 0; i < FRAMES; i++) {
		__u8 frame[2048];
		ssize_t size;
		__u64 number;

		do { // of the router's own, nothing is looked at
			size = recv(fd, frame, sizeof(frame), 0);
			cr_assert_gt(size, 0, "%s: %u frames arrived", name, i);
		} while (memcmp(frame + 6, topology.subject.s.mac, 6) != 0);
		number = check_frame(frame, size);
		cr_assert_lt(number, FRAMES);
		cr_assert_not(seen[number], "%s: frame %llu twice", name, number);
		seen[number] = 1;
		sixes += get16(frame + 12) == ETH_P_IPV6;
		sizes[size > 1000 ? 2 : size > 100]++;
	}
	cr_assert_eq(sixes, FRAMES * mixed.share6 / 100);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(sizes[i], FRAMES * mixed.weights[i] / 48, "%s: %u of size %u", name, sizes[i],
			     mixed.sizes[i]);
	generator_close(generator);
	close(fd);
}

Test(bench_generator, afxdp_on_the_wire)
{
	on_the_wire("afxdp");
}

Test(bench_generator, live_on_the_wire)
{
	on_the_wire("live");
}

// --- through a router, into the sink ---

static void through(const char *name, const struct load *load)
{
	struct subject_bed *subjects;
	struct trial_bed bed = { .generate = generate, .stop = &stop, .load = *load };
	struct trial *trial = calloc(1, sizeof(*trial));

	cr_assert_eq(generate_sink(generate, GENERATE_SINK_METERS), 0);
	cr_assert_eq(subject_open(&topology, &stop, &subjects), 0);
	cr_assert_eq(subject_attach(subjects, subject_find("nolookup")), 0);
	generate_expect_gateways(generate, false);
	bed.generator = open_generator(name, load_largest(load));
	cr_assert_eq(trial_run(&bed, load->rate, load->seconds, trial), 0);
	cr_assert_eq(trial->offered.sent, FRAMES);
	cr_assert_eq(trial_arrived(trial), FRAMES, "%s: %llu arrived, %llu corrupt, %llu twice", name,
		     trial->metered.counts.arrived, trial->metered.corrupt, trial->metered.duplicate);
	cr_assert_eq(bed.wrong, 0, "%s: %llu wrong", name, bed.wrong);
	cr_assert_gt(histogram_percentile(trial->metered.latency, 0.5), 0);
	generator_close(bed.generator);
	subject_close(subjects);
	free(trial);
}

Test(bench_generator, afxdp_through)
{
	through("afxdp", &mixed);
}

Test(bench_generator, live_through)
{
	through("live", &mixed);
}

// In kernels that have it; tests/vm has some.
Test(bench_generator, pktgen_through)
{
	const struct generator_bed bed = { .lane = &topology.subject, .generate = generate, .largest = 1514 };
	const struct load load = { .family = AF_INET,
				   .rate = 2000,
				   .seconds = FRAMES / 2000.0,
				   .sizes = { 124 },
				   .weights = { 1 } };
	struct generator *generator;
	struct why why = { 0 };
	int err = generator_open(&generator_pktgen, &bed, &generator, &why);

	if (err == -ENOENT) {
		cr_assert_not_null(strstr(why.text, "no module pktgen"), "%s", why.text);
		cr_skip_test("this kernel has no pktgen");
	}
	cr_assert_eq(err, 0, "%s", why.text);
	cr_assert_eq(generator_start(generator, &mixed, &why), -EOPNOTSUPP, "several sizes");
	generator_close(generator);
	through("pktgen", &load);
}

// Frames of several parts, through a program that sees all of them.
Test(bench_generator, jumbo_through)
{
	struct load load = mixed;

	load.rate = 5000;
	load.seconds = FRAMES / load.rate;
	load.sizes[0] = 9014;
	load.sizes[1] = 4097;
	load.sizes[2] = 8193;
	cr_assert_eq(topology_mtu(&topology, 9000), 0);
	through("afxdp", &load);
}

// --- whom frames go to ---

static struct load_frames frames;

static void prepare(enum load_order order, unsigned int flows)
{
	struct load load = mixed;

	load.order = order;
	load.flows = flows;
	cr_assert_eq(load_prepare(&frames, &load, &topology.subject, generate), 0);
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

	cr_assert_eq(load_prepare(&plain, &load, &topology.subject, generate), 0);
	load.vlans = (struct lane_vlans){ .in = { 10, 0, 4094 }, .count = 3 };
	cr_assert_eq(load_largest(&load), 1518);
	cr_assert_eq(load_prepare(&frames, &load, &topology.subject, generate), 0);
	for (unsigned int i = 0; i < 4800; i++) {
		__u32 size = load_frame(&frames, i, 5, bytes), of_plain = load_frame(&plain, i, 5, wanted);
		unsigned int which = get16(bytes + 12) != 0x8100 ? 1 : get16(bytes + 14) == 10 ? 0 : 2;

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

// Those that send none say so.
Test(bench_generator, no_tags)
{
	struct load load = mixed;
	struct generator *generator = open_generator("live", 1518);
	struct why why = { 0 };

	load.vlans = (struct lane_vlans){ .in = { 10 }, .count = 1 };
	cr_assert_eq(generator_start(generator, &load, &why), -EOPNOTSUPP);
	cr_assert_not_null(strstr(why.text, "live: sends no VLAN tags"), "%s", why.text);
	generator_close(generator);
}

Test(bench_generator, too_much)
{
	struct load load = mixed;

	load.rate = 1e9;
	load.seconds = 1;
	cr_assert_eq(load_prepare(&frames, &load, &topology.subject, generate), -EINVAL);
	load = mixed;
	load.sizes[2] = LOAD_LARGEST + 1;
	cr_assert_eq(load_prepare(&frames, &load, &topology.subject, generate), -EMSGSIZE);
}

// Two of them on one queue.
Test(bench_generator, busy)
{
	const struct generator_bed bed = { .lane = &topology.subject, .generate = generate, .largest = 60 };
	struct generator *one = open_generator("afxdp", 60), *two = NULL;
	struct why why = { 0 };

	cr_assert_eq(generator_open(&generator_afxdp, &bed, &two, &why), -EBUSY);
	cr_assert_not_null(strstr(why.text, "s0: another AF_XDP socket"), "%s", why.text);
	generator_close(one);
}
