// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/modes.h"

#include "bench/machine.h"
#include "bench/modes_options.h"
#include "bench/modes_result.h"
#include "bench/record.h"
#include "bench/remote.h"
#include "bench/search.h"
#include "bench/stop.h"
#include "bench/subject.h"
#include "bench/topology.h"
#include "bench/trial.h"
#include "bench/updater.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The sender against a program that drops: what it can do at all. No result above this part of that is one.
#define MODES_SELF_TEST         "drop"
#define MODES_SELF_TEST_GENERIC "drop-generic"
#define MODES_CEILING           "nolookup"
#define MODES_HEADROOM          0.8
#define MODES_LEAST             9000  // packets a second, as CSIT has it
#define MODES_SHORT             0.3   // seconds at full speed, at least
#define MODES_SLOW              10000 // packets a second that any router forwards
#define MODES_MTU               9000  // for frames beyond the usual
#define MODES_USUAL             1514

struct modes_bench {
	struct modes_options options;
	struct why lacks[OPTION_SUBJECTS]; // why a subject is not measured; text "": it is
	struct topology topology;
	struct generate *generate;
	struct generator_bed generator_bed;
	struct subject_bed *beds;
	struct trial_bed trial;
	size_t routes[OPTION_FAMILIES];
	struct modes_scene scenes[MODES_SCENES];
	struct modes_result results[MODES_SCENES][OPTION_SUBJECTS];
	long changes; // of routes, that were made meanwhile
};

// --- measuring ---

// Sets the traffic of a scene.
static void modes_enter(struct modes_bench *bench, unsigned int scene)
{
	bench->trial.load = modes_options_load(&bench->options, scene);
}

// What comes through when the sender sends as fast as it can: packets a second.
static int modes_most(struct modes_bench *bench, double *ret_offered, double *ret_arrived)
{
	double seconds = bench->options.ndr.trial > MODES_SHORT ? bench->options.ndr.trial : MODES_SHORT;
	struct search_trial trial = { 0 };
	int err = trial_search(&bench->trial, 0, seconds, &trial);

	*ret_offered = trial.offered;
	*ret_arrived = trial.offered * (1 - trial.loss);
	return err;
}

static int modes_latency(struct modes_bench *bench, struct modes_result *result)
{
	struct trial *trial = malloc(sizeof(*trial));
	int err = trial ? 0 : -ENOMEM;

	for (unsigned int load = 0; err >= 0 && load < MODES_LOADS; load++) {
		double rate = modes_loads[load] * result->values[MODES_PDR][result->rounds];

		err = trial_run(&bench->trial, rate > MODES_LEAST ? rate : MODES_LEAST,
				bench->options.ndr.trial, trial);
		for (unsigned int part = 0; part < MODES_PARTS; part++)
			result->values[modes_latency_metric(load, part)][result->rounds] =
				histogram_percentile(trial->metered.latency, modes_parts[part]) / 1e3;
	}
	free(trial);
	return err;
}

// A rate without any loss has less than PDR's, too: NDR is not above PDR.
static int modes_search(struct modes_bench *bench, double sender, double *ret_ndr, double *ret_pdr)
{
	struct search_result ndr = { 0 }, pdr = { 0 };
	int err = search(&bench->options.pdr, MODES_LEAST, sender, trial_search, &bench->trial, &pdr);

	if (err >= 0 && pdr.low > 0)
		err = search(&bench->options.ndr, MODES_LEAST, pdr.low, trial_search, &bench->trial, &ndr);
	*ret_ndr = ndr.low;
	*ret_pdr = pdr.low;
	return err;
}

// Adds a round; one that fails is none.
static int modes_measure(struct modes_bench *bench, double sender, struct modes_result *result,
			 unsigned int round)
{
	double offered, most, ndr, pdr;
	int err = modes_most(bench, &offered, &most); // warms up

	if (err >= 0)
		err = modes_most(bench, &offered, &most);
	if (err >= 0)
		err = modes_search(bench, sender, &ndr, &pdr);
	if (err < 0)
		return err;
	result->values[MODES_MOST][result->rounds] = most;
	result->values[MODES_PDR][result->rounds] = pdr;
	result->values[MODES_NDR][result->rounds] = ndr;
	result->timed = bench->options.sending.way->can & GENERATOR_NUMBERS;
	if (result->timed)
		err = modes_latency(bench, result);
	if (err < 0)
		return err;
	result->bounded |= pdr > MODES_HEADROOM * sender;
	result->bounded_most |= most > MODES_HEADROOM * sender;
	result->round[result->rounds++] = round;
	return 0;
}

