// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/program.h"

#include "bench/frame.h"
#include "bench/generate.h"
#include "bench/netns.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/rtnetlink.h"
#include "bench/scenario.h"
#include "bench/statistics.h"
#include "bench/stop.h"
#include "bench/subject.h"
#include "bench/topology.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define PROGRAM_ROUNDS_MAX 100
#define PROGRAM_SUBJECTS   3
#define PROGRAM_FAMILIES   2
// A call of the kernel costs about 25 ms beside what it measures.
#define PROGRAM_CALLS      8
// The packet is not made anew between runs: its TTL falls by one each time.
#define PROGRAM_REPEAT     240
#define PROGRAM_TTL        255

static const char *const program_names[PROGRAM_SUBJECTS] = { "penstock", "nolookup", "fiblookup" };
static const __u8 program_families[PROGRAM_FAMILIES] = { AF_INET, AF_INET6 };
static const char *const program_family_names[PROGRAM_FAMILIES] = { "IPv4", "IPv6" };

struct program_bench {
	unsigned int rounds;
	bool json;
	struct topology topology;
	struct generate *generate;
	struct subject_bed *subjects;
	struct scenario scenario;
	double ns[PROGRAM_SUBJECTS][PROGRAM_FAMILIES][PROGRAM_ROUNDS_MAX];
	double instructions[PROGRAM_SUBJECTS],
		bytes[PROGRAM_SUBJECTS]; // of the whole program, as it was loaded
};

// What leaves is addressed to the router again, so that the next run of the program forwards it, too.
static int program_turn_back(const struct lane *lane)
{
	struct rtnetlink *rtnetlink;
	__u8 address[16];
	int err = rtnetlink_open_in(lane->r1.netns, &rtnetlink);

	if (err < 0)
		return err;
	for (unsigned int i = 0; err >= 0 && i < PROGRAM_FAMILIES * LANE_GATEWAYS; i++) {
		lane_gateway_address(i / PROGRAM_FAMILIES, program_families[i % PROGRAM_FAMILIES], address);
		err = rtnetlink_neighbour(rtnetlink, lane->r1.ifindex, program_families[i % PROGRAM_FAMILIES],
					  address, lane->r0.mac);
	}
	rtnetlink_close(rtnetlink);
	return err;
}

static unsigned int program_frame(const struct lane *lane, __u8 family, __u8 frame[TRAFFIC_FRAME6])
{
	union traffic_frame front;
	__u8 address[16], check[2];

	frame_make(lane, family, &front);
	inet_pton(family, family == AF_INET ? "198.18.7.9" : "2001:2::9", address);
	front.bytes[family == AF_INET ? 22 : 21] = PROGRAM_TTL;
	frame_aim(&front, family, address, 0, check);
	if (family == AF_INET)
		memcpy(front.bytes + 24, check, sizeof(check));
	memset(frame, 0, TRAFFIC_FRAME6);
	memcpy(frame, front.bytes, family == AF_INET ? TRAFFIC_FRAME4 : sizeof(front.bytes));
	return family == AF_INET ? TRAFFIC_FRAME4 : TRAFFIC_FRAME6;
}

// One call; -EBADMSG: the program did not forward each time.
static int program_call(int fd, const struct lane *lane, __u8 family, double *ret_ns)
{
	__u8 in[TRAFFIC_FRAME6], out[TRAFFIC_FRAME6];
	struct xdp_md context = { .ingress_ifindex = lane->r0.ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = in, .data_out = out, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = PROGRAM_REPEAT);
	int err;

	run.data_size_in = run.data_size_out = context.data_end = program_frame(lane, family, in);
	err = bpf_prog_test_run_opts(fd, &run);
	if (err < 0)
		return err;
	*ret_ns = run.duration;
	if (run.retval != XDP_REDIRECT || out[family == AF_INET ? 22 : 21] != PROGRAM_TTL - PROGRAM_REPEAT)
		return -EBADMSG;
	return 0;
}

static int program_compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

