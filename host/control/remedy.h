// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a person can do about packets that the program does not forward, for each reason of the list in
 * xdp/verdict.h.
 */
#pragma once

#include <stdbool.h>

/* One clause; NULL: there is nothing to do, it is meant to be so, or Linux does it as ever. */
const char *remedy_text(unsigned int reason);
/* Whether somebody thought about this reason, so that a new one is not forgotten. */
bool remedy_known(unsigned int reason);
