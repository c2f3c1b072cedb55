// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/sending.h"

#include "bench/option.h"

#include <err.h>
#include <errno.h>
#include <string.h>

int sending_option(struct sending *sending, const char *bench, int option, const char *value)
{
	static const char *const orders[] = {
		[LOAD_UNIFORM] = "uniform",
		[LOAD_ZIPF] = "zipf",
		[LOAD_TRACE] = "trace",
	};

	switch (option) {
	case SENDING_GENERATOR:
		return generator_choose(value, 0, &sending->way);
	case SENDING_PCAP:
		sending->pcap = value;
		sending->way = &generator_pcap;
		return 0;
	case SENDING_FLOWS:
		return option_number(bench, "--flows", value, 1, TRAFFIC_DESTINATIONS, &sending->flows);
	case SENDING_DESTINATIONS:
		for (unsigned int i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
			if (strcmp(value, orders[i]) == 0) {
				sending->order = i;
				return 0;
			}
		return option_refuse(bench, "--destinations", value, "uniform, zipf or trace");
	}
	return -EINVAL;
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

void sending_help(FILE *out)
{
	const struct generator_way *const *ways;
	unsigned int count;

	ways = generator_list(&count);
	fprintf(out, "  --generator G     what sends (afxdp):\n");
	for (unsigned int i = 0; i < count; i++)
		fprintf(out, "                      %-6s %s\n", ways[i]->name, ways[i]->summary);
	fprintf(out,
		"  --pcap FILE       sends the packets of a capture, again and again; MACs are rewritten\n"
		"  --flows N         so many destinations, each from a port of its own, 1 to %d (%d)\n"
		"  --destinations D  uniform: in turn, zipf: some much more often, trace: the same in trains "
		"(uniform)\n",
		TRAFFIC_DESTINATIONS, TRAFFIC_DESTINATIONS);
}
