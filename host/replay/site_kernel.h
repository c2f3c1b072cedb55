// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Fills a site with the tables of the running kernel, of this network namespace: one round of dumps, which
 * anybody may ask for. What netfilter and IPsec would do is not looked at.
 */
#pragma once

#include "host/why.h"

struct site;

/* -EINTR: the tables changed meanwhile; try again with a new site. */
int site_kernel_read(struct site *site, struct why *why);
