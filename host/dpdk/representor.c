// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/dpdk/representor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <net/if_arp.h>

/* Frames from the kernel that wait until the ferry gets a CPU. */
#define QUEUE 4096

static struct ifreq request_for(const char *name)
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return request;
}

static int refuse(const char *name, int error, struct why *why)
{
	if (error == EINVAL || error == EBUSY)
		return why_set(why, error,
			       "%s: there is such an interface, and it is %s; give the port another name",
			       name, error == EBUSY ? "in use" : "no TAP");
	if (error == EPERM)
		return why_set(why, error, "%s: making a TAP needs CAP_NET_ADMIN", name);
	return why_set(why, error, "%s: cannot make the TAP that stands for the device: %s", name,
		       strerror(error));
}

static int configure(struct representor *representor, const struct representor_settings *settings)
{
	struct ifreq request = request_for(representor->name);

	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, settings->mac, sizeof(settings->mac));
	if (ioctl(representor->control, SIOCSIFHWADDR, &request) < 0)
		return -errno;
	request = request_for(representor->name);
	request.ifr_qlen = QUEUE;
	(void)ioctl(representor->control, SIOCSIFTXQLEN, &request); /* it works without */
	request = request_for(representor->name);
	request.ifr_mtu = (int)settings->mtu;
	return ioctl(representor->control, SIOCSIFMTU, &request) < 0 ? -errno : 0;
}

static int bring_up(struct representor *representor)
{
	struct ifreq request = request_for(representor->name);

	if (ioctl(representor->control, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(representor->control, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static void set_carrier(struct representor *representor, bool carrier)
{
	int value = carrier;

	if (ioctl(representor->fd, TUNSETCARRIER, &value) == 0)
		representor->carrier = carrier;
}

int representor_open(const char *name, const struct representor_settings *settings, struct representor *ret,
		     struct why *why)
{
	struct representor representor = { .carrier = true };
	struct ifreq request = request_for(name);
	bool was_there = if_nametoindex(name) != 0;
	int error;

	snprintf(representor.name, sizeof(representor.name), "%s", name);
	representor.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (representor.fd < 0)
		return why_set(why, errno, "cannot open /dev/net/tun: %s; fix: modprobe tun",
			       strerror(errno));
	request.ifr_flags = IFF_TAP | IFF_NO_PI;
	if (ioctl(representor.fd, TUNSETIFF, &request) < 0) {
		error = refuse(name, errno, why);
		goto close_fd;
	}
	representor.control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (representor.control < 0) {
		error = refuse(name, errno, why);
		goto close_fd;
	}
	error = was_there ? 0 : configure(&representor, settings);
	set_carrier(&representor, false);
	if (error == 0 && !was_there)
		error = bring_up(&representor);
	if (error < 0) {
		error = refuse(name, -error, why);
		goto close_control;
	}
	*ret = representor;
	return 0;
close_control:
	close(representor.control);
close_fd:
	close(representor.fd);
	return error;
}

void representor_close(struct representor *representor)
{
	close(representor->control);
	close(representor->fd);
}

void representor_carrier(struct representor *representor, bool carrier)
{
	if (carrier != representor->carrier)
		set_carrier(representor, carrier);
}

int representor_settings(const struct representor *representor, struct representor_settings *ret)
{
	struct representor_settings settings;
	struct ifreq request = request_for(representor->name);

	if (ioctl(representor->control, SIOCGIFHWADDR, &request) < 0)
		return -errno;
	memcpy(settings.mac, request.ifr_hwaddr.sa_data, sizeof(settings.mac));
	if (ioctl(representor->control, SIOCGIFMTU, &request) < 0)
		return -errno;
	settings.mtu = (__u32)request.ifr_mtu;
	if (ioctl(representor->control, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	settings.promiscuous = request.ifr_flags & IFF_PROMISC;
	*ret = settings;
	return 0;
}
