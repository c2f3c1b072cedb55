// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What modes that are close can do on this box, measured once: `penstock bench calibrate` as a child, over
 * veth pairs in namespaces of its own, so that no port is touched. The figures stay in
 * /run/penstock/calibration.json until the box starts anew or has another kernel.
 */
#pragma once

#include "host/why.h"

struct platform;

/* Fills in platform->measured, measuring if need be, which takes some seconds; as root, before rights are
 * given up. On failure it stays as it is. */
int calibration_take(struct platform *platform, struct why *why);
