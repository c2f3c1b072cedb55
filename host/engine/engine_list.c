// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The one place that knows which engines there are. */
#include "host/engine/afxdp.h"
#include "host/engine/dpdk.h"
#include "host/engine/engine.h"
#include "host/engine/native.h"
#include "host/engine/offload.h"

#include <stddef.h>

const struct engine_ops *const engine_list[] = { &engine_dpdk,  &engine_offload, &engine_native,
						 &engine_afxdp, &engine_generic, NULL };
