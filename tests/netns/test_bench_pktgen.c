// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The kernel's pktgen as a generator, in kernels that have it; tests/vm has some.

#include "bench/generator.h"
#include "tests/netns/bench_wire.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(bench_pktgen, .init = wire_open, .fini = wire_close);

static struct generator *open_pktgen(unsigned int largest)
{
	static struct generator_bed bed;
	struct generator *generator;
	struct why why = { 0 };
	int err;

	bed = (struct generator_bed){ .lane = &wire_topology.subject,
				      .generate = wire_generate,
				      .largest = largest };
	err = generator_open(&generator_pktgen, &bed, &generator, &why);
	if (err == -ENOENT) {
		cr_assert_not_null(strstr(why.text, "no module pktgen"), "%s", why.text);
		cr_skip_test("this kernel has no pktgen");
	}
	cr_assert_eq(err, 0, "%s", why.text);
	return generator;
}

static const struct load pktgen_load = {
	.family = AF_INET, .rate = 2000, .seconds = WIRE_FRAMES / 2000.0, .sizes = { 124 }, .weights = { 1 }
};

Test(bench_pktgen, through)
{
	struct generator *generator = open_pktgen(1514);
	struct load load = pktgen_load;
	struct why why = { 0 };

	load.family = AF_INET6;
	cr_assert_eq(generator_start(generator, &load, &why), -EOPNOTSUPP);
	generator_close(generator);
	wire_through("pktgen", &pktgen_load);
}

// With a tag and without, to as many destinations as it is told.
static void pktgen_on_the_wire(struct generator *generator, __u16 vlan, unsigned int flows)
{
	static __u8 frame[WIRE_ROOM];
	struct load load = pktgen_load;
	struct generator_counts counts;
	struct why why = { 0 };
	unsigned int first = 0;
	int fd = wire_listen();

	load.vlans = (struct lane_vlans){ .in = { vlan }, .count = 1 };
	load.flows = flows;
	cr_assert_eq(generator_run(generator, &load, &wire_stop, &counts, &why), 0, "%s", why.text);
	cr_assert_eq(counts.sent, WIRE_FRAMES);
	for (unsigned int i = 0; i < WIRE_FRAMES; i++) {
		unsigned int size = wire_catch(fd, frame);

		cr_assert_gt(size, 0, "%u frames arrived", i);
		cr_assert_eq(wire_take_tag(frame, &size), vlan);
		cr_assert_eq(size, 124, "%u bytes", size);
		first = i ? first : wire_get16(frame + 34);
		cr_assert_eq(wire_get16(frame + 34), (first + i) % flows);
		cr_assert_eq(wire_get16(frame + 32), (first + i) % flows);
		cr_assert_eq(wire_add(frame + 14, 20, 0), 0xffff, "IPv4 checksum of frame %u", i);
		cr_assert_eq(wire_add(frame + 26, size - 26, 17 + size - 34), 0xffff,
			     "UDP checksum of frame %u", i);
		cr_assert(frame[40] || frame[41]);
	}
	close(fd);
}

Test(bench_pktgen, on_the_wire)
{
	struct generator *generator = open_pktgen(128);

	pktgen_on_the_wire(generator, 0, 500);
	pktgen_on_the_wire(generator, 4094, 1);
	generator_close(generator);
}

// A mix of VLANs: each has its own numbers and destinations, and as many frames as the others, in turns.
static void pktgen_mix(struct generator *generator, double rate)
{
	static const __u16 vlans[] = { 10, 0, 4094 };
	static __u8 frame[WIRE_ROOM];
	unsigned int times[3] = { 0 }, apart = 0, of_one, index, port;
	struct load load = pktgen_load;
	struct generator_counts counts;
	struct why why = { 0 };
	int fd = wire_listen();

	load.vlans = (struct lane_vlans){ .in = { 10, 0, 4094 }, .count = 3 };
	load.flows = 302;
	load.rate = rate;
	load.packets = WIRE_FRAMES;
	cr_assert_eq(generator_run(generator, &load, &wire_stop, &counts, &why), 0, "%s", why.text);
	cr_assert_eq(counts.sent, WIRE_FRAMES, "%llu sent", counts.sent);
	for (unsigned int i = 0; i < WIRE_FRAMES; i++) {
		unsigned int size = wire_catch(fd, frame), vlan = wire_take_tag(frame, &size);

		cr_assert_gt(size, 0, "%u frames arrived", i);
		cr_assert_eq(size, 124, "%u bytes", size);
		for (index = 0; index < 2 && vlans[index] != vlan; index++)
			;
		cr_assert_eq(vlan, vlans[index]);
		of_one = times[index]++;
		cr_assert_eq(wire_get16(frame + 48), of_one + 1, "VLAN %u: frame %u has number %u", vlan,
			     of_one, wire_get16(frame + 48));
		port = wire_get16(frame + 34);
		cr_assert(port >= index * 100 && port < index * 100 + 100, "VLAN %u: port %u", vlan, port);
		cr_assert_eq(wire_get16(frame + 32), port);
		if (rate > 0)
			cr_assert_leq(of_one, i / 3 + 50, "VLAN %u: %u of %u frames", vlan, of_one, i);
		apart += of_one > i / 3 + WIRE_FRAMES / 4;
	}
	cr_assert_eq(apart, 0, "%u frames came before those of the other VLANs", apart);
	for (index = 0; index < 3; index++)
		cr_assert_eq(times[index], WIRE_FRAMES / 3);
	close(fd);
}

Test(bench_pktgen, mix)
{
	struct generator *generator = open_pktgen(128);

	pktgen_mix(generator, 2000);
	pktgen_mix(generator, 0);
	generator_close(generator);
}

Test(bench_pktgen, faults)
{
	struct generator *generator = open_pktgen(128);
	struct load load = pktgen_load;

	wire_break(generator, &load);
	load.vlans = (struct lane_vlans){ .in = { 10 }, .count = 1 };
	wire_break(generator, &load);
	generator_close(generator);
}
