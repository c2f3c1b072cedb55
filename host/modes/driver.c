// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/driver.h"

#include <stddef.h>
#include <string.h>

#include "host/modes/xdp_features.h"

#define RX   (XDP_FEATURE_BASIC | XDP_FEATURE_REDIRECT)
#define FULL (RX | XDP_FEATURE_NDO_XMIT)
#define ZC   XDP_FEATURE_XSK_ZEROCOPY
#define SG   XDP_FEATURE_RX_SG

static const struct driver drivers[] = {
	{ .name = "atlantic", .features = FULL | SG },
	{ .name = "bnxt_en", .features = FULL | SG, .combined_only = true },
	{ .name = "dpaa2-eth", .features = FULL },
	{ .name = "ena", .features = FULL, .half_queues = true },
	{ .name = "enetc", .features = FULL },
	{ .name = "fsl_dpa", .features = FULL },
	{ .name = "fsl_dpaa2_eth", .features = FULL },
	{ .name = "fsl_enetc", .features = FULL },
	{ .name = "gve", .features = 0, .half_queues = true },
	{ .name = "hv_netvsc", .features = FULL },
	{ .name = "i40e", .features = FULL | ZC, .queue_per_cpu = true, .max_mtu = 3046 },
	{ .name = "ice", .features = FULL | ZC, .max_mtu = 3046 },
	{ .name = "igb", .features = FULL, .max_mtu = 3046 },
	{ .name = "igc", .features = FULL | ZC, .max_mtu = 1500 },
	{ .name = "ixgbe", .features = FULL | ZC, .max_mtu = 3046 },
	{ .name = "ixgbevf", .features = XDP_FEATURE_BASIC },
	{ .name = "mana", .features = FULL },
	{ .name = "mlx4_en", .features = XDP_FEATURE_BASIC },
	{ .name = "mlx5_core", .features = FULL | ZC, .queue_per_cpu = true },
	{ .name = "mvneta", .features = FULL | SG },
	{ .name = "mvpp2", .features = FULL },
	{ .name = "netsec", .features = FULL },
	{ .name = "nfp",
	  .features = XDP_FEATURE_BASIC | XDP_FEATURE_HW_OFFLOAD,
	  .lies = XDP_FEATURE_REDIRECT },
	{ .name = "octeontx2-nicpf", .features = FULL, .max_mtu = 1508 },
	{ .name = "qede", .features = FULL },
	{ .name = "sfc", .features = FULL },
	{ .name = "st_gmac", .features = FULL | ZC, .max_mtu = 1500 },
	{ .name = "stmmac", .features = FULL | ZC, .max_mtu = 1500 },
	{ .name = "thunder-nicvf", .features = RX, .max_mtu = 1508 },
	{ .name = "ti_cpsw", .features = FULL },
	{ .name = "tun", .features = FULL },
	{ .name = "veth", .features = RX | SG }, /* NDO_XMIT depends on the peer */
	{ .name = "virtio_net", .features = FULL },
	{ .name = "vif", .features = FULL }, /* xen-netfront */
	{ .name = "vmxnet3", .features = 0 },
};

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	return NULL;
}
