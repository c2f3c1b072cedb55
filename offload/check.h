// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

/* The command "penstock offload check": argv[0] is "check". Returns the exit status: 0 accepted, 1 refused,
 * 2 nobody can say. */
int check_command(int argc, char **argv);