static int modes_scenes(struct modes_bench *bench, unsigned int subject, unsigned int round)
{
	int err = 0;

	generate_expect_gateways(bench->generate,
				 bench->options.subjects[subject]->delivery == SUBJECT_ROUTES);
	generate_expect_aging(bench->generate, !bench->options.subjects[subject]->keeps_ttl,
			      !bench->options.subjects[subject]->keeps_hop_limit);
	for (unsigned int scene = 0; err >= 0 && scene < modes_options_scenes(&bench->options); scene++) {
		struct modes_result *result = &bench->results[scene][subject];

		fprintf(stderr, "round %u of %u: %s, %s\n", round + 1, bench->options.rounds,
			bench->options.subjects[subject]->name, bench->scenes[scene].text);
		modes_enter(bench, scene);
		err = modes_measure(bench, bench->scenes[scene].sender, result, round);
	}
	return err;
}

// The subject is between the ports, and the routes lead out of this one.
static int modes_attached(struct modes_bench *bench, unsigned int subject, unsigned int round,
			  const struct lane_port *egress)
{
	const struct workload *workload = bench->options.scenario.workload;
	struct updater *updater = NULL;
	long changes;
	int err = 0;

	bench->trial.threads = subject_has_threads(bench->options.subjects[subject]);
	if (workload && workload->updates > 0)
		err = updater_start(&bench->options.scenario, egress, workload->updates, &updater);
	if (err >= 0)
		err = modes_scenes(bench, subject, round);
	changes = updater_stop(updater);
	bench->changes += changes > 0 ? changes : 0;
	return err < 0 ? err : changes < 0 ? changes : 0;
}

static int modes_subject(struct modes_bench *bench, unsigned int index, unsigned int round)
{
	const struct subject *subject = bench->options.subjects[index];
	const struct lane_port *usual = &bench->topology.subject.r1, *egress = usual;
	int err = subject_prepare(bench->beds, subject, &egress);

	if (err >= 0 && egress != usual)
		err = scenario_lead(&bench->options.scenario, egress);
	if (err >= 0)
		err = subject_attach(bench->beds, subject);
	if (err >= 0)
		err = modes_attached(bench, index, round, egress);
	if (err < 0 && !stop_asked)
		warnx("bench modes: cannot measure %s: %s", subject->name, strerror(-err));
	if (egress != usual)
		scenario_lead(&bench->options.scenario, usual);
	subject_detach(bench->beds);
	return stop_asked ? -EINTR : err;
}

static int modes_round(struct modes_bench *bench, unsigned int round)
{
	int err = 0, failed = 0;

	for (unsigned int i = 0; err != -EINTR && i < bench->options.subject_count; i++) {
		unsigned int subject = (i + round) % bench->options.subject_count;

		if (bench->lacks[subject].text[0])
			continue;
		err = modes_subject(bench, subject, round);
		failed = err < 0 ? err : failed;
	}
	return failed;
}

// How many packets of a capture Linux forwards: as many as any router should.
static int modes_learn(struct modes_bench *bench)
{
	const __u32 count = bench->options.sending.recording->count;
	struct trial *trial = malloc(sizeof(*trial));
	int err = trial ? 0 : -ENOMEM;

	modes_enter(bench, 0);
	if (err >= 0)
		err = trial_run(&bench->trial, MODES_SLOW, (count + 0.5) / MODES_SLOW, trial);
	if (err >= 0 && !trial_arrived(trial)) {
		warnx("bench modes: %s: Linux forwards none of its packets; does --routes lead there?",
		      bench->options.sending.pcap);
		err = -ENETUNREACH;
	}
	if (err >= 0) {
		bench->trial.pass = trial->offered.sent;
		bench->trial.pass_arrives = trial_arrived(trial);
	}
	free(trial);
	return err;
}

