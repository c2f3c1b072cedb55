// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/modes_options.h"

#include "bench/machine.h"
#include "bench/modes_result.h"
#include "bench/stop.h"

#include <err.h>
#include <errno.h>
#include <string.h>

#define MODES_FIRST "nolookup,fiblookup,lpmtrie,kernel,penstock-generic,penstock,penstock-afxdp,"
#define MODES_REST                                                                                           \
	"penstock-afxdp-copy,penstock-offload,penstock-dpdk,penstock-dpdk-afxdp,l3fwd-afxdp,testpmd-afxdp"
// That know VLANs; of ports, there may be more.
#define MODES_TAGGED       "kernel,penstock-generic,penstock,penstock-afxdp,penstock-dpdk,penstock-dpdk-afxdp"
#define MODES_TAGGED_PORTS MODES_TAGGED ",penstock-afxdp-copy,penstock-offload"
#define MODES_SHARE6       50 // of 100 packets of a mix

static const struct search_goal modes_quick_ndr = { .loss = 0, .trial = 0.1, .sum = 0.3, .width = 0.03 };

static bool modes_fits(const struct subject *subject)
{
	return subject->delivery != SUBJECT_NOTHING && subject->kind != SUBJECT_REMOTE;
}

static int modes_take_subjects(void *into, const char *bench, const char *value)
{
	struct modes_options *options = into;

	return option_subjects(bench, "--modes", value, modes_fits, "routers that forward", options->subjects,
			       &options->subject_count);
}

static int modes_take_workload(void *into, const char *bench, const char *name)
{
	const struct workload *workload = workload_find(name);
	struct modes_options *options = into;

	if (!workload)
		return option_refuse(bench, "--workload", name, "one that --help lists");
	if (options->scenario.routes->count)
		return option_refuse(bench, "--workload", name, "either a workload or --routes");
	if (workload->vlans.count && options->vlans.count)
		return option_refuse(bench, "--workload", name, "either it or --vlans");
	if (workload->vlans.count)
		options->vlans = workload->vlans;
	return scenario_add_workload(&options->scenario, workload);
}

static int modes_take_routes(void *into, const char *bench, const char *value)
{
	struct modes_options *options = into;

	if (options->scenario.workload)
		return option_refuse(bench, "--routes", value, "either a workload or --routes");
	return scenario_add(&options->scenario, value);
}

static int modes_take_vlans(void *into, const char *bench, const char *value)
{
	struct modes_options *options = into;

	if (options->vlans.count)
		return option_refuse(bench, "--vlans", value, "them once, and a workload without any");
	return option_vlans(bench, value, &options->vlans);
}

static int modes_take_sizes(void *into, const char *bench, const char *value)
{
	struct modes_options *options = into;

	return option_sizes(bench, value, options->sizes, &options->size_count);
}

static int modes_take_families(void *into, const char *bench, const char *value)
{
	struct modes_options *options = into;

	return option_families(bench, value, options->families, &options->family_count);
}

static void modes_print_workloads(FILE *out)
{
	const struct workload *workloads;
	unsigned int count;

	fprintf(out, "\nWorkloads:\n");
	workloads = workload_list(&count);
	for (unsigned int i = 0; i < count; i++)
		fprintf(out, "  %-8s %s\n", workloads[i].name, workloads[i].text);
}

// Returns 1 when help was asked for and given.
static int modes_parse(struct modes_options *options, int argc, char **argv)
{
	struct option_line sending[SENDING_LINES];
	const struct option_line lines[] = {
		{ "modes", "A,B,...",
		  "as `penstock bench forward --help` lists them; all by default:\n" MODES_FIRST
		  "\n" MODES_REST,
		  .take = modes_take_subjects, .into = options },
		{ "workload", "NAME", "routes, traffic and what else goes on, see below",
		  .take = modes_take_workload, .into = options },
		{ "family", "WHAT", "4, 6, both: one after the other, or mix: at once", "4",
		  .take = modes_take_families, .into = options },
		{ "routes", "WHAT", "1, full, a number, or a file, as of bench forward (1)",
		  .take = modes_take_routes, .into = options },
		{ "vlans", "A,B,...[:OUT]",
		  "frames come with the tags of these VLANs, in a mix, over interfaces of them;\n"
		  "0: no tag. They are 4 bytes longer. OUT: they leave by the same port, with\n"
		  "that VLAN: a router on a stick",
		  .take = modes_take_vlans, .into = options },
		{ "size", "A,B,...",
		  "bytes of a frame with FCS, 64 to 9018; imix: 28 of 64, 16 of 570, 4 of 1518 (64)",
		  .take = modes_take_sizes, .into = options },
		{ "rounds", "N", "how often all of it is measured", "1", .number = &options->rounds,
		  .least = 1, .most = MODES_ROUNDS_MAX },
		{ "quick", NULL, "trials of 0.1 s and 3 % instead of 1 s, 21 s for each rate, and 0.5 %",
		  .flag = &options->quick },
		{ "cpu", "N", "the CPU that sends (the first one)", .cpu = &options->cpu },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "modes",
		.about = "Offers packets at many rates to each mode, in network namespaces of its own: how "
			 "much each takes without\n"
			 "loss (NDR) and with 0.5 % of it (PDR), and how long packets are under way. As "
			 "root.\n",
		.json = &options->json,
		.lines = lines,
		.more = sending,
		.print_more = modes_print_workloads,
	};

	sending_lines(&options->sending, sending);
	return option_parse(&set, argc, argv);
}

