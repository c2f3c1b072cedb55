// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the kernel says a device can do with XDP: the generic netlink family "netdev" (Linux 6.3). The answer
 * changes while devices live: a veth takes redirected frames only while its peer has XDP or GRO.
 */
#pragma once

#include <linux/types.h>

struct loop;
struct xdp_features;

enum xdp_feature { /* linux/netdev.h, which Debian 12 does not have */
		   XDP_FEATURE_BASIC = 1 << 0,
		   XDP_FEATURE_REDIRECT = 1 << 1,
		   XDP_FEATURE_NDO_XMIT = 1 << 2,
		   XDP_FEATURE_XSK_ZEROCOPY = 1 << 3,
		   XDP_FEATURE_HW_OFFLOAD = 1 << 4,
		   XDP_FEATURE_RX_SG = 1 << 5,
		   XDP_FEATURE_NDO_XMIT_SG = 1 << 6,
};

/* All that the family says about a device. */
struct xdp_device {
	__u64 features;
	__u32 zc_max_segs;  /* buffers that a frame may have on a zero-copy socket; 0: does not say */
	__u64 rx_metadata;  /* what programs may ask about received frames: 1 time, 2 hash, 4 VLAN tag */
	__u64 xsk_features; /* what sockets may leave to the device: 1 time stamp, 2 checksum, 4 launch time
			     */
};

typedef void xdp_features_fn(void *arg, __u32 ifindex, __u64 features);

/* -EOPNOTSUPP: the kernel does not have the family. */
int xdp_features_open(struct xdp_features **ret);
/* NULL is fine. */
void xdp_features_close(struct xdp_features *features);
/* -ENODEV: no such device. */
int xdp_features_describe(struct xdp_features *features, __u32 ifindex, struct xdp_device *ret);
/* Calls back whenever the features of a device change. Lost notifications are made up for by asking again:
 * then the callback comes with ifindex 0 and means "any device". */
int xdp_features_watch(struct xdp_features *features, struct loop *loop, xdp_features_fn *fn, void *arg);
