// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

/* Another mode for a port of the running daemon, until it ends or reads its configuration again. */
int mode_command(int argc, char **argv);
