// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/dpdk/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "host/dpdk/vhost_socket.h"

#define DESCRIPTORS 1024 /* of a queue, where the device lets us choose */
#define TRIES       16   /* to send what a device did not take at once */
#define SEGMENTS    16   /* of a frame that is handed to the kernel */

/* --- making --- */

/* The length of the device's own name in front of its arguments. */
static int name_length(const char *device)
{
	return (int)strcspn(device, ",");
}

/* What sysfs says about a card that DPDK did not take. */
static void explain_pci(const char *device, struct why *why)
{
	char path[320], driver[200] = "";
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.*s", name_length(device), device);
	if (access(path, F_OK) < 0) {
		(void)why_set(why, 0, "dpdk:%.100s: there is no such device; see: lspci -D", device);
		return;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.*s/driver", name_length(device), device);
	length = readlink(path, driver, sizeof(driver) - 1);
	driver[length < 0 ? 0 : length] = '\0';
	(void)why_set(
		why, 0,
		"dpdk:%.80s: DPDK does not take it; it is bound to %.40s; fix: dpdk-devbind.py -b vfio-pci "
		"%.*s",
		device, *driver ? strrchr(driver, '/') + 1 : "no driver", name_length(device), device);
}

static int refuse_probe(const char *device, int error, struct why *why)
{
	unsigned int number;

	if (sscanf(device, "%4x:%2x:%2x.%1x", &number, &number, &number, &number) == 4)
		explain_pci(device, why);
	else
		(void)why_set(why, 0, "dpdk:%.100s: DPDK does not make this device: %.140s", device,
			      eal_error());
	return error < 0 ? error : -ENODEV;
}

/* Some devices have other names than their arguments say: then it is the one that was not there before. */
static int find_new(const bool *before, __u16 *ret)
{
	__u16 id;

	RTE_ETH_FOREACH_DEV(id)
	{
		if (before[id])
			continue;
		*ret = id;
		return 0;
	}
	return -ENODEV;
}

int device_probe(const char *device, __u16 *ret_id, struct why *why)
{
	bool before[RTE_MAX_ETHPORTS] = { false };
	char name[RTE_ETH_NAME_MAX_LEN];
	__u16 id;
	int error;

	snprintf(name, sizeof(name), "%.*s", name_length(device), device);
	if (rte_eth_dev_get_port_by_name(name, ret_id) == 0) /* DPDK looked at it at the start */
		return 0;
	RTE_ETH_FOREACH_DEV(id)
	before[id] = true;
	error = vhost_socket_clear(device, why);
	if (error < 0)
		return error;
	eal_errors_clear();
	error = rte_dev_probe(device);
	if (error < 0)
		return refuse_probe(device, error, why);
	if (rte_eth_dev_get_port_by_name(name, ret_id) < 0 && find_new(before, ret_id) < 0)
		return refuse_probe(device, -ENODEV, why);
	return 0;
}

static __u16 least(__u16 a, unsigned int b)
{
	return a < b ? a : (__u16)b;
}

static void count_queues(const struct rte_eth_dev_info *info, unsigned int workers, __u16 *ret_receive,
			 __u16 *ret_transmit)
{
	*ret_receive = least(info->max_rx_queues, workers);
	*ret_transmit = least(info->max_tx_queues, workers + 1);
}

unsigned int device_buffers(__u16 id, unsigned int workers)
{
	struct rte_eth_dev_info info;
	__u16 receive, transmit;

	if (rte_eth_dev_info_get(id, &info) < 0)
		return 0;
	count_queues(&info, workers, &receive, &transmit);
	return ((unsigned int)receive + transmit) * DESCRIPTORS;
}

static int refuse(const struct device *device, const char *what, int error, struct why *why)
{
	return why_set(why, -error, "dpdk:%.80s: %s: %s (%.120s)", device->name, what, strerror(-error),
		       eal_error());
}

/* VLAN tags stay in the frames, and nothing is merged: the program sees what was on the wire. */
static void choose_settings(const struct rte_eth_dev_info *info, const struct device *device,
			    struct rte_eth_conf *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->rxmode.mtu = device->settings.mtu;
	ret->rx_adv_conf.rss_conf.rss_hf =
		info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	/* Those that know no RSS (af_packet, virtio) spread flows by themselves, and refuse to be asked. */
	if (device->receive_queues > 1 && ret->rx_adv_conf.rss_conf.rss_hf)
		ret->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	/* All frames are of one pool and nobody keeps a second reference. */
	ret->txmode.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
}

static void note_settings(struct device *device, const struct rte_eth_conf *conf)
{
	size_t used = 0;

	device->rss = conf->rxmode.mq_mode == RTE_ETH_MQ_RX_RSS;
	device->offloads[0] = '\0';
	for (__u64 left = conf->txmode.offloads; left && used < sizeof(device->offloads); left &= left - 1)
		used += (size_t)snprintf(device->offloads + used, sizeof(device->offloads) - used, "%s%s",
					 used ? " " : "", rte_eth_dev_tx_offload_name(left & -left));
}

static int set_up_queues(struct device *device, const struct device_room *room, struct rte_eth_conf *conf)
{
	__u16 receive = DESCRIPTORS, transmit = DESCRIPTORS;
	int socket = rte_eth_dev_socket_id(device->id), error;
	struct rte_eth_dev_info info;

	error = rte_eth_dev_adjust_nb_rx_tx_desc(device->id, &receive, &transmit);
	if (error == 0)
		error = rte_eth_dev_info_get(device->id, &info);
	info.default_txconf.offloads = conf->txmode.offloads;
	for (__u16 i = 0; error == 0 && i < device->receive_queues; i++)
		error = rte_eth_rx_queue_setup(device->id, i, receive, (unsigned int)socket,
					       &info.default_rxconf, room->pool);
	for (__u16 i = 0; error == 0 && i < device->transmit_queues; i++)
		error = rte_eth_tx_queue_setup(device->id, i, transmit, (unsigned int)socket,
					       &info.default_txconf);
	return error;
}

/* Some devices have queues in pairs only. */
static int configure_queues(struct device *device, const struct rte_eth_conf *conf)
{
	int error = rte_eth_dev_configure(device->id, device->receive_queues, device->transmit_queues, conf);

	if (error < 0 && device->transmit_queues > device->receive_queues) {
		device->transmit_queues = device->receive_queues;
		error = rte_eth_dev_configure(device->id, device->receive_queues, device->transmit_queues,
					      conf);
	}
	device->shared = device->transmit_queues < device->slots;
	return error;
}

/* Some devices say it by their longest frame only. */
static __u32 most_mtu(const struct rte_eth_dev_info *info)
{
	if (info->max_mtu == UINT16_MAX && info->max_rx_pktlen < UINT16_MAX)
		return info->max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN;
	return info->max_mtu;
}

static int configure(struct device *device, const struct device_room *room, struct why *why)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	int error = rte_eth_dev_info_get(device->id, &info);

	if (error < 0)
		return refuse(device, "tells nothing about itself", error, why);
	if (room->mtu > most_mtu(&info) || room->mtu < info.min_mtu)
		return why_set(why, ERANGE,
			       "dpdk:%.80s: MTU %u is not possible; it takes %u to %u; see dpdk.mtu",
			       device->name, room->mtu, info.min_mtu, most_mtu(&info));
	device->ifindex = info.if_index;
	count_queues(&info, room->workers, &device->receive_queues, &device->transmit_queues);
	if (!device->receive_queues || !device->transmit_queues)
		return why_set(why, EINVAL, "dpdk:%.80s: can not both receive and send", device->name);
	choose_settings(&info, device, &conf);
	error = configure_queues(device, &conf);
	if (error < 0)
		return refuse(device, "cannot be configured", error, why);
	note_settings(device, &conf);
	error = set_up_queues(device, room, &conf);
	if (error < 0)
		return refuse(device, "its queues cannot be set up", error, why);
	error = rte_eth_dev_start(device->id);
	if (error < 0)
		return refuse(device, "does not start", error, why);
	(void)rte_eth_allmulticast_enable(device->id); /* where there is no filter there is no switch, too */
	return 0;
}

