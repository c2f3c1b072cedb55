// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/ethtool.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#define FEATURE_LIMIT 256 /* there are 64 or so */

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int command(int fd, const char *interface, void *data)
{
	struct ifreq request = { .ifr_data = data };

	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	return ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

static int get_value(int fd, const char *interface, __u32 code, __u32 *ret)
{
	struct ethtool_value value = { .cmd = code };
	int error = command(fd, interface, &value);

	if (error == 0)
		*ret = value.data;
	return error;
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = 0;
}

/* The last word of the firmware's version. */
static void find_app(struct ethtool_facts *facts)
{
	const char *space = strrchr(facts->firmware, ' ');

	if (strcmp(facts->driver, "nfp") == 0)
		copy_text(facts->app, sizeof(facts->app), space ? space + 1 : facts->firmware);
}

/* Features have names; which bit each has differs between kernels, not between devices. */
static struct feature_bit {
	const char *name;
	int bit; /* -1: the kernel does not have it, -2: not looked for yet */
} rxvlan_bit = { "rx-vlan-hw-parse", -2 }, gro_hw_bit = { "rx-gro-hw", -2 };

static struct ethtool_gstrings *read_names(int fd, const char *interface)
{
	union {
		struct ethtool_sset_info info;
		__u8 room[sizeof(struct ethtool_sset_info) + sizeof(__u32)]; /* one number behind it */
	} set = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES } };
	struct ethtool_gstrings *names;

	if (command(fd, interface, &set) < 0 || !set.info.sset_mask || set.info.data[0] > FEATURE_LIMIT)
		return NULL;
	names = calloc(1, sizeof(*names) + (size_t)set.info.data[0] * ETH_GSTRING_LEN);
	if (!names)
		return NULL;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = set.info.data[0];
	if (command(fd, interface, names) < 0) {
		free(names);
		return NULL;
	}
	return names;
}

static void find_bit(const struct ethtool_gstrings *names, struct feature_bit *feature)
{
	feature->bit = -1;
	for (__u32 i = 0; i < names->len; i++)
		if (strncmp((const char *)names->data + (size_t)i * ETH_GSTRING_LEN, feature->name,
			    ETH_GSTRING_LEN) == 0)
			feature->bit = (int)i;
}

static void find_bits(int fd, const char *interface)
{
	struct ethtool_gstrings *names = read_names(fd, interface);

	if (!names)
		return;
	find_bit(names, &rxvlan_bit);
	find_bit(names, &gro_hw_bit);
	free(names);
}

static bool is_on(const struct ethtool_gfeatures *features, int bit)
{
	return bit >= 0 && features->features[bit / 32].active & 1u << bit % 32;
}

static bool is_fixed(const struct ethtool_gfeatures *features, int bit)
{
	const struct ethtool_get_features_block *block = &features->features[bit / 32];
	__u32 mask = 1u << bit % 32;

	return !(block->available & mask) || block->never_changed & mask;
}

static void read_features(int fd, const char *interface, struct ethtool_facts *facts)
{
	union {
		struct ethtool_gfeatures head;
		__u8 room[sizeof(struct ethtool_gfeatures) +
			  FEATURE_LIMIT / 32 * sizeof(struct ethtool_get_features_block)];
	} features = { .head = { .cmd = ETHTOOL_GFEATURES, .size = FEATURE_LIMIT / 32 } };

	if (rxvlan_bit.bit == -2)
		find_bits(fd, interface);
	if (rxvlan_bit.bit < 0 || command(fd, interface, &features) < 0)
		return;
	facts->rxvlan_fixed = is_fixed(&features.head, rxvlan_bit.bit);
	facts->gro_hw = is_on(&features.head, gro_hw_bit.bit);
	facts->gro_hw_fixed = facts->gro_hw && is_fixed(&features.head, gro_hw_bit.bit);
}

static void read_channels(int fd, const char *interface, struct ethtool_facts *facts)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_ringparam rings = { .cmd = ETHTOOL_GRINGPARAM };

	if (command(fd, interface, &channels) == 0) {
		facts->combined = channels.combined_count;
		facts->queues = channels.combined_count + channels.tx_count;
		facts->rx_queues = channels.combined_count + channels.rx_count;
		facts->queues_max = channels.max_combined ? channels.max_combined : channels.max_tx;
	}
	if (command(fd, interface, &rings) == 0) {
		facts->rx_ring = rings.rx_pending;
		facts->rx_ring_max = rings.rx_max_pending;
		facts->tx_ring = rings.tx_pending;
		facts->tx_ring_max = rings.tx_max_pending;
	}
}

int ethtool_read(const char *interface, struct ethtool_facts *ret)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_facts facts = { 0 };
	__u32 flags = 0, gro = 0, checksum = 0;
	int fd = open_socket();
	int error;

	if (fd < 0)
		return fd;
	error = command(fd, interface, &driver);
	if (error == 0) {
		copy_text(facts.driver, sizeof(facts.driver), driver.driver);
		copy_text(facts.firmware, sizeof(facts.firmware), driver.fw_version);
		copy_text(facts.bus, sizeof(facts.bus), driver.bus_info);
		find_app(&facts);
	}
	if (get_value(fd, interface, ETHTOOL_GFLAGS, &flags) == 0) {
		facts.rxvlan = flags & ETH_FLAG_RXVLAN;
		facts.txvlan = flags & ETH_FLAG_TXVLAN;
		facts.lro = flags & ETH_FLAG_LRO;
	}
	if (get_value(fd, interface, ETHTOOL_GGRO, &gro) == 0)
		facts.gro = gro;
	if (get_value(fd, interface, ETHTOOL_GTXCSUM, &checksum) == 0)
		facts.tx_checksum = checksum;
	read_channels(fd, interface, &facts);
	read_features(fd, interface, &facts);
	close(fd);
	if (error == -ENODEV)
		return error;
	*ret = facts;
	return 0;
}

void ethtool_channels(const struct ethtool_facts *facts, __u32 count, char *ret)
{
	if (facts->combined || !facts->queues)
		snprintf(ret, ETHTOOL_CHANNELS, "combined %u", count);
	else
		snprintf(ret, ETHTOOL_CHANNELS, "rx %u tx %u", count, count);
}

int ethtool_set_rxvlan(const char *interface, bool on)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SFLAGS };
	int fd = open_socket();
	__u32 flags = 0, now = 0;
	int error;

	if (fd < 0)
		return fd;
	error = get_value(fd, interface, ETHTOOL_GFLAGS, &flags);
	if (error < 0)
		goto close_socket;
	value.data = on ? flags | ETH_FLAG_RXVLAN : flags & ~(__u32)ETH_FLAG_RXVLAN;
	error = command(fd, interface, &value);
	if (error == 0)
		error = get_value(fd, interface, ETHTOOL_GFLAGS, &now);
	if (error == 0 && !(now & ETH_FLAG_RXVLAN) == on)
		error = -EOPNOTSUPP;
close_socket:
	close(fd);
	return error;
}
