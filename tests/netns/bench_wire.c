// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/netns/bench_wire.h"

#ifdef HAVE_DPDK
#include "bench/generator_dpdk.h"
#endif
#include "bench/netns.h"
#include "bench/subject.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WIRE_FAULT_EVERY 100 // frames; one of each kind of fault among them

enum {
	FAULT_LOSS = 10,
	FAULT_TWICE = 20,
	FAULT_SWAP = 30,
	FAULT_PAYLOAD = 40,
	FAULT_NUMBER = 50,
	FAULT_CHECKSUM = 60
};

struct topology wire_topology;
struct generate *wire_generate;
volatile sig_atomic_t wire_stop;

void wire_open(void)
{
	struct generate_destination destinations[256] = { 0 };

	cr_assert_eq(topology_open(&wire_topology), 0);
	cr_assert_eq(generate_open(&wire_topology, &wire_generate), 0);
	for (unsigned int i = 0; i < 256; i++) {
		destinations[i] = (struct generate_destination){ .address = { 198, 18, i, 7 } };
	}
	generate_set_destinations(wire_generate, AF_INET, destinations, 256);
	for (unsigned int i = 0; i < 256; i++)
		destinations[i] = (struct generate_destination){ .address = { 0x20, 1, 0, 2, [15] = i } };
	generate_set_destinations(wire_generate, AF_INET6, destinations, 256);
#ifdef HAVE_DPDK
	generator_add(&generator_dpdk);
#endif
}

void wire_close(void)
{
	generate_close(wire_generate);
	topology_close(&wire_topology);
}

struct generator *wire_generator(const char *name, unsigned int largest)
{
	static struct generator_bed bed;
	const struct generator_way *way = NULL;
	struct generator *generator;
	struct why why = { 0 };

	bed = (struct generator_bed){ .lane = &wire_topology.subject,
				      .generate = wire_generate,
				      .largest = largest };
	cr_assert_eq(generator_choose(name, 0, &way), 0);
	cr_assert_eq(generator_open(way, &bed, &generator, &why), 0, "%s: %s", name, why.text);
	return generator;
}

int wire_listen(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_ifindex = wire_topology.subject.r0.ifindex,
				       .sll_protocol = htons(ETH_P_ALL) };
	const struct timeval patience = { .tv_sec = 10 };
	const int memory = 64 << 20, on = 1;
	int home, fd;

	cr_assert_eq(netns_enter(wire_topology.subject.r0.netns, &home), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &memory, sizeof(memory)), 0);
	cr_assert_eq(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	netns_leave(home);
	return fd;
}

// The kernel hands a tag over beside the frame: back with it. Returns the frame's size.
static unsigned int wire_put_back_tag(struct msghdr *message, __u8 *frame, unsigned int size)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(message);
	struct tpacket_auxdata beside;

	if (!part || part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA)
		return size;
	memcpy(&beside, CMSG_DATA(part), sizeof(beside));
	if (!(beside.tp_status & TP_STATUS_VLAN_VALID))
		return size;
	memmove(frame + 16, frame + 12, size - 12);
	memcpy(frame + 12, (__u8[]){ 0x81, 0x00, beside.tp_vlan_tci >> 8, beside.tp_vlan_tci }, 4);
	return size + 4;
}

unsigned int wire_catch(int fd, __u8 frame[WIRE_ROOM])
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct cmsghdr alignment;
	} beside;
	ssize_t size;

	do {
		struct iovec part = { .iov_base = frame, .iov_len = WIRE_ROOM - 4 };
		struct msghdr message = { .msg_iov = &part,
					  .msg_iovlen = 1,
					  .msg_control = &beside,
					  .msg_controllen = sizeof(beside) };

		size = recvmsg(fd, &message, 0);
		if (size > 12)
			size = wire_put_back_tag(&message, frame, size);
	} while (size > 0 && memcmp(frame + 6, wire_topology.subject.s.mac, 6) != 0);
	return size > 0 ? size : 0;
}

unsigned int wire_take_tag(__u8 *frame, unsigned int *size)
{
	unsigned int vlan = frame[14] << 8 | frame[15];

	if (frame[12] != 0x81 || frame[13] != 0)
		return 0;
	*size -= 4;
	memmove(frame + 12, frame + 16, *size - 12);
	return vlan;
}

unsigned int wire_get16(const __u8 *field)
{
	return field[0] << 8 | field[1];
}

