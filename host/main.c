// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The penstock command: which word means what.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/afxdp.h"
#include "bench/calibrate.h"
#include "bench/compare.h"
#include "bench/dpdk.h"
#include "bench/equal.h"
#include "bench/events.h"
#include "bench/fib.h"
#include "bench/forward.h"
#include "bench/generator_dpdk.h"
#include "bench/goals.h"
#include "bench/mirror.h"
#include "bench/modes.h"
#include "bench/page.h"
#include "bench/program.h"
#include "bench/replay.h"
#include "bench/scale.h"
#include "bench/switches.h"
#include "host/cli/cli.h"
#include "host/cli/doctor.h"
#include "host/cli/mode.h"
#include "host/cli/plan.h"
#include "host/cli/replay.h"
#include "host/cli/run.h"
#include "host/cli/show.h"
#include "host/cli/status.h"
#include "offload/command.h"
#include "xdp/image.h"

static int bench_command(int argc, char **argv);
static int events_command(int argc, char **argv);
static int fib_command(int argc, char **argv);
static int modes_command(int argc, char **argv);
static int version_command(int argc, char **argv);
static int help_command(int argc, char **argv);

static const struct command commands[] = {
	{ "run", "[-c FILE] [--name NAME] [INTERFACE...]", "be the router: forward between these interfaces",
	  run_command },
	{ "plan", "[INTERFACE...]", "say how each interface could be a port, and touch nothing",
	  plan_command },
	{ "doctor", "[INTERFACE...]", "what is wrong or suspicious on this box, and what mends it",
	  doctor_command },
	{ "status", "", "what the router does now, and why", status_command },
	{ "show", "interfaces|routes|nexthops|neighbours|counters|image|rules",
	  "what is really in the data plane", show_command },
	{ "lookup", "ADDRESS [from INTERFACE] [vrf NAME]", "what would happen to such a packet, and why",
	  lookup_command },
	{ "audit", "[SAMPLES]", "compare the kernel's routes with the data plane, now", audit_command },
	{ "mode", "INTERFACE auto|native|generic|afxdp|offload|dpdk|kernel", "another mode for a port, now",
	  mode_command },
	{ "reload", "", "read the configuration file again", reload_command },
	{ "replay", "CAPTURE (-c FILE | --kernel) [-o FILE] [...]",
	  "a capture through the program, without root: what becomes of it, and why", replay_command },
	{ "bench", "[WHAT [...]]", "measure on this machine; without more: what there is to measure",
	  bench_command },
	{ "offload", "check|lint|report|profiles [...]", "whether a NIC that runs XDP itself takes a program",
	  offload_command },
	{ "version", "", "versions of the command and of the image", version_command },
	{ "help", "[COMMAND]", "this text", help_command },
	{ NULL, NULL, NULL, NULL },
};

static const struct command benches[] = {
	{ "forward", "[...]", "packets a second between two namespaces", bench_forward },
	{ "modes", "[...]", "what each mode takes without loss, and how long packets are under way",
	  modes_command },
	{ "equal", "--pcap FILE [...]", "whether all modes make the same bytes of a capture", bench_equal },
	{ "scale", "[...]", "packets a second against the size of the table, and CPUs", bench_scale },
	{ "events", "[...]", "what is lost while something happens to the router", events_command },
	{ "switches", "[...]", "what is lost while ports go from each mode to each other", bench_switches },
	{ "calibrate", "[--json]", "what arrives in each mode, in a second", bench_calibrate },
	{ "fib", "[...]", "the image beside other structures that find routes", fib_command },
	{ "program", "[...]", "what the program itself costs a packet", bench_program },
	{ "replay", "[...]", "packets a second in user space, from memory", bench_replay },
	{ "afxdp", "[...]", "behind AF_XDP sockets, beside DPDK's testpmd", bench_afxdp },
	{ "dpdk", "[...]", "the DPDK engine beside DPDK's own l3fwd", bench_dpdk },
	{ "mirror", "[...]", "how fast the data plane follows the kernel's routes", bench_mirror },
	{ "goals", "[--quick]", "what penstock wants to reach, and whether it does here", bench_goals },
	{ "compare", "BEFORE AFTER", "two results: better, worse, or no evidence", bench_compare },
	{ "page", "-o PAGE.html RESULT...", "results as one page with charts", bench_page },
	{ NULL, NULL, NULL, NULL },
};

static void print_benches(FILE *stream)
{
	fputs("usage: penstock bench WHAT [...], and --help behind it says more\n\n", stream);
	for (const struct command *bench = benches; bench->name; bench++)
		fprintf(stream, "  %-9s %s\n", bench->name, bench->summary);
}

#define ARGUMENTS 100 /* of a bench */

/*
 * What needs DPDK is in a second build of this command that is linked with it, where there is one; this one
 * starts on boxes without DPDK. Returns where there is none, or this is it.
 */
