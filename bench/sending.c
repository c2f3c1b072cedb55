// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/sending.h"

#include "bench/option.h"

#include <err.h>
#include <errno.h>
#include <string.h>

static int sending_take_dut(void *into, const char *bench, const char *value)
{
	struct sending *sending = into;
	size_t first = strcspn(value, ",");
	const char *second = value[first] ? value + first + 1 : NULL;

	if (!first || first >= IFNAMSIZ || (second && (!*second || strlen(second) >= IFNAMSIZ)))
		return option_refuse(bench, "--dut", value, "two ports: IN,OUT; one for a router on a stick");
	snprintf(sending->dut[0], sizeof(sending->dut[0]), "%.*s", (int)first, value);
	snprintf(sending->dut[1], sizeof(sending->dut[1]), "%s", second ? second : "");
	sending->ports.dut[0] = sending->dut[0];
	sending->ports.dut[1] = second ? sending->dut[1] : NULL;
	return 0;
}

static int sending_take_generator(void *into, const char *bench, const char *value)
{
	struct sending *sending = into;

	return generator_choose(value, 0, &sending->way);
}

static int sending_take_pcap(void *into, const char *bench, const char *value)
{
	struct sending *sending = into;

	sending->pcap = value;
	sending->way = &generator_pcap;
	return 0;
}

static int sending_take_destinations(void *into, const char *bench, const char *value)
{
	static const char *const orders[] = {
		[LOAD_UNIFORM] = "uniform",
		[LOAD_ZIPF] = "zipf",
		[LOAD_TRACE] = "trace",
	};
	struct sending *sending = into;

	for (unsigned int i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(value, orders[i]) == 0) {
			sending->order = i;
			return 0;
		}
	return option_refuse(bench, "--destinations", value, "uniform, zipf or trace");
}

static void sending_tell_generators(struct sending *sending)
{
	size_t size = sizeof(sending->generators);
	const struct generator_way *const *ways;
	unsigned int count, length;

	ways = generator_list(&count);
	length = snprintf(sending->generators, size, "what sends (%s)", sending->way->name);
	for (unsigned int i = 0; i < count && length < size; i++)
		length += snprintf(sending->generators + length, size - length, "\n  %-6s %s", ways[i]->name,
				   ways[i]->summary);
}

void sending_lines(struct sending *sending, struct option_line ret_lines[SENDING_LINES])
{
	const struct option_line lines[SENDING_LINES] = {
		{ "generator", "G", sending->generators, .take = sending_take_generator, .into = sending },
		{ "pcap", "FILE", "sends the packets of a capture, again and again; MACs are rewritten",
		  .take = sending_take_pcap, .into = sending },
		{ "flows", "N", "so many destinations, each from a port of its own (all)",
		  .number = &sending->flows, .least = 1, .most = TRAFFIC_DESTINATIONS },
		{ "destinations", "D",
		  "uniform: in turn, zipf: some much more often, trace: the same in trains", "uniform",
		  .take = sending_take_destinations, .into = sending },
		{ "tx", "IF", "sends by this port of the machine...", .text = &sending->ports.tx },
		{ "rx", "IF", "... and receives by this one; by the same from a router on a stick",
		  .text = &sending->ports.rx },
		{ "dut", "IN,OUT",
		  "the router is this machine's, too, between these ports, on a stick with but one;\n"
		  "without it, it is another machine",
		  .take = sending_take_dut, .into = sending },
		{ "dut-config", "FILE", "what to do on that other machine is written there, not shown",
		  .text = &sending->dut_config },
	};

	memcpy(ret_lines, lines, sizeof(lines));
	sending_tell_generators(sending);
}

// Are there as many ports as the router has?
static int sending_check_ports(struct sending *sending, const char *bench)
{
	struct topology_ports *ports = &sending->ports;

	if (ports->stick && ports->tx && !ports->rx)
		ports->rx = ports->tx;
	if (!ports->tx != !ports->rx || (ports->dut[0] && !ports->tx) ||
	    (sending->dut_config && !sending_is_remote(sending))) {
		warnx("bench %s: --tx and --rx belong together, --dut needs them, --dut-config goes without "
		      "--dut",
		      bench);
		return -EINVAL;
	}
	if (ports->dut[0] && ports->stick && ports->dut[1]) {
		warnx("bench %s: --dut %s,%s: want one port: a router on a stick has no other", bench,
		      ports->dut[0], ports->dut[1]);
		return -EINVAL;
	}
	if (ports->dut[0] && !ports->stick && !ports->dut[1]) {
		warnx("bench %s: --dut %s: want two ports: IN,OUT; one is for a router on a stick, see "
		      "--vlans and --workload",
		      bench, ports->dut[0]);
		return -EINVAL;
	}
	return 0;
}

int sending_read(struct sending *sending, const char *bench)
{
	struct why why = { 0 };
	int err = 0;

	if (sending->way == &generator_pcap && !sending->pcap) {
		warnx("bench %s: --generator pcap needs --pcap FILE", bench);
		return -EINVAL;
	}
	if (sending->pcap && sending->way != &generator_pcap) {
		warnx("bench %s: --pcap is for the generator pcap, not %s", bench, sending->way->name);
		return -EINVAL;
	}
	if (sending_check_ports(sending, bench) < 0)
		return -EINVAL;
	if (sending->pcap)
		err = recording_read(sending->pcap, &sending->recording, &why);
	if (err < 0)
		warnx("bench %s: %s", bench, why.text[0] ? why.text : strerror(-err));
	return err;
}

void sending_close(struct sending *sending)
{
	recording_free(sending->recording);
	sending->recording = NULL;
}

void sending_apply(const struct sending *sending, struct load *load)
{
	load->flows = sending->flows;
	load->order = sending->order;
}