static int read_settings(struct device *device, const struct device_room *room, struct why *why)
{
	struct rte_ether_addr mac;
	int error = rte_eth_macaddr_get(device->id, &mac);

	if (error < 0)
		return refuse(device, "has no link address", error, why);
	memcpy(device->settings.mac, mac.addr_bytes, sizeof(device->settings.mac));
	device->settings.mtu = room->mtu;
	device->largest_mtu = room->mtu;
	return 0;
}

static void close_ethernet(__u16 id)
{
	(void)rte_eth_dev_stop(id);
	(void)rte_eth_dev_close(id);
}

int device_open(__u16 id, const char *interface, const struct device_room *room, struct device **ret,
		struct why *why)
{
	struct device *device = rte_zmalloc("penstock", sizeof(*device), 64);
	int error;

	if (!device) {
		close_ethernet(id);
		return why_set(why, ENOMEM, "out of DPDK's memory; more: dpdk.memory");
	}
	device->id = id;
	device->port = DEVICE_NONE;
	device->slots = room->workers + 1;
	(void)rte_eth_dev_get_name_by_port(id, device->name);
	eal_errors_clear();
	error = read_settings(device, room, why);
	if (error == 0)
		error = configure(device, room, why);
	if (error == 0)
		error = representor_open(interface, &device->settings, &device->tap, why);
	if (error < 0) {
		close_ethernet(id);
		rte_free(device);
		return error;
	}
	*ret = device;
	return 0;
}

void device_close(struct device *device)
{
	representor_close(&device->tap);
	close_ethernet(device->id);
	rte_free(device);
}

/* --- following its interface --- */

static int set_mtu(struct device *device, __u32 mtu)
{
	int error = rte_eth_dev_set_mtu(device->id, (__u16)mtu), started;

	if (error != -EBUSY)
		return error;
	(void)rte_eth_dev_stop(device->id);
	error = rte_eth_dev_set_mtu(device->id, (__u16)mtu);
	started = rte_eth_dev_start(device->id);
	return error < 0 ? error : started;
}