// What the sender can do at all, with each kind of traffic.
static int modes_self_test(struct modes_bench *bench)
{
	const struct subject *subject = subject_find(MODES_SELF_TEST);
	struct why why = { 0 };
	double arrived;
	int err = 0;

	if (subject_provide(bench->beds, subject, 0, 0, &why) < 0)
		subject = subject_find(MODES_SELF_TEST_GENERIC);
	if (!sending_is_remote(&bench->options.sending))
		err = subject_attach(bench->beds, subject);
	for (unsigned int scene = 0; err >= 0 && scene < modes_options_scenes(&bench->options); scene++) {
		modes_enter(bench, scene);
		for (unsigned int i = 0; err >= 0 && i < 2; i++) // the first one warms up
			err = modes_most(bench, &bench->scenes[scene].sender, &arrived);
	}
	subject_detach(bench->beds);
	return err;
}

// --- results ---

static void modes_table(const struct modes_bench *bench)
{
	struct machine machine;

	machine_read(&machine);
	for (unsigned int scene = 0; scene < modes_options_scenes(&bench->options); scene++) {
		modes_print_scene(&bench->scenes[scene]);
		for (unsigned int i = 0; i < bench->options.subject_count; i++)
			modes_print_result(bench->options.subjects[i]->name, &bench->results[scene][i],
					   bench->lacks[i].text);
		putchar('\n');
	}
	for (unsigned int i = 0; i < bench->options.subject_count; i++)
		if (bench->options.subjects[i]->remark && bench->results[0][i].rounds)
			printf("%s: %s.\n", bench->options.subjects[i]->name,
			       bench->options.subjects[i]->remark);
	if (bench->changes)
		printf("%ld changes of routes were made meanwhile.\n", bench->changes);
	printf("%s, %u CPUs, %s, ", machine.cpu, machine.cpus, machine.kernel);
	if (bench->options.sending.ports.tx)
		printf("from %s to %s.\n", bench->options.sending.ports.tx, bench->options.sending.ports.rx);
	else
		printf("over veth: compare the rows, not with a NIC.\n");
}

static const struct modes_result *modes_ceiling(const struct modes_bench *bench, unsigned int scene)
{
	for (unsigned int i = 0; i < bench->options.subject_count; i++)
		if (strcmp(bench->options.subjects[i]->name, MODES_CEILING) == 0)
			return &bench->results[scene][i];
	return NULL;
}

static json_t *modes_scene_json(const struct modes_bench *bench, unsigned int scene)
{
	json_t *missing = json_object();

	for (unsigned int i = 0; i < bench->options.subject_count; i++) {
		const char *lacks = bench->lacks[i].text;

		if (!bench->results[scene][i].rounds)
			json_object_set_new(missing, bench->options.subjects[i]->name,
					    json_string(*lacks ? lacks : "it could not be set up"));
	}
	return json_pack("{s:s, s:s, s:f, s:o}", "name", bench->scenes[scene].name, "text",
			 bench->scenes[scene].text, "sender", bench->scenes[scene].sender, "not_measured",
			 missing);
}

// What a reader must know of those that are no routers as others are.
static json_t *modes_remarks_json(const struct modes_bench *bench)
{
	json_t *remarks = json_object();

	for (unsigned int i = 0; i < bench->options.subject_count; i++)
		if (bench->options.subjects[i]->remark)
			json_object_set_new(remarks, bench->options.subjects[i]->name,
					    json_string(bench->options.subjects[i]->remark));
	return remarks;
}

