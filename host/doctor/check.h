// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What is wrong or suspicious about a box and its ports: pure, from what box.h read to findings.
 */
#pragma once

struct box;
struct box_port;
struct findings;

void check_box(const struct box *box, struct findings *findings);
void check_port(const struct box *box, const struct box_port *port, struct findings *findings);
/* What the daemon says about itself; nothing if none runs. */
void check_daemon(const struct box *box, struct findings *findings);