// The kernel tells whole nanoseconds only: the mean of the middle half says more than the median.
static double program_middle(double *ns)
{
	double sum = 0;

	qsort(ns, PROGRAM_CALLS, sizeof(*ns), program_compare);
	for (unsigned int i = PROGRAM_CALLS / 4; i < PROGRAM_CALLS - PROGRAM_CALLS / 4; i++)
		sum += ns[i];
	return sum / (PROGRAM_CALLS - 2 * (PROGRAM_CALLS / 4));
}

static int program_measure(int fd, const struct lane *lane, __u8 family, double *ret_ns)
{
	double ns[PROGRAM_CALLS];

	for (unsigned int i = 0; i < PROGRAM_CALLS; i++) {
		int err = stop_asked ? -EINTR : program_call(fd, lane, family, &ns[i]);

		if (err < 0)
			return err;
	}
	*ret_ns = program_middle(ns);
	return 0;
}

// The program on r0; the calling thread is in its namespace.
static int program_attached(const struct lane *lane)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int err = bpf_xdp_query(lane->r0.ifindex, 0, &query);

	return err < 0 ? err : bpf_prog_get_fd_by_id(query.prog_id);
}

static int program_size(struct program_bench *bench, unsigned int subject, int fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(fd, &info, &size);

	bench->instructions[subject] = info.xlated_prog_len / 8.0;
	bench->bytes[subject] = info.jited_prog_len;
	return err;
}

static int program_run(struct program_bench *bench, unsigned int subject, unsigned int round)
{
	const struct lane *lane = &bench->topology.subject;
	int home, fd, err = netns_enter(lane->r0.netns, &home);

	if (err < 0)
		return err;
	fd = err = program_attached(lane);
	if (fd >= 0)
		err = program_size(bench, subject, fd);
	for (unsigned int family = 0; err >= 0 && family < PROGRAM_FAMILIES; family++)
		err = program_measure(fd, lane, program_families[family], &bench->ns[subject][family][round]);
	if (fd >= 0)
		close(fd);
	netns_leave(home);
	return err;
}

static int program_round(struct program_bench *bench, unsigned int round)
{
	int err = 0;

	fprintf(stderr, "round %u of %u\n", round + 1, bench->rounds);
	for (unsigned int i = 0; err >= 0 && i < PROGRAM_SUBJECTS; i++) {
		unsigned int subject = (i + round) % PROGRAM_SUBJECTS;

		err = subject_attach(bench->subjects, subject_find(program_names[subject]));
		if (err < 0)
			return err;
		err = program_run(bench, subject, round);
		subject_detach(bench->subjects);
		if (err < 0 && !stop_asked)
			warnx("bench program: cannot measure %s: %s", program_names[subject],
			      err == -EBADMSG ? "it does not forward the packet" : strerror(-err));
	}
	return err;
}

static int program_load(struct program_bench *bench)
{
	struct scenario_bed bed = { &bench->topology, bench->generate, bench->subjects, false };
	size_t routes;
	int err = scenario_add(&bench->scenario, "1");

	for (unsigned int family = 0; err >= 0 && family < PROGRAM_FAMILIES; family++)
		err = scenario_load(&bench->scenario, &bed, program_families[family], &routes);
	return err < 0 ? err : program_turn_back(&bench->topology.subject);
}

static int program_all(struct program_bench *bench)
{
	int err = topology_open_for("bench program", NULL, &bench->topology);

	if (err < 0)
		return err;
	err = generate_open(&bench->topology, &bench->generate);
	if (err >= 0)
		err = subject_open(&bench->topology, &stop_asked, &bench->subjects);
	if (err >= 0)
		err = program_load(bench);
	if (err < 0)
		warnx("bench program: cannot set up the router: %s", strerror(-err));
	for (unsigned int round = 0; err >= 0 && round < bench->rounds; round++)
		err = program_round(bench, round);
	subject_close(bench->subjects);
	generate_close(bench->generate);
	topology_close(&bench->topology);
	if (stop_asked)
		warnx("bench program: interrupted");
	return err;
}

