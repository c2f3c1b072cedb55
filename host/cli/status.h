// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

int status_command(int argc, char **argv);
int audit_command(int argc, char **argv);
int reload_command(int argc, char **argv);
