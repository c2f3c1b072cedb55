// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A device in place of a Netronome card, so that the kernel's own nfp verifier, translator and map code can
 * be asked without one. Those files are compiled as they are; what is here takes the place of the files
 * around them: firmware, control channel, PCI.
 */
#pragma once

#include <nfp_app.h>
#include <nfp_main.h>
#include <nfp_net.h>
#include <bpf/fw.h>
#include <bpf/main.h>

#define STANDIN_PORTS 2

struct xsk_buff_pool;

/* Gives a port a cable, whose other end is a device of the host's. */
int standin_cable_add(struct net_device *near, unsigned int number);
/* Before the port goes. Without a cable: no effect. */
void standin_cable_remove(unsigned int number);
/* What a port sends; without a cable it is lost. */
void standin_cable_send(struct net_device *near, struct sk_buff *skb);
/* The memory of an AF_XDP socket, to send from; NULL: none any more. */
void standin_cable_pool(struct net_device *near, struct xsk_buff_pool *pool);
/* Sends what lies there. */
void standin_cable_wakeup(struct net_device *near);
/* Gives back what is left of the maps. */
void standin_maps_free(void);
