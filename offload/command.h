// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

/* The command "penstock offload": argv[0] is "offload", argv[1] what about it. Returns the exit status. */
int offload_command(int argc, char **argv);
