// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int prefix_parse_len(const char *text, unsigned int width, __u8 *ret_len)
{
	unsigned int len = 0;
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits])
		return -EINVAL;
	if (digits > 3)
		return -ERANGE;
	for (size_t i = 0; i < digits; i++)
		len = len * 10 + (text[i] - '0');
	if (len > width)
		return -ERANGE;
	*ret_len = len;
	return 0;
}

int prefix_parse(const char *text, struct table_route *ret_route)
{
	struct table_route route = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };
	unsigned int width = table_width(route.family);
	const char *slash = strchrnul(text, '/');
	__u8 network[sizeof(route.addr)];
	char addr[INET6_ADDRSTRLEN];
	size_t n = slash - text;
	int r;

	if (n >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, n);
	addr[n] = 0;
	if (inet_pton(route.family, addr, route.addr) != 1)
		return -EINVAL;
	route.len = width;
	if (*slash) {
		r = prefix_parse_len(slash + 1, width, &route.len);
		if (r < 0)
			return r;
	}
	memcpy(network, route.addr, sizeof(network));
	prefix_clear_host_bits(network, route.len, width);
	if (memcmp(network, route.addr, sizeof(network)))
		return -EDOM;
	*ret_route = route;
	return 0;
}

const char *prefix_cause(int error)
{
	switch (error) {
	case -ERANGE:
		return "has a prefix length beyond its address; IPv4 goes to /32, IPv6 to /128";
	case -EDOM:
		return "has host bits set; write the network address, the bits behind the length 0";
	default:
		return "is not an IPv4 or IPv6 prefix; write it like 192.0.2.0/24 or 2001:db8::/32";
	}
}

void prefix_format(const struct table_route *route, char text[PREFIX_TEXT_SIZE])
{
	char addr[INET6_ADDRSTRLEN] = "?";

	inet_ntop(route->family, route->addr, addr, sizeof(addr));
	snprintf(text, PREFIX_TEXT_SIZE, "%s/%u", addr, route->len);
}

void prefix_clear_host_bits(__u8 *addr, unsigned int len, unsigned int width)
{
	unsigned int byte = len / 8;

	if (len >= width)
		return;
	addr[byte] &= 0xff00 >> len % 8;
	memset(addr + byte + 1, 0, width / 8 - byte - 1);
}

bool prefix_covers(const struct table_route *route, const __u8 *addr)
{
	unsigned int byte = route->len / 8, bits = route->len % 8;

	if (memcmp(route->addr, addr, byte))
		return false;
	return !bits || !((route->addr[byte] ^ addr[byte]) & (0xff00 >> bits & 0xff));
}