static int follow_mtu(struct device *device, __u32 mtu, struct why *why)
{
	int error;

	if (mtu > device->largest_mtu)
		return why_set(why, ERANGE,
			       "MTU %u is larger than the buffers of %u; fix: dpdk.mtu, or ip link set "
			       "dev %s mtu %u",
			       mtu, device->largest_mtu, device->tap.name, device->largest_mtu);
	error = set_mtu(device, mtu);
	if (error < 0)
		return why_set(why, -error, "the device does not take MTU %u: %s", mtu, strerror(-error));
	device->settings.mtu = mtu;
	return 0;
}

static int follow_mac(struct device *device, const __u8 *mac, struct why *why)
{
	struct rte_ether_addr address;
	int error;

	memcpy(address.addr_bytes, mac, sizeof(address.addr_bytes));
	error = rte_eth_dev_default_mac_addr_set(device->id, &address);
	if (error < 0 && error != -ENOTSUP) /* that has no filter then */
		return why_set(why, -error, "the device does not take the link address of %s: %s",
			       device->tap.name, strerror(-error));
	memcpy(device->settings.mac, mac, sizeof(device->settings.mac));
	return 0;
}

int device_follow(struct device *device, const struct representor_settings *settings, struct why *why)
{
	int error = 0;

	if (settings->promiscuous != device->settings.promiscuous) {
		(void)(settings->promiscuous ? rte_eth_promiscuous_enable(device->id)
					     : rte_eth_promiscuous_disable(device->id));
		device->settings.promiscuous = settings->promiscuous;
	}
	if (memcmp(settings->mac, device->settings.mac, sizeof(settings->mac)) != 0)
		error = follow_mac(device, settings->mac, why);
	if (error == 0 && settings->mtu != device->settings.mtu)
		error = follow_mtu(device, settings->mtu, why);
	return error;
}

/* Drivers over an interface of the kernel (af_packet) say that their link is up whatever that one's is. */
static bool link_below(const struct device *device)
{
	struct ifreq request = { .ifr_ifindex = (int)device->ifindex };

	if (!device->ifindex || ioctl(device->tap.control, SIOCGIFNAME, &request) < 0 ||
	    ioctl(device->tap.control, SIOCGIFFLAGS, &request) < 0)
		return true;
	return request.ifr_flags & IFF_RUNNING;
}

void device_watch(struct device *device)
{
	struct rte_eth_link link = { .link_status = RTE_ETH_LINK_DOWN };

	(void)rte_eth_link_get_nowait(device->id, &link);
	representor_carrier(&device->tap, link.link_status == RTE_ETH_LINK_UP && link_below(device));
}

void device_tally(const struct device *device, struct device_tally *ret)
{
	*ret = (struct device_tally){ 0 };
	for (unsigned int i = 0; i < device->slots; i++) {
		const struct device_tally *slot = &device->tally[i];

		ret->to_kernel += __atomic_load_n(&slot->to_kernel, __ATOMIC_RELAXED);
		ret->to_kernel_lost += __atomic_load_n(&slot->to_kernel_lost, __ATOMIC_RELAXED);
		ret->from_kernel += __atomic_load_n(&slot->from_kernel, __ATOMIC_RELAXED);
		ret->unsent += __atomic_load_n(&slot->unsent, __ATOMIC_RELAXED);
	}
}

/* --- frames --- */

static unsigned int send_some(const struct device *device, __u16 queue, struct rte_mbuf **frame,
			      unsigned int count)
{
	unsigned int sent = rte_eth_tx_burst(device->id, queue, frame, (__u16)count);

	for (unsigned int i = 0; unlikely(sent < count) && i < TRIES; i++)
		sent += rte_eth_tx_burst(device->id, queue, frame + sent, (__u16)(count - sent));
	return sent;
}

void device_send(struct device *device, unsigned int slot, struct rte_mbuf **frame, unsigned int count)
{
	__u16 queue = (__u16)(slot % device->transmit_queues);
	unsigned int sent;

	if (device->shared) {
		rte_spinlock_lock(&device->queue[queue].lock);
		sent = send_some(device, queue, frame, count);
		rte_spinlock_unlock(&device->queue[queue].lock);
	} else {
		sent = send_some(device, queue, frame, count);
	}
	if (unlikely(sent < count)) {
		rte_pktmbuf_free_bulk(frame + sent, count - sent);
		device->tally[slot].unsent += count - sent;
	}
}

void device_punt(struct device *device, unsigned int slot, const struct rte_mbuf *frame)
{
	struct iovec part[SEGMENTS];
	const struct rte_mbuf *segment;
	int parts = 0;

	for (segment = frame; segment && parts < SEGMENTS; segment = segment->next)
		part[parts++] = (struct iovec){ rte_pktmbuf_mtod(segment, void *), segment->data_len };
	if (segment || writev(device->tap.fd, part, parts) < 0) /* never a part of a frame */
		device->tally[slot].to_kernel_lost++;
	else
		device->tally[slot].to_kernel++;
}
