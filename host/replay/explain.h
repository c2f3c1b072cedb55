// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What happened to a packet, and why: what the program read in it, the interface and VRF, the route, the next
 * hop, the frame that left.
 */
#pragma once

#include <stdio.h>

#include <jansson.h>

struct replay_frame;
struct site;

/* As a document. NULL without memory. */
json_t *explain_json(const struct site *site, const struct replay_frame *frame);
/* The document as a few lines of text. */
void explain_print(FILE *to, const json_t *document);
/* "forward", "kernel", "drop". */
const char *explain_action(unsigned int action);
/* The name of a reason, and what it means. */
const char *explain_reason(unsigned int reason);
const char *explain_reason_text(unsigned int reason);
