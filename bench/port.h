// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <linux/types.h>
#include <net/if.h>

#include "host/why.h"

// A port of this machine, lent to a bench: moved into a namespace of the bench's, where all that is set up
// goes with the namespace, and brought home as it was.

struct port {
	char name[IFNAMSIZ]; // "": none
	__u8 mac[6];
	unsigned int flags; // IFF_UP, IFF_PROMISC
	__u32 mtu, gro;
	__u32 tags; // ETH_FLAG_TXVLAN, ETH_FLAG_RXVLAN
};

// Looks at a port of the calling thread's namespace and keeps how it is set. Refuses one that is not there or
// in use: with addresses, a program of XDP's, a bridge or bond above it or VLANs on it, or no Ethernet.
int port_look(const char *name, struct port *ret_port, struct why *why);

// Moves it from the calling thread's namespace into another.
int port_lend(const struct port *port, int netns, struct why *why);

// Brings it from the namespace of that name into another (a descriptor) and sets it as it was; VLANs that are
// on it are removed. Fine when it is not there.
void port_return(const struct port *port, const char *netns, int home);
