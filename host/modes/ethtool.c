// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/ethtool.h"

#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#define FEATURE_LIMIT 256 /* there are 64 or so */
#define BLOCK         32  /* that the kernel packs together */

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
} gro_hw_bit = { "rx-gro-hw", -2 }, offload_bit[ETHTOOL_OFFLOADS] = {
	[ETHTOOL_RXVLAN] = { "rx-vlan-hw-parse", -2 },
	[ETHTOOL_RXVLAN_SERVICE] = { "rx-vlan-stag-hw-parse", -2 },
	[ETHTOOL_TXVLAN] = { "tx-vlan-hw-insert", -2 },
	[ETHTOOL_TXVLAN_SERVICE] = { "tx-vlan-stag-hw-insert", -2 },
};

static pthread_mutex_t looking_for_bits = PTHREAD_MUTEX_INITIALIZER;
static __u32 feature_blocks; /* that have any: the kernel wants to be sent just so many */

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
	struct ethtool_gstrings *names;

	pthread_mutex_lock(&looking_for_bits);
	names = gro_hw_bit.bit == -2 ? read_names(fd, interface) : NULL;
	if (!names)
		goto unlock;
	for (int i = 0; i < ETHTOOL_OFFLOADS; i++)
		find_bit(names, &offload_bit[i]);
	feature_blocks = (names->len + BLOCK - 1) / BLOCK;
	find_bit(names, &gro_hw_bit);
	free(names);
unlock:
	pthread_mutex_unlock(&looking_for_bits);
}

static bool is_on(const struct ethtool_gfeatures *features, int bit)
{
	return bit >= 0 && features->features[bit / BLOCK].active & 1u << bit % BLOCK;
}

static bool is_fixed(const struct ethtool_gfeatures *features, int bit)
{
	const struct ethtool_get_features_block *block = &features->features[bit / BLOCK];
	__u32 mask = 1u << bit % BLOCK;

	return bit >= 0 && (!(block->available & mask) || block->never_changed & mask);
}

union features {
	struct ethtool_gfeatures head;
	__u8 room[sizeof(struct ethtool_gfeatures) +
		  FEATURE_LIMIT / BLOCK * sizeof(struct ethtool_get_features_block)];
};

static int get_features(int fd, const char *interface, union features *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->head.cmd = ETHTOOL_GFEATURES;
	ret->head.size = FEATURE_LIMIT / BLOCK;
	find_bits(fd, interface);
	return command(fd, interface, ret);
}

static void read_features(int fd, const char *interface, struct ethtool_facts *facts)
{
	union features features;

	if (get_features(fd, interface, &features) < 0)
		return;
	facts->rxvlan_service = is_on(&features.head, offload_bit[ETHTOOL_RXVLAN_SERVICE].bit);
	facts->txvlan_service = is_on(&features.head, offload_bit[ETHTOOL_TXVLAN_SERVICE].bit);
	facts->rxvlan_fixed = is_fixed(&features.head, offload_bit[ETHTOOL_RXVLAN].bit);
	facts->gro_hw = is_on(&features.head, gro_hw_bit.bit);
	facts->gro_hw_fixed = facts->gro_hw && is_fixed(&features.head, gro_hw_bit.bit);
}

static int set_feature(int fd, const char *interface, int bit, bool on)
{
	union {
		struct ethtool_sfeatures head;
		__u8 room[sizeof(struct ethtool_sfeatures) +
			  FEATURE_LIMIT / BLOCK * sizeof(struct ethtool_set_features_block)];
	} features = { .head = { .cmd = ETHTOOL_SFEATURES, .size = feature_blocks } };
	__u32 mask = 1u << bit % BLOCK;

	features.head.features[bit / BLOCK].valid = mask;
	features.head.features[bit / BLOCK].requested = on ? mask : 0;
	return command(fd, interface, &features);
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

bool ethtool_is_on(const struct ethtool_facts *facts, enum ethtool_offload offload)
{
	const bool on[ETHTOOL_OFFLOADS] = {
		[ETHTOOL_RXVLAN] = facts->rxvlan,
		[ETHTOOL_RXVLAN_SERVICE] = facts->rxvlan_service,
		[ETHTOOL_TXVLAN] = facts->txvlan,
		[ETHTOOL_TXVLAN_SERVICE] = facts->txvlan_service,
	};

	return on[offload];
}

bool ethtool_hides_received(const struct ethtool_facts *facts)
{
	return facts->rxvlan || facts->rxvlan_service;
}

bool ethtool_hides_sent(const struct ethtool_facts *facts)
{
	return facts->txvlan || facts->txvlan_service;
}

int ethtool_set_offload(const char *interface, enum ethtool_offload offload, bool on)
{
	union features features;
	int fd = open_socket();
	int bit, error;

	if (fd < 0)
		return fd;
	error = get_features(fd, interface, &features);
	bit = offload_bit[offload].bit;
	if (error == 0 && bit < 0)
		error = on ? -EOPNOTSUPP : 0;
	else if (error == 0)
		error = set_feature(fd, interface, bit, on);
	if (error == 0)
		error = get_features(fd, interface, &features);
	if (error == 0 && is_on(&features.head, bit) != on)
		error = -EOPNOTSUPP;
	close(fd);
	return error;
}
