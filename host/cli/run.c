// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/cli/run.h"

#include "host/cli/cli.h"
#include "host/options.h"
#include "host/router.h"

int run_command(int argc, char **argv)
{
	struct options options = { 0 };
	struct config *config;
	struct why why = { "" };
	struct cli cli;
	int first = cli_parse(argc, argv, "cnl", &cli);

	if (first < 0)
		return -first;
	options.config_path = cli.config;
	options.name = cli.name;
	options.interfaces = argv + first;
	options.interface_count = argc - first;
	options.log_level = cli.log_level;
	options.log_format = cli.log_format;
	if (options_configure(&options, &config, &why) < 0)
		return cli_usage("%s", why.text);
	if (router_run(&options, config, &why) < 0)
		return cli_fail("%s", why.text);
	return CLI_DONE;
}
