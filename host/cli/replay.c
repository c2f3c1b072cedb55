// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * `penstock replay`: a capture through the program, without root, without the kernel.
 */
#include "host/cli/replay.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/cli/cli.h"
#include "host/cli/table.h"
#include "host/replay/explain.h"
#include "host/replay/session.h"

#define FILES 64

enum { OPTION_IN = 256, OPTION_KERNEL, OPTION_ROUTES, OPTION_EXPLAIN, OPTION_REPEAT, OPTION_HELP };

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "config", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "pretty", no_argument, NULL, 'p' },
	{ "in", required_argument, NULL, OPTION_IN },
	{ "kernel", no_argument, NULL, OPTION_KERNEL },
	{ "routes", required_argument, NULL, OPTION_ROUTES },
	{ "explain", required_argument, NULL, OPTION_EXPLAIN },
	{ "repeat", required_argument, NULL, OPTION_REPEAT },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

struct replay_cli {
	struct cli cli;
	struct session_options session;
	const char *config[FILES + 1], *routes[FILES + 1], *in[FILES + 1];
	unsigned int configs, route_files, ins;
	bool help, stdout_taken;
	json_t *packets;
	struct timespec last;
	bool line; /* of progress is on the terminal */
};

static volatile sig_atomic_t stop;

static void stop_it(int number)
{
	stop = 1;
}

static void print_usage(void)
{
	fputs("usage: penstock replay CAPTURE (-c FILE | --kernel) [OPTIONS]\n"
	      "Puts the packets of a capture (pcap or pcapng, - for standard input) through the program, "
	      "and\n"
	      "says what becomes of them. Needs no root and touches nothing.\n\n"
	      "The router:\n"
	      "  -c, --config FILE   in the words of ip(8): link, addr, route, neigh, nexthop, one to a "
	      "line, or\n"
	      "                      as `ip -d address`, `ip route show table all`, `ip neighbour` print "
	      "them;\n"
	      "                      sysctl lines; again for another file\n"
	      "      --routes FILE   more routes: ip(8)'s words, or lines of PREFIX NEXTHOP-ID; plain, xz or "
	      "gzip\n"
	      "      --kernel        the tables of this machine instead (of this network namespace)\n"
	      "Where packets came in:\n"
	      "      --in IF         by this port, all of them; without it, by the one that pcapng names\n"
	      "      --in NAME=IF    those of interface NAME of the capture by this port (or N=IF, its "
	      "number)\n"
	      "What comes out:\n"
	      "  -o, --output FILE   what is forwarded, in one pcapng file with an interface for each port;\n"
	      "                      with %i in its name, in a pcap file for each port; - is standard "
	      "output\n"
	      "      --explain N     what happened to the first N packets, and why; A-B: to these\n"
	      "      --repeat N      over all packets so many times, from memory: how fast it is\n"
	      "  -j, --json, -p      the same as JSON; indented\n"
	      "Exit status: 0 done, 1 failed, 2 not understood.\n",
	      stdout);
}

static bool parse_number(const char *text, char **end, __u64 *ret)
{
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, end, 10);
	return !errno;
}

/* "N": from the first on; "A-B": these. */
static bool parse_range(const char *text, __u64 *ret_from, __u64 *ret_to)
{
	char *end;

	*ret_from = 1;
	if (!parse_number(text, &end, ret_to))
		return false;
	if (*end == '-') {
		*ret_from = *ret_to;
		if (!parse_number(end + 1, &end, ret_to))
			return false;
	}
	return !*end && *ret_from >= 1 && *ret_to >= *ret_from;
}

static int set_explain(struct replay_cli *replay, const char *text)
{
	struct session_options *session = &replay->session;

	return parse_range(text, &session->explain_from, &session->explain_to)
		       ? 0
		       : cli_usage("--explain %s: give a number of packets, or the first and last: 10-12",
				   text);
}

static int set_repeat(struct replay_cli *replay, const char *text)
{
	char *end;

	if (!parse_number(text, &end, &replay->session.repeat) || *end || !replay->session.repeat)
		return cli_usage("--repeat %s: give a number of times, at least 1", text);
	return 0;
}

static int add(const char **list, unsigned int *count, const char *value, const char *option)
{
	if (*count == FILES)
		return cli_usage("%s is given more than %d times", option, FILES);
	list[(*count)++] = value;
	return 0;
}

static int set_option(struct replay_cli *replay, int option, const char *value)
{
	switch (option) {
	case 'o':
		replay->session.output = value;
		return 0;
	case 'c':
		return add(replay->config, &replay->configs, value, "--config");
	case OPTION_ROUTES:
		return add(replay->routes, &replay->route_files, value, "--routes");
	case OPTION_IN:
		return add(replay->in, &replay->ins, value, "--in");
	case 'j':
		replay->cli.json = true;
		return 0;
	case 'p':
		replay->cli.json = replay->cli.pretty = true;
		return 0;
	case OPTION_KERNEL:
		replay->session.kernel = true;
		return 0;
	case OPTION_EXPLAIN:
		return set_explain(replay, value);
	case OPTION_REPEAT:
		return set_repeat(replay, value);
	default:
		replay->help = true;
		return 0;
	}
}

/* Routes are read behind the links and next hops that they name. */
static int join_files(struct replay_cli *replay)
{
	for (unsigned int i = 0; i < replay->route_files; i++)
		if (add(replay->config, &replay->configs, replay->routes[i], "--config and --routes"))
			return CLI_USAGE;
	replay->session.config = replay->config;
	replay->session.in = replay->in;
	return 0;
}

