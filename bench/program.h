// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

// The command "penstock bench program": the programs alone, without veth, generator and sink around them: the
// kernel runs each on the same packet again and again (BPF_PROG_TEST_RUN). One route; the tables lie in the
// cache. argv[0] is "program". Returns the exit code: 0, 1 failed, 2 bad usage.
int bench_program(int argc, char **argv);
