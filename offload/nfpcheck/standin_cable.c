// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Cables of the stand-in's ports: each leads to a device of the host, far0 or far1, that may be put into a
 * network namespace. The card passes on all that comes in, as its program is not executed; behind it a frame
 * meets the program in the driver, if there is one. That runs on socket buffers, which serves here: it counts
 * what arrives, not how fast, and redirects to AF_XDP sockets with memory of the driver's, too.
 */
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <net/xdp_sock_drv.h>

#include "offload/nfpcheck/standin.h"

struct cable {
	struct net_device *near, *far; /* NULL: there is none */
	struct xsk_buff_pool *pool;    /* NULL: no socket has memory there */
	spinlock_t sending;            /* from the pool */
};

static struct cable cables[STANDIN_PORTS];

static struct cable *cable_of(const struct net_device *near)
{
	for (unsigned int i = 0; i < STANDIN_PORTS; i++)
		if (cables[i].near == near)
			return &cables[i];
	return NULL;
}

/* Somewhere in the host's queue of what has come in; a full one is counted by who sends. */
static void deliver(struct net_device *from, struct sk_buff *skb)
{
	if (netif_rx(skb) != NET_RX_SUCCESS)
		dev_core_stats_tx_dropped_inc(from);
}

static void carry(struct net_device *from, struct net_device *to, struct sk_buff *skb)
{
	if (__dev_forward_skb(to, skb) == 0)
		deliver(from, skb);
	else
		dev_core_stats_tx_dropped_inc(from);
}

static netdev_tx_t far_send(struct sk_buff *skb, struct net_device *far)
{
	struct cable *cable = *(struct cable **)netdev_priv(far);
	struct nfp_net *nn = netdev_priv(cable->near);

	if (__dev_forward_skb(cable->near, skb) != 0) {
		dev_core_stats_tx_dropped_inc(far);
		return NETDEV_TX_OK;
	}
	rcu_read_lock();
	if (do_xdp_generic(READ_ONCE(nn->xdp.prog), &skb) == XDP_PASS)
		deliver(far, skb);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

static const struct net_device_ops far_operations = {
	.ndo_start_xmit = far_send,
	.ndo_set_mac_address = eth_mac_addr,
};

int standin_cable_add(struct net_device *near, unsigned int number)
{
	struct net_device *far = alloc_etherdev(sizeof(struct cable *));
	struct cable *cable = &cables[number];
	int error;

	if (!far)
		return -ENOMEM;
	*(struct cable **)netdev_priv(far) = cable;
	snprintf(far->name, sizeof(far->name), "far%u", number);
	eth_hw_addr_random(far);
	far->netdev_ops = &far_operations;
	far->max_mtu = near->max_mtu;
	far->priv_flags |= IFF_NO_QUEUE;
	far->lltx = true;
	spin_lock_init(&cable->sending);
	cable->near = near;
	error = register_netdev(far);
	if (error) {
		cable->near = NULL;
		free_netdev(far);
		return error;
	}
	WRITE_ONCE(cable->far, far);
	return 0;
}

void standin_cable_remove(unsigned int number)
{
	struct net_device *far = cables[number].far;

	if (!far)
		return;
	WRITE_ONCE(cables[number].far, NULL);
	synchronize_net();
	unregister_netdev(far);
	free_netdev(far);
	cables[number].near = NULL;
}

void standin_cable_send(struct net_device *near, struct sk_buff *skb)
{
	struct cable *cable = cable_of(near);
	struct net_device *far;

	rcu_read_lock();
	far = cable ? READ_ONCE(cable->far) : NULL;
	if (far)
		carry(near, far, skb);
	else
		dev_kfree_skb_any(skb);
	rcu_read_unlock();
}

void standin_cable_pool(struct net_device *near, struct xsk_buff_pool *pool)
{
	struct cable *cable = cable_of(near);

	if (!cable)
		return;
	spin_lock_bh(&cable->sending);
	cable->pool = pool;
	spin_unlock_bh(&cable->sending);
}

void standin_cable_wakeup(struct net_device *near)
{
	struct cable *cable = cable_of(near);
	struct xdp_desc frame;
	struct sk_buff *skb;
	u32 sent = 0;

	if (!cable)
		return;
	spin_lock_bh(&cable->sending);
	while (cable->pool && xsk_tx_peek_desc(cable->pool, &frame)) {
		skb = netdev_alloc_skb(near, frame.len);
		if (skb) {
			skb_put_data(skb, xsk_buff_raw_get_data(cable->pool, frame.addr), frame.len);
			standin_cable_send(near, skb);
		}
		sent++;
	}
	if (sent) {
		xsk_tx_completed(cable->pool, sent);
		xsk_tx_release(cable->pool);
	}
	spin_unlock_bh(&cable->sending);
}