// The ports of the machine that it was measured over, and facts of the first one of the router, or of that
// which leads to it.
static void modes_add_ports(const struct modes_bench *bench, json_t *record)
{
	const struct topology_ports *ports = &bench->options.sending.ports;
	const struct lane *lane = &bench->topology.subject;
	bool remote = sending_is_remote(&bench->options.sending);
	char dut[2 * IFNAMSIZ + 2] = "";

	json_object_set_new(record, "port", machine_port_json(remote ? &lane->s : &lane->r0));
	if (!ports->tx)
		return;
	if (!remote)
		snprintf(dut, sizeof(dut), "%s%s%s", ports->dut[0], ports->dut[1] ? "," : "",
			 ports->dut[1] ? ports->dut[1] : "");
	json_object_set_new(record, "ports",
			    json_pack("{s:s, s:s, s:o}", "tx", ports->tx, "rx", ports->rx, "dut",
				      remote ? json_null() : json_string(dut)));
}

static int modes_json(const struct modes_bench *bench)
{
	json_t *record = record_new("modes"), *scenes = json_array();

	json_object_set_new(record, "scenes", scenes);
	json_object_set_new(record, "remarks", modes_remarks_json(bench));
	modes_add_ports(bench, record);
	for (unsigned int scene = 0; scene < modes_options_scenes(&bench->options); scene++) {
		json_array_append_new(scenes, modes_scene_json(bench, scene));
		for (unsigned int i = 0; i < bench->options.subject_count; i++)
			modes_add_result(record, &bench->scenes[scene], bench->options.subjects[i]->name,
					 &bench->results[scene][i], modes_ceiling(bench, scene));
	}
	return record_print(stdout, record);
}

