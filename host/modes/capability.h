// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Facts about a network interface that decide how it can be a port. Collected here by asking the kernel,
 * judged elsewhere (choose.h, egress.h) by pure functions, so that tests can make up any card.
 */
#pragma once

#include <stdbool.h>
#include <net/if.h>
#include <linux/types.h>

#include "host/modes/ethtool.h"
#include "host/modes/pci.h"
#include "host/modes/stack.h"
#include "host/modes/xdp_features.h"

/* How an XDP program sits on the interface; the kernel's numbers. */
enum capability_attach {
	CAPABILITY_ATTACH_NONE = 0,
	CAPABILITY_ATTACH_NATIVE = 1,
	CAPABILITY_ATTACH_GENERIC = 2,
	CAPABILITY_ATTACH_HARDWARE = 3,
	CAPABILITY_ATTACH_MANY = 4,
};

#define CAPABILITY_DEVICE 201

#define CAPABILITY_FAILED  3
#define CAPABILITY_FAILURE 160

struct capability {
	char name[IFNAMSIZ];
	__u32 ifindex; /* 0: there is no such interface; with `pci`: a card that no kernel driver has */
	__u16 type;    /* ARPHRD_ETHER ... */
	char device[CAPABILITY_DEVICE]; /* an engine's, that the interface stands for; empty: none */
	bool up, carrier;
	__u32 mtu;
	char kind[16];             /* "veth", "vlan", "bridge" ...; empty for hardware */
	__u32 lower;               /* VLAN: the device below; veth: the peer */
	int lower_namespace;       /* id of the namespace the lower device is in; -1: this one */
	char lower_name[IFNAMSIZ]; /* if it is in this namespace */
	char master[IFNAMSIZ];     /* bridge, bond, VRF ... it belongs to; empty: none */
	char master_kind[16];
	struct stack stack;    /* by capability_read_all() */
	struct pci_device pci; /* the same; always if there is no interface */
	struct ethtool_facts ethtool;
	bool features_known; /* the kernel says what the device can do with XDP */
	__u64 features;      /* enum xdp_feature; what follows is as in struct xdp_device */
	__u32 zc_max_segs;
	__u64 rx_metadata, xsk_features;
	bool peer_known; /* veth without known features: whether its peer takes frames */
	bool peer_takes;
	bool peer_seen; /* by capability_read_all(): what the other end of a veth does */
	bool peer_tx_checksum, peer_hides_tags;
	/* What was tried on it since its facts are these, and failed: "MODE: why"; empty: nothing more. */
	char failed[CAPABILITY_FAILED][CAPABILITY_FAILURE];
	struct {
		enum capability_attach attached;
		__u32 at[CAPABILITY_ATTACH_MANY]; /* ids, by place; 0: none */
		__u32 id;                         /* of one of them; 0: none */
		char name[16];
		bool ours; /* by its name */
	} program;
};

/* `features` may be NULL. The name may be the address of a PCI card that is bound to user space. -ENODEV: no
 * such interface (ifindex is 0 then, the name is set). */
int capability_read(const char *interface, struct xdp_features *features, struct capability *ret);
/* The same without looking at a veth's peer. */
int capability_read_plain(const char *interface, struct xdp_features *features, struct capability *ret);
/* Also the card and what is built on it; for commands. */
int capability_read_all(const char *interface, struct xdp_features *features, struct capability *ret);
/* Names of all interfaces and of cards bound to user space, for a plan without arguments; free each and the
 * array. Returns their number. */
int capability_list(char ***ret_names);
