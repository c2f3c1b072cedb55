// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The queues that the program for the NIC chooses, card_queues CARD_OBJECT: what a flow's packets look like
 * otherwise does not matter, and flows are spread evenly over all queues, whatever tags and headers they
 * have. Drawn packets of drawn worlds whose tables find no room on the card, or do.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "tests/conformance/card_object.h"
#include "tests/conformance/decode.h"
#include "tests/conformance/world_fib.h"
#include "tests/oracle/packets.h"

#define SEED      20261201
#define PACKETS   6000
#define QUEUES    64
#define SENDERS   64 // source ports of one packet
#define SURE      6  // standard deviations
#define SHOWN     8
#define LEAST     5000 // flows of each kind
#define EXIT_SKIP 77

enum kind { PLAIN4, PLAIN6, TAGGED4, TAGGED6, KINDS };

static const char *const kind_names[KINDS] = { "IPv4", "IPv6", "IPv4 with tags", "IPv6 with tags" };

struct trial {
	struct card_object card;
	__u32 on[KINDS][QUEUES], flows[KINDS];
	__u32 beyond, full, wrong;
};

// A packet that was found to be sound.
struct place {
	enum kind kind;
	__u32 ip;    // where its header is
	__u32 ports; // 0: it has none
};

static bool is_chosen_for(__u8 reason)
{
	return reason == REASON_EGRESS_BEYOND || reason == REASON_TABLE_FULL;
}

static bool is_tag(__u16 type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

static __u16 word(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static struct place place_of(const struct packet_drawn *packet)
{
	const __u8 *frame = packet->frame;
	struct place place = { .ip = ETH_HLEN };
	__u8 protocol;
	bool ipv6;

	while (is_tag(word(frame + place.ip - 2)))
		place.ip += 4;
	ipv6 = frame[place.ip] >> 4 == 6;
	place.kind = (place.ip > ETH_HLEN ? TAGGED4 : PLAIN4) + ipv6;
	protocol = frame[place.ip + (ipv6 ? 6 : 9)];
	place.ports = place.ip + (ipv6 ? 40 : 20);
	if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) ||
	    (!ipv6 && word(frame + place.ip + 6) & 0x3fff) || place.ports + 4 > packet->length)
		place.ports = 0;
	return place;
}