unsigned int wire_add(const __u8 *bytes, unsigned int size, unsigned int sum)
{
	for (unsigned int i = 0; i < size; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

int wire_way_out(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_ifindex = wire_topology.subject.r1.ifindex };
	int home, fd;

	cr_assert_eq(netns_enter(wire_topology.subject.r1.netns, &home), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	netns_leave(home);
	return fd;
}

void wire_route(__u8 *frame)
{
	unsigned int check;

	lane_gateway_mac(0, frame);
	memcpy(frame + 6, wire_topology.subject.r1.mac, 6);
	if (wire_get16(frame + 12) == ETH_P_IPV6) {
		frame[21]--;
		return;
	}
	frame[22]--;
	frame[24] = frame[25] = 0;
	check = ~wire_add(frame + 14, 20, 0);
	frame[24] = check >> 8;
	frame[25] = check;
}

void wire_send(int fd, const __u8 *frame, unsigned int size)
{
	cr_assert_eq(send(fd, frame, size, 0), size, "%s", strerror(errno));
}

// Passes on what was caught of a number of frames, badly.
static void wire_route_badly(int in, int out, unsigned int count)
{
	static __u8 frame[WIRE_ROOM], kept[WIRE_ROOM];
	unsigned int kept_size = 0;

	for (unsigned int i = 0; i < count; i++) {
		unsigned int size = wire_catch(in, frame), udp;

		cr_assert_gt(size, 0, "%u of %u frames arrived", i, count);
		wire_take_tag(frame, &size);
		wire_route(frame);
		udp = wire_get16(frame + 12) == ETH_P_IPV6 ? 54 : 34;
		switch (i % WIRE_FAULT_EVERY) {
		case FAULT_LOSS:
			continue;
		case FAULT_SWAP:
			memcpy(kept, frame, size);
			kept_size = size;
			continue;
		case FAULT_PAYLOAD:
			frame[size - 1] ^= 1 << i / WIRE_FAULT_EVERY % 8;
			break;
		case FAULT_NUMBER: // of 8 bytes in ours, of 4 behind a word in pktgen's
			frame[udp + 16] ^= 1 << i / WIRE_FAULT_EVERY % 8;
			break;
		case FAULT_CHECKSUM:
			frame[udp + 7] ^= 1 << i / WIRE_FAULT_EVERY % 8;
			break;
		}
		wire_send(out, frame, size);
		if (i % WIRE_FAULT_EVERY == FAULT_TWICE)
			wire_send(out, frame, size);
		if (i % WIRE_FAULT_EVERY == FAULT_SWAP + 1)
			wire_send(out, kept, kept_size);
	}
}

void wire_break(struct generator *generator, const struct load *load)
{
	const char *name = generator_way(generator)->name;
	const unsigned int each = WIRE_FRAMES / WIRE_FAULT_EVERY;
	struct trial *trial = calloc(1, sizeof(*trial));
	struct trial_bed bed = {
		.generate = wire_generate, .generator = generator, .stop = &wire_stop, .load = *load
	};
	int in = wire_listen(), out = wire_way_out();

	cr_assert_eq(generate_sink(wire_generate, GENERATE_SINK_METERS), 0);
	generate_expect_gateways(wire_generate, false);
	cr_assert_eq(trial_start(&bed, load->rate, load->seconds), 0);
	cr_assert_eq(generator_wait(generator, &wire_stop), 0);
	wire_route_badly(in, out, WIRE_FRAMES);
	cr_assert_eq(trial_end(&bed, trial), 0);
	cr_assert_eq(trial->offered.sent, WIRE_FRAMES);
	cr_assert_eq(trial->metered.corrupt, 3 * each, "%s: %llu corrupt", name, trial->metered.corrupt);
	cr_assert_eq(trial->metered.duplicate, each, "%s: %llu twice", name, trial->metered.duplicate);
	cr_assert_eq(trial->metered.late, each, "%s: %llu late", name, trial->metered.late);
	cr_assert_eq(trial_arrived(trial), WIRE_FRAMES - 4 * each, "%s: %llu of %u arrived", name,
		     trial_arrived(trial), WIRE_FRAMES);
	cr_assert_eq(bed.wrong, 5 * each, "%s: %llu wrong", name, bed.wrong);
	close(in);
	close(out);
	free(trial);
}

void wire_through(const char *name, const struct load *load)
{
	struct subject_bed *subjects;
	struct trial_bed bed = { .generate = wire_generate, .stop = &wire_stop, .load = *load };
	struct trial *trial = calloc(1, sizeof(*trial));

	cr_assert_eq(generate_sink(wire_generate, GENERATE_SINK_METERS), 0);
	cr_assert_eq(subject_open(&wire_topology, &wire_stop, &subjects), 0);
	cr_assert_eq(subject_attach(subjects, subject_find("nolookup")), 0);
	generate_expect_gateways(wire_generate, false);
	bed.generator = wire_generator(name, load_largest(load));
	cr_assert_eq(trial_run(&bed, load->rate, load->seconds, trial), 0);
	cr_assert_eq(trial->offered.sent, WIRE_FRAMES);
	cr_assert_eq(trial_arrived(trial), WIRE_FRAMES, "%s: %llu arrived, %llu corrupt, %llu twice", name,
		     trial->metered.counts.arrived, trial->metered.corrupt, trial->metered.duplicate);
	cr_assert_eq(bed.wrong, 0, "%s: %llu wrong", name, bed.wrong);
	cr_assert_gt(histogram_percentile(trial->metered.latency, 0.5), 0);
	generator_close(bed.generator);
	subject_close(subjects);
	free(trial);
}
