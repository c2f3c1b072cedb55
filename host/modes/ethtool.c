// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/ethtool.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

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

int ethtool_read(const char *interface, struct ethtool_facts *ret)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_facts facts = { 0 };
	__u32 flags = 0, gro = 0;
	int fd = open_socket();
	int error;

	if (fd < 0)
		return fd;
	error = command(fd, interface, &driver);
	if (error == 0) {
		copy_text(facts.driver, sizeof(facts.driver), driver.driver);
		copy_text(facts.firmware, sizeof(facts.firmware), driver.fw_version);
	}
	if (get_value(fd, interface, ETHTOOL_GFLAGS, &flags) == 0) {
		facts.rxvlan = flags & ETH_FLAG_RXVLAN;
		facts.txvlan = flags & ETH_FLAG_TXVLAN;
		facts.lro = flags & ETH_FLAG_LRO;
	}
	if (get_value(fd, interface, ETHTOOL_GGRO, &gro) == 0)
		facts.gro = gro;
	if (command(fd, interface, &channels) == 0) {
		facts.queues = channels.combined_count + channels.tx_count;
		facts.queues_max = channels.max_combined ? channels.max_combined : channels.max_tx;
	}
	close(fd);
	if (error == -ENODEV)
		return error;
	*ret = facts;
	return 0;
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
