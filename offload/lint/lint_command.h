// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

/* The command "penstock offload lint": argv[0] is "lint". Returns the exit status: 0 clean, 1 findings, 2
 * what was given cannot be read. */
int lint_command(int argc, char **argv);
