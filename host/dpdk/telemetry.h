// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The plugin's own figures in DPDK's telemetry, beside what that tells about devices by itself:
 *
 *   /penstock/ports          names of the interfaces
 *   /penstock/port,NAME      verdicts by reason, and frames between device and kernel
 */
#pragma once

struct dpdk;

/* NULL: nobody is there to ask. */
void telemetry_show(const struct dpdk *dpdk);
