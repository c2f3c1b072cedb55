// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

int run_command(int argc, char **argv);
