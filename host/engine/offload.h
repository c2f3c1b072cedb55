// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The program on NICs that run XDP themselves (Netronome's), by XDP_FLAGS_HW_MODE. What a card does not
 * forward it passes on to the engine behind it.
 */
#pragma once

#include "host/engine/engine.h"

extern const struct engine_ops engine_offload;
