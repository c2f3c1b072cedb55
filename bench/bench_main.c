// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/forward.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "forward") == 0)
		return bench_forward(argc - 1, argv + 1);
	fprintf(stderr, "Usage: penstock-bench forward [OPTION]...\n");
	return 2;
}