// What tags allow.
static int modes_complete_tagged(struct modes_options *options)
{
	bool ports = options->sending.ports.tx;

	if (!options->subject_count)
		modes_take_subjects(options, "modes", ports ? MODES_TAGGED_PORTS : MODES_TAGGED);
	for (unsigned int i = 0; i < options->subject_count; i++)
		if (!subject_has_vlans(options->subjects[i]))
			return option_refuse("modes", "--modes", options->subjects[i]->name,
					     "for VLANs, some of " MODES_TAGGED_PORTS);
	return 0;
}

// Can the generator send all of it?
static int modes_complete_sending(const struct modes_options *options)
{
	const struct workload *workload = options->scenario.workload;
	const struct sending *sending = &options->sending;
	struct why why = { 0 };

	if (workload && workload->attack && sending->order != LOAD_UNIFORM)
		return option_refuse("modes", "--destinations", "other than uniform", "another workload");
	if (workload && workload->attack && sending->way != &generator_afxdp)
		return option_refuse("modes", "--generator", sending->way->name,
				     "afxdp, which sends attacks, or another workload");
	for (unsigned int scene = 0; scene < modes_options_scenes(options); scene++) {
		const struct load load = modes_options_load(options, scene);

		if (generator_suits(sending->way, &load, &why) < 0) {
			warnx("bench modes: %s", why.text);
			return -EINVAL;
		}
	}
	return 0;
}

// What no option said.
static int modes_complete(struct modes_options *options)
{
	const struct workload *workload = options->scenario.workload;
	int err;

	options->sending.ports.stick = options->vlans.out;
	err = sending_read(&options->sending, "modes");
	if (err < 0)
		return err;
	options->ndr = options->quick ? modes_quick_ndr : SEARCH_NDR;
	options->pdr = options->quick ? modes_quick_ndr : SEARCH_PDR;
	options->pdr.loss = SEARCH_PDR.loss;
	if (!options->size_count)
		modes_take_sizes(options, "modes", workload ? workload->size : "64");
	if (options->vlans.count && modes_complete_tagged(options) < 0)
		return -EINVAL;
	if (sending_is_remote(&options->sending)) {
		if (workload && (workload->fan || workload->updates > 0))
			return option_refuse("modes", "--workload", workload->name,
					     "one without groups and changes of routes for a remote router");
		options->subjects[0] = subject_find("remote");
		options->subject_count = 1;
	}
	if (!options->subject_count)
		modes_take_subjects(options, "modes", MODES_FIRST MODES_REST);
	if (options->sending.recording) // whatever is in it
		modes_take_families(options, "modes", "mix");
	err = modes_complete_sending(options);
	return err < 0 || options->scenario.routes->count ? err : scenario_add(&options->scenario, "1");
}

int modes_options_open(struct modes_options *options, int argc, char **argv)
{
	int err = scenario_open(&options->scenario, &stop_asked);

	options->cpu = machine_first_cpu();
	options->sending.way = &generator_afxdp;
	if (err >= 0)
		err = modes_parse(options, argc, argv);
	return err != 0 ? err : modes_complete(options);
}

void modes_options_close(struct modes_options *options)
{
	scenario_close(&options->scenario);
	sending_close(&options->sending);
}

unsigned int modes_options_scenes(const struct modes_options *options)
{
	return options->sending.recording ? 1 : options->family_count * options->size_count;
}

struct load modes_options_load(const struct modes_options *options, unsigned int scene)
{
	const struct workload *workload = options->scenario.workload;
	struct load load = options->sizes[scene % options->size_count];

	load.family = options->families[scene / options->size_count];
	load.share6 = MODES_SHARE6;
	load.cpu = options->cpu;
	load.attack = workload ? workload->attack : 0;
	load.vlans = options->vlans;
	sending_apply(&options->sending, &load);
	return load;
}

unsigned int modes_options_largest(const struct modes_options *options)
{
	unsigned int most = options->sending.recording ? options->sending.recording->largest : 0;

	for (unsigned int i = 0; i < options->size_count; i++)
		if (load_largest(&options->sizes[i]) > most)
			most = load_largest(&options->sizes[i]);
	return most;
}
