// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A card with two ports, nfp0 and nfp1, whose firmware says of itself what the module's parameters say (see
 * offload/limits.h). Programs and maps are taken or refused as the driver would; the card executes nothing.
 * Without a cable what is sent to a port is lost, and nothing comes in; with one, see standin_cable.c.
 */
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <net/xdp_sock_drv.h>

#include "offload/limits.h"
#include "offload/nfpcheck/standin.h"

#define X(name, open, shipped, text)                                                                         \
	static uint name = open;                                                                             \
	module_param(name, uint, 0444);                                                                      \
	MODULE_PARM_DESC(name, text);
NFP_LIMITS(X)
#undef X

static uint queues = 1;
module_param(queues, uint, 0444);
MODULE_PARM_DESC(queues, "receive and send queues of each port");

static bool zero_copy;
module_param(zero_copy, bool, 0444);
MODULE_PARM_DESC(zero_copy, "whether the driver takes memory of AF_XDP sockets");

static bool cables;
module_param(cables, bool, 0444);
MODULE_PARM_DESC(cables, "whether the ports have cables, to far0 and far1");

/* bpf/main.c has it, which is not here. */
const struct rhashtable_params nfp_bpf_maps_neutral_params = {
	.nelem_hint = 4,
	.key_len = sizeof_field(struct bpf_map, id),
	.key_offset = offsetof(struct nfp_bpf_neutral_map, map_id),
	.head_offset = offsetof(struct nfp_bpf_neutral_map, l),
	.automatic_shrinking = true,
};

static struct platform_device *platform;
static struct pci_dev pci;
static struct nfp_pf pf;
static struct nfp_app_bpf bpf;
static struct nfp_app app = { .pdev = &pci, .pf = &pf, .priv = &bpf };
static struct nfp_bpf_vnic vnics[STANDIN_PORTS];
static struct net_device *ports[STANDIN_PORTS];

/* The firmware has taken what stands in the control words. */
int nfp_net_reconfig(struct nfp_net *nn, u32 changed)
{
	return 0;
}

static int port_init(struct net_device *port)
{
	return bpf_offload_dev_netdev_register(bpf.bpf_dev, port);
}

static void port_uninit(struct net_device *port)
{
	bpf_offload_dev_netdev_unregister(bpf.bpf_dev, port);
}

static netdev_tx_t port_send(struct sk_buff *skb, struct net_device *port)
{
	standin_cable_send(port, skb);
	return NETDEV_TX_OK;
}

/* As the driver does: nfp_bpf_xdp_offload() and what calls it. */
static int port_offload(struct nfp_net *nn, struct netdev_bpf *command)
{
	bool running = nn->dp.ctrl & NFP_NET_CFG_CTRL_BPF;
	int error = 0;

	if (command->prog || running)
		error = nfp_net_bpf_offload(nn, command->prog, running, command->extack);
	if (!error)
		xdp_attachment_setup(&nn->xdp_hw, command);
	return error;
}

static int port_pool(struct net_device *port, struct netdev_bpf *command)
{
	struct xsk_buff_pool *pool = command->xsk.pool;
	int error;

	if (!zero_copy)
		return -EOPNOTSUPP;
	if (pool) {
		error = xsk_pool_dma_map(pool, &platform->dev, 0);
		if (!error)
			standin_cable_pool(port, pool);
		return error;
	}
	standin_cable_pool(port, NULL);
	pool = xsk_get_pool_from_qid(port, command->xsk.queue_id);
	if (pool)
		xsk_pool_dma_unmap(pool, 0);
	return 0;
}

static int port_wakeup(struct net_device *port, u32 queue, u32 flags)
{
	standin_cable_wakeup(port);
	return 0;
}

static int port_bpf(struct net_device *port, struct netdev_bpf *command)
{
	struct nfp_net *nn = netdev_priv(port);

	switch (command->command) {
	case XDP_SETUP_PROG:
		xdp_attachment_setup(&nn->xdp, command);
		return 0;
	case XDP_SETUP_PROG_HW:
		return port_offload(nn, command);
	case XDP_SETUP_XSK_POOL:
		return port_pool(port, command);
	default:
		return nfp_ndo_bpf(&app, nn, command);
	}
}

static int port_change_mtu(struct net_device *port, int mtu)
{
	struct nfp_net *nn = netdev_priv(port);

	if (nn->xdp_hw.prog && nfp_bpf_offload_check_mtu(nn, nn->xdp_hw.prog, mtu))
		return -EBUSY;
	WRITE_ONCE(port->mtu, mtu);
	return 0;
}

static const struct net_device_ops port_operations = {
	.ndo_init = port_init,
	.ndo_uninit = port_uninit,
	.ndo_start_xmit = port_send,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_change_mtu = port_change_mtu,
	.ndo_bpf = port_bpf,
	.ndo_xsk_wakeup = port_wakeup,
};

static void port_drvinfo(struct net_device *port, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "nfp", sizeof(info->driver));
	strscpy(info->fw_version, "0.0.3.5 0.25 stand-in ebpf", sizeof(info->fw_version));
	strscpy(info->bus_info, dev_name(&platform->dev), sizeof(info->bus_info));
}

static void port_channels(struct net_device *port, struct ethtool_channels *channels)
{
	channels->combined_count = channels->max_combined = queues;
}

static const struct ethtool_ops port_ethtool = {
	.get_drvinfo = port_drvinfo,
	.get_channels = port_channels,
	.get_link = ethtool_op_get_link,
};

