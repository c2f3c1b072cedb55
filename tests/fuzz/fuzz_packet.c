// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/runner.h"
#include "tests/conformance/trial.h"
#include "tests/oracle/packets.h"

// Feeds the program, as user space builds it, with frames in a world of VLANs and VRFs. Besides not reading
// or writing where it may not, it must answer as the naive router allows.
//
// The first byte picks the port and what is mended, so that the fuzzer is not stopped by what it cannot
// guess: the frame's destination MAC, the IPv4 header checksum, the IPv6 payload length. The rest is the
// frame.

enum { PORT = 0x0f, MEND_MAC = 0x10, MEND_CHECKSUM = 0x20, MEND_LENGTH = 0x40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const struct runner_ops *const runner_list[] = { &runner_user, &runner_burst, NULL };

static struct world *world;
static struct trial *trial;

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "fuzz_packet: %s\n", what);
		abort();
	}
}

static void open_world(void)
{
	static const struct world_options options = {
		.ports = 3, .sub_interfaces = 6, .vrfs = 2, .routes = 300
	};
	static const struct fib_limits limits = { .node_chunks = 1 << 18, .run_cells = 1 << 20 };
	struct world_fib *tables;

	world = world_random(1, &options);
	must(world, "no world");
	must(world_fib_new(world, 1, &limits, false, &tables) == 0, "no tables");
	must(trial_new(world, tables, &trial) == 0, "no trial");
}

static const struct world_interface *pick_port(unsigned number)
{
	const struct world_interface *port = NULL;

	for (__u32 i = 0; i < world->interface_count; i++)
		if (!world->interface[i].parent && (!port || number-- > 0))
			port = &world->interface[i];
	return port;
}

static void mend_checksum(__u8 *ip)
{
	__u32 sum = 0;

	ip[10] = ip[11] = 0;
	for (int i = 0; i < 20; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = sum >> 8;
	ip[11] = sum;
}

static void mend(struct packet_drawn *packet, uint8_t what)
{
	__u32 at = 14;

	if (what & MEND_MAC)
		memcpy(packet->frame, packet->port->mac, 6);
	while (at + 4 < packet->length && at < 22 &&
	       ((packet->frame[at - 2] == 0x81 && packet->frame[at - 1] == 0) ||
		(packet->frame[at - 2] == 0x88 && packet->frame[at - 1] == 0xa8)))
		at += 4;
	if (what & MEND_CHECKSUM && at + 20 <= packet->length && packet->frame[at - 2] == 0x08)
		mend_checksum(packet->frame + at);
	if (what & MEND_LENGTH && at + 40 <= packet->length && packet->frame[at - 2] == 0x86) {
		packet->frame[at + 4] = (packet->length - at - 40) >> 8;
		packet->frame[at + 5] = packet->length - at - 40;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet_drawn packet;

	if (!world)
		open_world();
	if (size < 15 || size > sizeof(packet.frame))
		return 0;
	packet.port = pick_port(data[0] & PORT);
	packet.kind = "fuzzed";
	packet.number++;
	packet.length = size - 1;
	memcpy(packet.frame, data + 1, packet.length);
	mend(&packet, data[0]);
	trial_packet(trial, &packet);
	trial_flush(trial);
	trial_forget_flows(trial);
	must(trial_figures(trial)->wrong == 0, "the naive router does not allow that");
	return 0;
}
