// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int parse_port(const char *text, in_port_t *ret)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || port < 1 || port > 65535)
		return -EINVAL;
	*ret = htons((in_port_t)port);
	return 0;
}

int endpoint_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size)
{
	const char *colon = strrchr(text, ':');
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	char address[INET6_ADDRSTRLEN] = "";
	bool bracketed = text[0] == '[' && colon && colon[-1] == ']';
	size_t length = colon ? (size_t)(colon - text) : sizeof(address);

	if (bracketed) {
		text++;
		length -= 2;
	}
	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	memset(ret, 0, sizeof(*ret));
	if (bracketed && inet_pton(AF_INET6, address, &six.sin6_addr) == 1 &&
	    parse_port(colon + 1, &six.sin6_port) == 0) {
		memcpy(ret, &six, sizeof(six));
		*ret_size = sizeof(six);
		return 0;
	}
	if (!bracketed && inet_pton(AF_INET, address, &four.sin_addr) == 1 &&
	    parse_port(colon + 1, &four.sin_port) == 0) {
		memcpy(ret, &four, sizeof(four));
		*ret_size = sizeof(four);
		return 0;
	}
	return -EINVAL;
}

bool endpoint_is_local(const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;

	if (address->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	return ntohl(four->sin_addr.s_addr) >> 24 == 127;
}
