// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A decision in words: what `plan` prints for a port.
 */
#pragma once

#include <stdio.h>

struct capability;
struct decision;

void explain_port(const struct capability *port, const struct decision *decision, FILE *stream);