static void port_words(struct nfp_net *nn)
{
	nn_writeb(nn, NFP_NET_CFG_BPF_ABI, abi);
	nn_writeb(nn, NFP_NET_CFG_BPF_CAP, live_replace ? NFP_NET_BPF_CAP_RELO : 0);
	nn_writew(nn, NFP_NET_CFG_BPF_MAX_LEN, program_length);
	nn_writew(nn, NFP_NET_CFG_BPF_START, program_start);
	nn_writew(nn, NFP_NET_CFG_BPF_DONE, program_done);
	nn_writeb(nn, NFP_NET_CFG_BPF_STACK_SZ, stack / 64);
	nn_writeb(nn, NFP_NET_CFG_BPF_INL_MTU, inline_mtu / 64);
}

static void port_remove(unsigned int number)
{
	struct nfp_net *nn;

	if (!ports[number])
		return;
	standin_cable_remove(number);
	nn = netdev_priv(ports[number]);
	unregister_netdev(ports[number]);
	vfree(nn->dp.ctrl_bar);
	free_netdev(ports[number]);
	ports[number] = NULL;
}

static int port_add(unsigned int number)
{
	struct net_device *port = alloc_etherdev_mq(sizeof(struct nfp_net), queues);
	struct nfp_net *nn;
	int error = -ENOMEM;

	if (!port)
		return error;
	nn = netdev_priv(port);
	nn->dp.netdev = port;
	nn->dp.dev = &platform->dev;
	nn->dp.ctrl_bar = vzalloc(NFP_NET_CFG_BAR_SZ);
	nn->app = &app;
	nn->app_priv = &vnics[number];
	vnics[number].start_off = program_start + number * program_length;
	vnics[number].tgt_done = program_done;
	if (!nn->dp.ctrl_bar)
		goto free_port;
	port_words(nn);
	snprintf(port->name, sizeof(port->name), "nfp%u", number);
	SET_NETDEV_DEV(port, &platform->dev);
	eth_hw_addr_random(port);
	port->netdev_ops = &port_operations;
	port->ethtool_ops = &port_ethtool;
	port->max_mtu = 9216;
	port->xdp_features = NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT | NETDEV_XDP_ACT_HW_OFFLOAD;
	if (zero_copy)
		port->xdp_features |= NETDEV_XDP_ACT_XSK_ZEROCOPY;
	if (number == 0)
		app.ctrl = nn;
	error = register_netdev(port);
	if (error)
		goto free_words;
	ports[number] = port;
	return 0;
free_words:
	vfree(nn->dp.ctrl_bar);
free_port:
	free_netdev(port);
	return error;
}

static void card_limits(void)
{
	bpf.app = &app;
	bpf.abi_version = abi;
	bpf.cmsg_key_sz = CMSG_MAP_KEY_LW * 4;
	bpf.cmsg_val_sz = CMSG_MAP_VALUE_LW * 4;
	bpf.cmsg_cache_cnt = 1;
	bpf.adjust_head.flags = adjust_head;
	bpf.adjust_head.off_min = head_least;
	bpf.adjust_head.off_max = head_most;
	bpf.adjust_head.guaranteed_sub = head_give;
	bpf.adjust_head.guaranteed_add = head_take;
	bpf.maps.types = map_types;
	bpf.maps.max_maps = maps;
	bpf.maps.max_elems = entries;
	bpf.maps.max_key_sz = key;
	bpf.maps.max_val_sz = value;
	bpf.maps.max_elem_sz = element;
	bpf.helpers.map_lookup = lookup;
	bpf.helpers.map_update = update;
	bpf.helpers.map_delete = delete;
	bpf.helpers.perf_event_output = perf_event;
	bpf.pseudo_random = random;
	bpf.queue_select = queue_select;
	bpf.adjust_tail = adjust_tail;
	INIT_LIST_HEAD(&bpf.map_list);
}

static int card_add(void)
{
	int error = rhashtable_init(&bpf.maps_neutral, &nfp_bpf_maps_neutral_params);

	if (error)
		return error;
	bpf.bpf_dev = bpf_offload_dev_create(&nfp_bpf_dev_ops, &bpf);
	if (!IS_ERR(bpf.bpf_dev))
		return 0;
	rhashtable_destroy(&bpf.maps_neutral);
	return PTR_ERR(bpf.bpf_dev);
}

static void card_remove(void)
{
	bpf_offload_dev_destroy(bpf.bpf_dev);
	rhashtable_destroy(&bpf.maps_neutral);
	standin_maps_free();
}

static int __init standin_init(void)
{
	int error;

	platform = platform_device_register_simple("nfp_standin", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	error = dma_coerce_mask_and_coherent(&platform->dev, DMA_BIT_MASK(64));
	if (error)
		goto remove_platform;
	card_limits();
	error = card_add();
	if (error)
		goto remove_platform;
	for (unsigned int i = 0; i < STANDIN_PORTS && !error; i++)
		error = port_add(i);
	for (unsigned int i = 0; i < STANDIN_PORTS && !error && cables; i++)
		error = standin_cable_add(ports[i], i);
	if (!error)
		return 0;
	for (unsigned int i = 0; i < STANDIN_PORTS; i++)
		port_remove(i);
	card_remove();
remove_platform:
	platform_device_unregister(platform);
	return error;
}

static void __exit standin_exit(void)
{
	for (unsigned int i = 0; i < STANDIN_PORTS; i++)
		port_remove(i);
	card_remove();
	platform_device_unregister(platform);
}

module_init(standin_init);
module_exit(standin_exit);
MODULE_DESCRIPTION("A Netronome card that is not there");
MODULE_LICENSE("Dual BSD/GPL");
