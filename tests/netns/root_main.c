// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// main() of the tests here that are written in C: Criterion's, behind a look at who runs them. Criterion
// itself cannot tell meson that a test was skipped.

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#define SKIPPED 77

int main(int argc, char **argv)
{
	struct criterion_test_set *tests;
	int code = 0;

	if (geteuid() != 0) {
		printf("skipped: needs root to make network namespaces\n");
		return SKIPPED;
	}
	tests = criterion_initialize();
	if (criterion_handle_args(argc, argv, true))
		code = !criterion_run_all_tests(tests);
	criterion_finalize(tests);
	return code;
}
