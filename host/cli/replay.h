// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

int replay_command(int argc, char **argv);
