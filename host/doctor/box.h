// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What `doctor` looks at beside the facts that decide modes: settings of the kernel that change the way of
 * packets, what else handles them, who else works on the box. Read once; judged in check.h.
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "host/mirror/netfilter.h"
#include "host/modes/capability.h"
#include "host/modes/choose.h"
#include "host/modes/platform.h"
#include "host/why.h"

#define BOX_NEIGHBOURS 4096

struct box_neighbour { /* in the kernel */
	char interface[IFNAMSIZ];
	char address[48];
	bool kept; /* it does not age: managed, permanent, learnt from elsewhere */
};

struct box {
	struct platform platform;
	struct why refusal;     /* of penstock run; empty: none */
	int forward4, forward6; /* sysctls; -1: cannot be read */
	int unprivileged_bpf;   /* kernel.unprivileged_bpf_disabled */
	bool irqbalance;        /* runs */
	bool netfilter_known;
	struct netfilter_state netfilter;
	struct box_neighbour *neighbours;
	unsigned int neighbour_count;
	/* The daemon's answers; NULL: none runs, or it does not talk to us. */
	json_t *status, *gateways;
};

struct box_port {
	struct capability facts;
	struct decision decision;
	/* net.ipv4.conf.*, as they take effect together with "all"; -1: cannot be read */
	int forwarding, send_redirects, rp_filter;
};

/* `bpffs` as in platform_read(). The daemon's answers are left NULL. */
int box_read(const char *bpffs, struct box *ret);
void box_free(struct box *box);
/* -ENODEV: no such interface. */
int box_read_port(const struct box *box, struct xdp_features *features, const char *name,
		  struct box_port *ret);