// How many packets arrived wrong, and what of them.
static void modes_tell_wrong(const struct trial_bed *trial)
{
	char kinds[256] = "";

	for (unsigned int kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
		if (trial->kinds[kind])
			snprintf(kinds + strlen(kinds), sizeof(kinds) - strlen(kinds), "%s%s of %llu",
				 *kinds ? ", " : "; wrong was the ", generate_wrong_name(kind),
				 trial->kinds[kind]);
	warnx("bench modes: %llu packets arrived wrong or twice, or after later ones (%llu)%s", trial->wrong,
	      trial->late, kinds);
}

static int modes_report(const struct modes_bench *bench)
{
	int err = 0;

	if (bench->options.json)
		err = modes_json(bench);
	else
		modes_table(bench);
	if (err < 0 || fflush(stdout) == EOF) {
		warnx("bench modes: cannot write the results");
		return -EIO;
	}
	if (bench->trial.wrong)
		modes_tell_wrong(&bench->trial);
	return bench->trial.wrong ? -EBADMSG : 0;
}

// --- set-up ---

static void modes_name_vlans(const struct modes_bench *bench, char *ret_text, size_t size)
{
	const struct workload *workload = bench->options.scenario.workload;
	const struct lane_vlans *vlans = &bench->options.vlans;

	for (unsigned int i = 0; i < vlans->count && !(workload && workload->vlans.count); i++)
		snprintf(ret_text + strlen(ret_text), size - strlen(ret_text), "%s%u", i ? "," : "vlans-",
			 vlans->in[i]);
	if (*ret_text && vlans->out)
		snprintf(ret_text + strlen(ret_text), size - strlen(ret_text), ":%u", vlans->out);
}

// Names of what is measured; a workload and a size are part of it.
static void modes_name_scenes(struct modes_bench *bench)
{
	const char *workload = bench->options.scenario.workload ? bench->options.scenario.workload->name : "";
	char vlans[8 + (LANE_VLANS + 1) * 5] = "";

	modes_name_vlans(bench, vlans, sizeof(vlans));
	for (unsigned int i = 0; i < modes_options_scenes(&bench->options); i++) {
		unsigned int family = i / bench->options.size_count;
		const struct load *load = &bench->options.sizes[i % bench->options.size_count];
		const char *number = bench->options.families[family] == AF_INET6  ? "6"
				     : bench->options.families[family] == AF_INET ? "4"
										  : "4+6";
		char size[24] = "imix";

		if (!load->sizes[1])
			snprintf(size, sizeof(size), "%u-bytes", load->sizes[0] + 4);
		snprintf(bench->scenes[i].name, sizeof(bench->scenes[i].name),
			 "modes IPv%s %zu-routes%s%s%s%s %s", number, bench->routes[family],
			 *workload ? " " : "", workload, *vlans ? " " : "", vlans, size);
		if (bench->options.sending.recording)
			snprintf(bench->scenes[i].name, sizeof(bench->scenes[i].name),
				 "modes pcap %zu-routes%s%s", bench->routes[family], *vlans ? " " : "",
				 vlans);
		size[strcspn(size, "-")] = *size == 'i' ? 0 : ' ';
		snprintf(bench->scenes[i].text, sizeof(bench->scenes[i].text),
			 "%s%sIPv%s, %zu route%s, %s%s%s", workload, *workload ? ": " : "", number,
			 bench->routes[family], bench->routes[family] == 1 ? "" : "s", size,
			 *vlans ? ", " : "", vlans);
		if (bench->options.sending.recording)
			snprintf(bench->scenes[i].text, sizeof(bench->scenes[i].text),
				 "%.80s, of whose %u packets %u are to be forwarded, %zu routes%s%s",
				 bench->options.sending.pcap, bench->trial.pass, bench->trial.pass_arrives,
				 bench->routes[family], *vlans ? ", " : "", vlans);
	}
}

// AF_UNSPEC: both, as far as there are routes.
static int modes_load_family(struct modes_bench *bench, const struct scenario_bed *bed, __u8 family,
			     size_t *ret_routes)
{
	static const __u8 families[] = { AF_INET, AF_INET6 };
	size_t routes, sum = 0;
	int err = 0;

	if (family != AF_UNSPEC)
		return scenario_load(&bench->options.scenario, bed, family, ret_routes);
	for (unsigned int i = 0; err >= 0 && i < sizeof(families); i++) {
		if (bench->options.sending.recording && !scenario_has(&bench->options.scenario, families[i]))
			continue;
		err = scenario_load(&bench->options.scenario, bed, families[i], &routes);
		sum += err < 0 ? 0 : routes;
	}
	*ret_routes = sum;
	return err;
}

static int modes_load(struct modes_bench *bench)
{
	struct scenario_bed bed = { &bench->topology, bench->generate, bench->beds, false };
	int err = 0;

	for (unsigned int i = 0; i < bench->options.subject_count; i++)
		bed.own_table |= bench->options.subjects[i]->own_table;
	for (unsigned int i = 0; err >= 0 && i < bench->options.family_count; i++)
		err = modes_load_family(bench, &bed, bench->options.families[i], &bench->routes[i]);
	bench->trial.share = scenario_share(&bench->options.scenario);
	return err;
}

static size_t modes_count_routes(const struct modes_bench *bench, __u8 family)
{
	const struct table *table = bench->options.scenario.routes;
	size_t count = 0;

	for (size_t i = 0; i < table->count; i++)
		count += table->routes[i].family == family;
	return count;
}

// Finds out which subjects can be had, and makes them ready.
static int modes_provide(struct modes_bench *bench)
{
	size_t routes4 = modes_count_routes(bench, AF_INET), routes6 = modes_count_routes(bench, AF_INET6);
	unsigned int attack = bench->options.scenario.workload ? bench->options.scenario.workload->attack : 0;

	for (unsigned int i = 0; i < bench->options.subject_count; i++) {
		const struct subject *subject = bench->options.subjects[i];

		if (attack && subject->remark)
			why_set(&bench->lacks[i], EOPNOTSUPP, "it forwards the packets of an attack, too");
		else if (subject_provide(bench->beds, subject, routes4, routes6, &bench->lacks[i]) < 0 &&
			 !bench->lacks[i].text[0])
			why_set(&bench->lacks[i], EIO, "it cannot be made ready");
		if (stop_asked)
			return -EINTR;
	}
	return 0;
}

// Tells what to do on the other machine.
static int modes_tell_commands(struct modes_bench *bench)
{
	const char *path = bench->options.sending.dut_config;
	FILE *out = path ? fopen(path, "we") : stderr;
	int err = 0;

	if (!path)
		fprintf(stderr, "On the router, with the %s:\n\n",
			bench->options.vlans.out ? "name of its port for IN"
						 : "names of its ports for IN and OUT");
	if (out)
		remote_commands(out, &bench->topology, &bench->options.scenario);
	if (!out || (path && fclose(out) == EOF)) {
		err = -errno;
		warnx("bench modes: cannot write %s: %s", path, strerror(-err));
		return err;
	}
	fprintf(stderr, "%s%s\n", path ? "what to do on the router: " : "", path ? path : "");
	return 0;
}

// Waits until the router is there, behind cables that somebody put into ports and switches that may hide
// tags.
static int modes_meet(struct modes_bench *bench)
{
	__u8 family = bench->options.families[0];
	int err = sending_is_remote(&bench->options.sending) ? modes_tell_commands(bench) : 0;

	if (family == AF_UNSPEC)
		family = scenario_has(&bench->options.scenario, AF_INET) ? AF_INET : AF_INET6;
	if (err >= 0)
		err = generate_sink(bench->generate, GENERATE_SINK_PASSES);
	return err < 0 ? err : remote_wait(&bench->topology, bench->generate, family, &stop_asked);
}

static int modes_set_up(struct modes_bench *bench)
{
	struct why why = { 0 };
	int err = 0;

	if (bench->options.vlans.count)
		err = topology_tag(&bench->topology, &bench->options.vlans, &why);
	if (err >= 0 && modes_options_largest(&bench->options) > MODES_USUAL)
		err = topology_mtu(&bench->topology, MODES_MTU);
	if (err >= 0)
		err = generate_open(&bench->topology, &bench->generate);
	bench->generator_bed =
		(struct generator_bed){ .lane = &bench->topology.subject,
					.generate = bench->generate,
					.recording = bench->options.sending.recording,
					.largest = modes_options_largest(&bench->options) +
						   (bench->options.vlans.count ? TRAFFIC_TAG : 0) };

	if (err >= 0)
		err = subject_open(&bench->topology, &stop_asked, &bench->beds);
	if (err >= 0)
		err = modes_provide(bench);
	if (err >= 0)
		err = modes_load(bench);
	if (err >= 0 && bench->options.sending.ports.tx &&
	    (bench->options.vlans.count || sending_is_remote(&bench->options.sending)))
		err = modes_meet(bench);
	if (err >= 0)
		err = generate_sink(bench->generate, bench->options.sending.recording ? GENERATE_SINK_REPLAYED
										      : GENERATE_SINK_METERS);
	if (err >= 0)
		err = generator_open(bench->options.sending.way, &bench->generator_bed,
				     &bench->trial.generator, &why);
	bench->trial.generate = bench->generate;
	if (err < 0 && !stop_asked)
		warnx("bench modes: cannot set up the sender or the router: %s",
		      why.text[0] ? why.text : strerror(-err));
	return err;
}

static int modes_run(struct modes_bench *bench)
{
	int failed = 0;
	int err = topology_open_for("bench modes", &bench->options.sending.ports, &bench->topology);

	if (err < 0)
		return err;
	err = modes_set_up(bench);
	if (err >= 0 && bench->options.sending.recording)
		err = modes_learn(bench);
	modes_name_scenes(bench);
	if (err >= 0)
		err = modes_self_test(bench);
	for (unsigned int round = 0; err >= 0 && !stop_asked && round < bench->options.rounds; round++)
		failed = modes_round(bench, round) < 0 ? -EIO : failed;
	if (err >= 0 && !stop_asked)
		err = modes_report(bench);
	generator_close(bench->trial.generator);
	subject_close(bench->beds);
	generate_close(bench->generate);
	topology_close(&bench->topology);
	if (stop_asked)
		warnx("bench modes: interrupted");
	return err < 0 ? err : stop_asked ? -EINTR : failed;
}

int bench_modes(int argc, char **argv)
{
	struct modes_bench *bench = calloc(1, sizeof(*bench));
	int code = EXIT_FAILURE, err;

	if (!bench)
		return EXIT_FAILURE;
	bench->trial.stop = &stop_asked;
	err = modes_options_open(&bench->options, argc, argv);
	if (err != 0) {
		code = err > 0 ? EXIT_SUCCESS : err == -EINVAL ? OPTION_USAGE : EXIT_FAILURE;
	} else {
		stop_catch();
		code = modes_run(bench) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	modes_options_close(&bench->options);
	free(bench);
	return code;
}
