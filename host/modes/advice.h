// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What is wrong or could be better about a port that an engine runs on. Pure: from facts to findings, for
 * `plan` and `doctor`.
 */
#pragma once

struct capability;
struct findings;
struct platform;

void advice_port(const struct platform *platform, const struct capability *port, struct findings *findings);