static int check(struct replay_cli *replay, int argc, char **argv)
{
	const struct session_options *session = &replay->session;

	if (optind + 1 != argc)
		return cli_usage(
			optind < argc ? "replay takes one capture, not '%s' too; try: penstock replay --help"
				      : "replay which capture?%s try: penstock replay --help",
			optind < argc ? argv[optind + 1] : "");
	if (session->kernel && replay->configs)
		return cli_usage("--kernel and -c or --routes exclude each other: there is one router");
	if (!session->kernel && !replay->configs)
		return cli_usage(
			"replay through which router? give -c FILE, or --kernel for this machine's tables");
	if (session->repeat && (session->output || session->explain_to))
		return cli_usage("--repeat measures and writes nothing: leave -o and --explain out");
	replay->session.input = argv[optind];
	replay->stdout_taken = session->output && strcmp(session->output, "-") == 0;
	return 0;
}

static int parse(struct replay_cli *replay, int argc, char **argv)
{
	static const char known[] = ":o:c:jp";
	int option, r;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, known, options, NULL)) != -1) {
		if (option == '?' || option == ':')
			return cli_refuse_option(argv, option, known, "penstock replay --help");
		r = set_option(replay, option, optarg);
		if (r)
			return r;
	}
	if (replay->help)
		return 0;
	r = join_files(replay);
	return r ? r : check(replay, argc, argv);
}

/* --- what is shown --- */

static FILE *text_to(const struct replay_cli *replay)
{
	return replay->stdout_taken ? stderr : stdout;
}

static void end_progress(struct replay_cli *replay)
{
	if (replay->line)
		fputs("\r\033[K", stderr);
	replay->line = false;
}

static void show_progress(void *arg, __u64 packets, __u64 at, __u64 size)
{
	struct replay_cli *replay = arg;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec == replay->last.tv_sec)
		return;
	replay->last = now;
	replay->line = true;
	fprintf(stderr, "\r%.1f million packets", (double)packets / 1e6);
	if (size)
		fprintf(stderr, ", %.0f %%", at < size ? 100.0 * (double)at / (double)size : 100.0);
	fputs("\033[K", stderr);
}

static void show_packet(void *arg, const json_t *packet)
{
	struct replay_cli *replay = arg;

	if (replay->packets) {
		json_array_append(replay->packets, (json_t *)packet);
		return;
	}
	end_progress(replay);
	explain_print(text_to(replay), packet);
}

static void print_summary(FILE *to, const json_t *report)
{
	static const struct {
		const char *key, *text;
	} parts[] = {
		{ "forwarded", "forwarded" },
		{ "kernel", "to the kernel" },
		{ "dropped", "dropped" },
		{ "cut", "cut too short to tell" },
		{ "outbound", "passed over: sent, not received" },
	};

	fprintf(to, "%lld packets", (long long)json_integer_value(json_object_get(report, "packets")));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		json_int_t count = json_integer_value(json_object_get(report, parts[i].key));

		if (count || i < 3)
			fprintf(to, "%s %lld %s", i ? "," : ":", (long long)count, parts[i].text);
	}
	fputc('\n', to);
}

static void print_speed(FILE *to, const json_t *speed)
{
	if (speed)
		fprintf(to, "%lld packets in %.3f s of CPU time: %.2f Mpps, %.1f ns each\n",
			(long long)json_integer_value(json_object_get(speed, "packets")),
			json_real_value(json_object_get(speed, "seconds")),
			json_real_value(json_object_get(speed, "mpps")),
			json_real_value(json_object_get(speed, "ns_per_packet")));
}

static void print_report(const struct replay_cli *replay, const json_t *report)
{
	static const struct table_column reasons[] = {
		{ "VERDICT", "verdict" }, { "REASON", "reason" }, { "PACKETS", "packets" },
		{ "BYTES", "bytes" },     { "MEANING", "text" },  { NULL, NULL },
	};
	static const struct table_column ports[] = {
		{ "PORT", "port" },
		{ "IN", "in" },
		{ "OUT", "out" },
		{ NULL, NULL },
	};
	FILE *to = text_to(replay);

	table_print(to, reasons, json_object_get(report, "reasons"));
	table_print(to, ports, json_object_get(report, "ports"));
	print_summary(to, report);
	print_speed(to, json_object_get(report, "speed"));
}

static int show_report(struct replay_cli *replay, json_t *report)
{
	if (!replay->cli.json) {
		print_report(replay, report);
		json_decref(report);
		return fflush(text_to(replay)) ? cli_fail("cannot write to stdout") : CLI_DONE;
	}
	if (replay->packets)
		json_object_set(report, "explained", replay->packets);
	if (!replay->stdout_taken)
		return cli_print_json(&replay->cli, report);
	json_dumpf(report, stderr, replay->cli.pretty ? JSON_INDENT(2) : JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(report);
	return CLI_DONE;
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = stop_it };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int replay_command(int argc, char **argv)
{
	struct replay_cli replay = { 0 };
	struct why why = { "" };
	json_t *report;
	int r = parse(&replay, argc, argv);

	if (r)
		return r;
	if (replay.help) {
		print_usage();
		return CLI_DONE;
	}
	catch_signals();
	replay.session.stop = &stop;
	replay.session.arg = &replay;
	replay.session.explained = show_packet;
	replay.session.progress = isatty(STDERR_FILENO) ? show_progress : NULL;
	replay.packets = replay.cli.json && replay.session.explain_to ? json_array() : NULL;
	clock_gettime(CLOCK_MONOTONIC, &replay.last);
	r = session_run(&replay.session, &report, &why);
	end_progress(&replay);
	r = r ? cli_fail("%s", why.text) : show_report(&replay, report);
	json_decref(replay.packets);
	return r;
}