// What a subject takes, in times of what penstock takes.
static void program_ratios(const struct program_bench *bench, unsigned int subject, unsigned int family,
			   double *ret)
{
	for (unsigned int round = 0; round < bench->rounds; round++)
		ret[round] = bench->ns[subject][family][round] / bench->ns[0][family][round];
}

static void program_add(json_t *record, const char *subject, const char *what, struct record_figure figure)
{
	char name[RECORD_NAME];

	snprintf(name, sizeof(name), "program %s %s", subject, what);
	figure.name = name;
	record_add(record, &figure);
}

static int program_json(const struct program_bench *bench)
{
	json_t *record = record_new("program");
	double ratios[PROGRAM_ROUNDS_MAX];
	char what[32];

	for (unsigned int i = 0; i < PROGRAM_SUBJECTS; i++) {
		for (unsigned int family = 0; family < PROGRAM_FAMILIES; family++) {
			program_ratios(bench, i, family, ratios);
			snprintf(what, sizeof(what), "%s ns", program_family_names[family]);
			program_add(record, program_names[i], what,
				    (struct record_figure){ NULL, "ns", RECORD_LESS, false,
							    bench->ns[i][family], bench->rounds });
			snprintf(what, sizeof(what), "%s times-ours", program_family_names[family]);
			program_add(record, program_names[i], what,
				    (struct record_figure){ NULL, "", RECORD_MORE,
							    bench->rounds >= RECORD_JUDGED, ratios,
							    bench->rounds });
		}
		program_add(
			record, program_names[i], "instructions",
			(struct record_figure){ NULL, "", RECORD_LESS, true, &bench->instructions[i], 1 });
		program_add(record, program_names[i], "code",
			    (struct record_figure){ NULL, "bytes", RECORD_LESS, true, &bench->bytes[i], 1 });
	}
	return record_print(stdout, record);
}

static void program_table(const struct program_bench *bench)
{
	double ratios[PROGRAM_ROUNDS_MAX];

	printf("%-12s %8s %7s  %8s %7s  %12s %10s\n", "program", "IPv4, ns", "times", "IPv6, ns", "times",
	       "instructions", "code, B");
	for (unsigned int i = 0; i < PROGRAM_SUBJECTS; i++) {
		printf("%-12s", program_names[i]);
		for (unsigned int family = 0; family < PROGRAM_FAMILIES; family++) {
			program_ratios(bench, i, family, ratios);
			printf(" %8.1f %7.2f ", statistics_of(bench->ns[i][family], bench->rounds).median,
			       statistics_of(ratios, bench->rounds).median);
		}
		printf(" %12.0f %10.0f\n", bench->instructions[i], bench->bytes[i]);
	}
	printf("One route, one packet again and again, no device: median of %u rounds; times: of what "
	       "penstock takes.\n",
	       bench->rounds);
}

static int program_report(const struct program_bench *bench)
{
	int err = 0;

	if (bench->json)
		err = program_json(bench);
	else
		program_table(bench);
	return record_end("program", err);
}

static int program_parse(struct program_bench *bench, int argc, char **argv)
{
	const struct option_line lines[] = {
		{ "rounds", "N", "how often each is measured", "9", .number = &bench->rounds, .least = 1,
		  .most = PROGRAM_ROUNDS_MAX },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "program",
		.about = "What the programs cost by themselves: the kernel runs each\n"
			 "on the same packet again and again. As root.\n",
		.json = &bench->json,
		.lines = lines,
	};

	return option_parse(&set, argc, argv);
}

int bench_program(int argc, char **argv)
{
	struct program_bench *bench = calloc(1, sizeof(*bench));
	int err;

	if (!bench)
		return EXIT_FAILURE;
	err = program_parse(bench, argc, argv);
	if (err != 0) {
		free(bench);
		return err > 0 ? EXIT_SUCCESS : OPTION_USAGE;
	}
	stop_catch();
	err = scenario_open(&bench->scenario, &stop_asked);
	if (err >= 0)
		err = program_all(bench);
	if (err >= 0)
		err = program_report(bench);
	scenario_close(&bench->scenario);
	free(bench);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