static void set_checksum4(__u8 *ip)
{
	__u32 sum = 0;

	ip[10] = ip[11] = 0;
	for (int i = 0; i < 20; i += 2)
		sum += word(ip + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	ip[10] = sum >> 8;
	ip[11] = sum;
}

// Another packet of the flow.
static void change_packet(__u8 *ip, __u8 by)
{
	if (ip[0] >> 4 == 6) {
		ip[1] ^= by & 0x0f;
		ip[3] ^= by;
		ip[7] = 100 + by % 100;
		return;
	}
	ip[1] ^= by;
	ip[5] ^= by;
	ip[8] = 100 + by % 100;
	set_checksum4(ip);
}

static void fail(struct trial *trial, const struct packet_drawn *packet, const char *what, int is, int wanted)
{
	if (trial->wrong++ >= SHOWN)
		return;
	printf("packet %llu (%s), %u queues: %s: %d, wanted %d\n", (unsigned long long)packet->number,
	       packet->kind, trial->card.queues, what, is, wanted);
	decode_print(stdout, "frame", packet->frame, packet->length);
}

// From many source ports.
static void spread(struct trial *trial, __u16 port, struct packet_drawn *packet, const struct place *place)
{
	__u16 first = word(packet->frame + place->ports);
	__u8 reason;

	for (__u32 i = 0; i < SENDERS; i++) {
		__u16 source = htons(first + 1 + i);
		int queue;

		memcpy(packet->frame + place->ports, &source, sizeof(source));
		queue = card_object_queue(&trial->card, port, packet->frame, packet->length, &reason);
		if (queue >= 0 && !is_chosen_for(reason))
			continue; // of a group, it takes a member that sends to this port
		if (queue < 0 || queue >= trial->card.queues) {
			fail(trial, packet, "from another port: queue", queue, trial->card.queues - 1);
			continue;
		}
		trial->on[place->kind][queue]++;
		trial->flows[place->kind]++;
	}
}

static void try_packet(struct trial *trial, __u16 port, struct packet_drawn *packet)
{
	__u8 reason, again;
	int queue = card_object_queue(&trial->card, port, packet->frame, packet->length, &reason), other;
	struct place place;

	if (queue >= 0 && !is_chosen_for(reason))
		return;
	trial->beyond += reason == REASON_EGRESS_BEYOND;
	trial->full += reason == REASON_TABLE_FULL;
	if (queue < 0 || queue >= trial->card.queues) {
		fail(trial, packet, "queue", queue, trial->card.queues - 1);
		return;
	}
	place = place_of(packet);
	change_packet(packet->frame + place.ip, (__u8)packet->number | 1);
	other = card_object_queue(&trial->card, port, packet->frame, packet->length, &again);
	if (other != queue || again != reason)
		fail(trial, packet, "another packet of the flow", other, queue);
	if (place.ports)
		spread(trial, port, packet, &place);
}

static void judge(struct trial *trial)
{
	double mean, most;

	for (int kind = 0; kind < KINDS; kind++) {
		mean = (double)trial->flows[kind] / trial->card.queues;
		most = SURE * sqrt(mean);
		printf("%u queues, %s: %u flows", trial->card.queues, kind_names[kind], trial->flows[kind]);
		for (__u16 queue = 0; queue < trial->card.queues; queue++) {
			printf(" %u", trial->on[kind][queue]);
			if (fabs(trial->on[kind][queue] - mean) > most) {
				printf(" (wanted %.0f to %.0f)", mean - most, mean + most);
				trial->wrong++;
			}
		}
		printf("\n");
	}
}

static void try_packets(struct trial *trial, const struct world_fib *tables, __u64 seed)
{
	static struct packet_drawn packet;
	struct packets *packets = packets_new(tables->world, seed);

	if (!packets || card_object_feed(&trial->card, tables->store))
		exit(1);
	for (int i = 0; i < PACKETS; i++) {
		__u16 port;

		packets_next(packets, &packet);
		port = tables->port[packet.port - tables->world->interface];
		if (port != WORLD_FIB_NO_PORT && packet.length >= ETH_HLEN &&
		    packet.length <= CARD_OBJECT_LONGEST)
			try_packet(trial, port, &packet);
	}
	packets_free(packets);
}

static int run_world(const char *path, const struct card_sizes *sizes, __u16 queues, __u64 seed,
		     struct trial *sum)
{
	const struct world_options options = { .ports = 3, .sub_interfaces = 12, .vrfs = 2, .routes = 1000 };
	const struct fib_limits limits = { .node_chunks = 1 << 17, .run_cells = 1 << 20 };
	struct trial trial = { .card = { .sizes = *sizes, .queues = queues } };
	struct world *world = world_random(seed, &options);
	struct world_fib *tables = NULL;
	int error = world ? world_fib_new(world, seed, &limits, false, &tables) : -ENOMEM;

	if (!error)
		error = card_object_open(&trial.card, path, tables->store, tables->ports);
	if (!error) {
		try_packets(&trial, tables, seed);
		judge(&trial);
		printf("%u packets for other ports, %u without room, %u wrong\n", trial.beyond, trial.full,
		       trial.wrong);
	}
	card_object_close(&trial.card);
	world_fib_free(tables);
	world_free(world);
	for (int kind = 0; kind < KINDS; kind++)
		sum->flows[kind] += trial.flows[kind];
	sum->beyond += trial.beyond;
	sum->full += trial.full;
	sum->wrong += trial.wrong;
	return error;
}

int main(int argc, char *argv[])
{
	struct trial sum = { .wrong = 0 };
	struct card_sizes small;
	bool weak;
	int error;

	if (argc != 2 || card_sizes_fit(40000, &small)) {
		fprintf(stderr, "usage: card_queues CARD_OBJECT\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(NULL);
	error = run_world(argv[1], &card_object_whole, 1, SEED, &sum);
	if (!error)
		error = run_world(argv[1], &card_object_whole, 6, SEED + 1, &sum);
	if (!error)
		error = run_world(argv[1], &small, QUEUES, SEED + 2, &sum);
	if (error == -EPERM) {
		printf("skipped: BPF is not permitted here\n");
		return EXIT_SKIP;
	}
	if (error)
		printf("%s\n", strerror(-error));
	weak = sum.beyond < 1000 || sum.full < 1000;
	for (int kind = 0; kind < KINDS; kind++)
		weak = weak || sum.flows[kind] < LEAST;
	if (weak)
		printf("the test has become weak\n");
	return error || weak || sum.wrong;
}
