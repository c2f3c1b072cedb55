// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/cli/mode.h"

#include <stdio.h>

#include "host/cli/cli.h"
#include "host/cli/client.h"

int mode_command(int argc, char **argv)
{
	char interface[64], mode[64], path[192];
	const char *name, *now, *reason;
	struct why why;
	struct cli cli;
	json_t *answer;
	int first = cli_parse(argc, argv, "jpn", &cli);

	if (first < 0)
		return -first;
	if (argc - first != 2)
		return cli_usage("which interface, and which mode? penstock mode IF "
				 "auto|native|generic|afxdp|offload|dpdk|kernel");
	client_escape(argv[first], interface, sizeof(interface));
	client_escape(argv[first + 1], mode, sizeof(mode));
	snprintf(path, sizeof(path), "/v1/mode?interface=%s&mode=%s", interface, mode);
	if (client_post(cli.name, path, &answer, &why) < 0)
		return cli_fail("%s: %s", argv[first], why.text);
	if (cli.json)
		return cli_print_json(&cli, answer);
	if (json_unpack(answer, "{s:s, s:s, s:s}", "interface", &name, "mode", &now, "reason", &reason) == 0)
		printf("%s: %s (%s)\n", name, now, reason);
	json_decref(answer);
	return CLI_DONE;
}
