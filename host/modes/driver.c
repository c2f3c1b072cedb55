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
	{ "atlantic", FULL | SG, false },
	{ "bnxt_en", FULL | SG, false },
	{ "dpaa2-eth", FULL, false },
	{ "ena", FULL, false },
	{ "enetc", FULL, false },
	{ "fsl_dpa", FULL, false },
	{ "fsl_dpaa2_eth", FULL, false },
	{ "fsl_enetc", FULL, false },
	{ "hv_netvsc", FULL, false },
	{ "i40e", FULL | ZC, true },
	{ "ice", FULL | ZC, true },
	{ "igb", FULL, false },
	{ "igc", FULL | ZC, false },
	{ "ixgbe", FULL | ZC, false },
	{ "ixgbevf", XDP_FEATURE_BASIC, false },
	{ "mana", FULL, false },
	{ "mlx4_en", XDP_FEATURE_BASIC, false },
	{ "mlx5_core", FULL | ZC, true },
	{ "mvneta", FULL | SG, false },
	{ "mvpp2", FULL, false },
	{ "netsec", FULL, false },
	{ "nfp", XDP_FEATURE_BASIC | XDP_FEATURE_HW_OFFLOAD, false },
	{ "octeontx2-nicpf", FULL, false },
	{ "qede", FULL, false },
	{ "sfc", FULL, false },
	{ "st_gmac", FULL | ZC, false },
	{ "stmmac", FULL | ZC, false },
	{ "thunder-nicvf", RX, false },
	{ "ti_cpsw", FULL, false },
	{ "tun", FULL, false },
	{ "veth", RX | SG, false }, /* NDO_XMIT depends on the peer */
	{ "virtio_net", FULL, false },
	{ "vif", FULL, false }, /* xen-netfront */
};

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	return NULL;
}
