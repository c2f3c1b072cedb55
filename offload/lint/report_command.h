// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

/* The command "penstock offload report": argv[0] is "report". Returns the exit status. */
int report_command(int argc, char **argv);
