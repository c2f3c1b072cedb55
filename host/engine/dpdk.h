// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Network cards in the hands of DPDK. This is the daemon's side: it loads the plugin when a port asks for it.
 */
#pragma once

struct engine_ops;

extern const struct engine_ops engine_dpdk;