static int become_bench(int argc, char **argv)
{
#ifndef PENSTOCK_WITH_DPDK
	char penstock[] = "penstock", bench[] = "bench";
	char *arguments[ARGUMENTS + 3] = { penstock, bench };
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof("-bench"));

	if (argc > ARGUMENTS)
		return cli_usage("bench %s: more than %d words", argv[0], ARGUMENTS);
	memcpy(&arguments[2], argv, (size_t)argc * sizeof(*argv));
	if (length > 0) {
		strcpy(path + length, "-bench");
		execv(path, arguments);
	}
	execv(PENSTOCK_LIBDIR "/penstock-bench", arguments);
#else
	generator_add(&generator_dpdk);
#endif
	return CLI_DONE;
}

static int fib_command(int argc, char **argv)
{
	int status = become_bench(argc, argv);

	return status == CLI_DONE ? bench_fib(argc, argv) : status;
}

/* Is DPDK to send? */
static bool sends_by_dpdk(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--generator=dpdk") == 0 ||
		    (i + 1 < argc && strcmp(argv[i], "--generator") == 0 && strcmp(argv[i + 1], "dpdk") == 0))
			return true;
	return false;
}

static int modes_command(int argc, char **argv)
{
	int status = sends_by_dpdk(argc, argv) ? become_bench(argc, argv) : CLI_DONE;

	return status == CLI_DONE ? bench_modes(argc, argv) : status;
}

static int events_command(int argc, char **argv)
{
	int status = sends_by_dpdk(argc, argv) ? become_bench(argc, argv) : CLI_DONE;

	return status == CLI_DONE ? bench_events(argc, argv) : status;
}

static int bench_command(int argc, char **argv)
{
	const struct command *bench = argc < 2 ? NULL : cli_find(benches, argv[1]);

	if (bench)
		return bench->run(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0)
		return cli_usage("there is no bench '%s'; try: penstock bench", argv[1]);
	print_benches(stdout);
	return CLI_DONE;
}

static int version_command(int argc, char **argv)
{
	struct cli cli;
	int first = cli_parse(argc, argv, "jp", &cli);

	if (first < 0)
		return -first;
	if (cli.json)
		return cli_print_json(
			&cli, json_pack("{s:s, s:i}", "penstock", PENSTOCK_VERSION, "image", IMAGE_VERSION));
	printf("penstock %s, image version %d\n", PENSTOCK_VERSION, IMAGE_VERSION);
	return CLI_DONE;
}

static void print_help(FILE *stream)
{
	fputs("usage: penstock [OPTIONS] COMMAND [...]\n\n", stream);
	for (const struct command *command = commands; command->name; command++)
		fprintf(stream, "  %-8s %s\n           %s\n", command->name, command->arguments,
			command->summary);
	fputs("\n"
	      "Words may be shortened. Options go anywhere:\n"
	      "  -j, --json             JSON, where something is shown\n"
	      "  -p, --pretty           the same, indented\n"
	      "  -4, -6                 one family of routes only\n"
	      "      --name NAME        the daemon of this name instead of that of the network namespace\n"
	      "  -c, --config FILE      configuration of run\n"
	      "      --facts            of plan: what it decides by, as lines\n"
	      "      --log-level LEVEL  error, warning, info or debug\n"
	      "      --log-format FORM  auto, text or json\n"
	      "Exit status: 0 done, 1 failed, 2 not understood.\n",
	      stream);
}

static int help_command(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_help(stdout);
		return CLI_DONE;
	}
	command = cli_find(commands, argv[1]);
	if (!command)
		return cli_usage("there is no command '%s'; try: penstock help", argv[1]);
	printf("penstock %s %s\n    %s\n", command->name, command->arguments, command->summary);
	return CLI_DONE;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

/* Options before the command belong to it: moves its word to the front. Returns the index of the word. */
static int find_word(int argc, char **argv)
{
	static const char *const with_value[] = { "-c",           "--config",  "--name",  "--log-level",
						  "--log-format", "--profile", "--device" };
	int i = 1;

	while (i < argc && argv[i][0] == '-') {
		bool takes = false;

		for (size_t k = 0; k < sizeof(with_value) / sizeof(with_value[0]); k++)
			takes = takes || strcmp(argv[i], with_value[k]) == 0;
		i += takes ? 2 : 1;
	}
	return i;
}

int main(int argc, char **argv)
{
	const struct command *command;
	char *word;
	int index;

	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return version_command(1, argv);
	if (asks_help(1, argv + 1))
		return help_command(1, argv);
	index = find_word(argc, argv);
	if (index >= argc)
		return cli_usage("a command is missing; try: penstock help");
	word = argv[index];
	command = cli_find(commands, word);
	if (!command)
		return cli_usage("there is no command '%s'; try: penstock help", word);
	memmove(&argv[2], &argv[1], (size_t)(index - 1) * sizeof(*argv));
	argv[1] = word;
	if (command->run != bench_command && command->run != offload_command &&
	    command->run != replay_command && asks_help(argc - 2, argv + 2)) {
		char *arguments[] = { word, word };

		return help_command(2, arguments);
	}
	return command->run(argc - 1, argv + 1);
}
