// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

/* What is really in the data plane, as the daemon reads it there. */
int show_command(int argc, char **argv);
int lookup_command(int argc, char **argv);
