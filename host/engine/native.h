// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The engines of the kernel: XDP in the driver, and in the generic hook.
 */
#pragma once

struct engine_ops;

extern const struct engine_ops engine_native, engine_generic;
