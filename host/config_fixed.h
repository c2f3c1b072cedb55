// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What of a configuration stays as it was at the start: a reload changes the rest. */
#pragma once

#include "host/config.h"

/* The first of these keys that two configurations differ in; NULL: none. */
const char *config_fixed_difference(const struct config *a, const struct config *b);
