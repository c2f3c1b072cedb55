// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * penstock-next run [-c FILE] [IF...]: the daemon with the layout of the image that layout.py makes, for
 * tests of upgrades. penstock itself asks it for its status: the API is not of a version.
 */
#include <stdio.h>
#include <string.h>

#include "host/config.h"
#include "host/options.h"
#include "host/router.h"
#include "xdp/image.h"

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct config *config;
	struct why why = { "" };
	int first = 2;

	if (argc == 2 && strcmp(argv[1], "version") == 0) {
		printf("%d %zu\n", IMAGE_VERSION, sizeof(struct image_tables));
		return 0;
	}
	if (argc < 3 || strcmp(argv[1], "run") != 0) {
		fputs("usage: penstock-next run [-c FILE] [IF...] | version\n", stderr);
		return 2;
	}
	if (argc > 3 && strcmp(argv[2], "-c") == 0) {
		options.config_path = argv[3];
		first = 4;
	}
	options.interfaces = argv + first;
	options.interface_count = argc - first;
	if (options_configure(&options, &config, &why) < 0 || router_run(&options, config, &why) < 0) {
		fprintf(stderr, "penstock-next: %s\n", why.text);
		return 1;
	}
	return 0;
}
