// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Any text as a router: it is understood or refused in one line. The tables are a fake: what they do with
// what they are told is another test's.
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/replay/address_routes.h"
#include "host/replay/site.h"
#include "host/replay/site_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- a site that only looks --- */

int site_link(struct site *site, const struct link_message *message)
{
	assert(message->name[0] && message->ifindex);
	return 0;
}

int site_netconf(struct site *site, const struct netconf_message *message)
{
	return 0;
}

void site_all_redirects(struct site *site, bool on)
{
}

int site_nexthop(struct site *site, const struct nexthop_message *message)
{
	assert(message->id && message->member_count <= ROUTE_PATHS);
	return 0;
}

int site_nexthop_fits(const struct site *site, __u32 id, __u8 family)
{
	return id < 100 ? 0 : -ENOENT;
}

int site_route(struct site *site, const struct route_message *message)
{
	assert(message->family == AF_INET || message->family == AF_INET6);
	assert(message->length <= (message->family == AF_INET ? 32 : 128));
	assert(message->path_count <= ROUTE_PATHS);
	for (__u32 i = 0; i < message->path_count; i++)
		assert(message->path[i].ifindex && message->path[i].weight);
	return 0;
}

int site_neighbour(struct site *site, const struct neighbour_message *message)
{
	assert(message->ifindex);
	return 0;
}

void site_no_rules(struct site *site)
{
}

int address_routes_add(struct site *site, const struct site_address *address, struct route_message *scratch)
{
	assert(address->ifindex && address->length <= (address->family == AF_INET ? 32 : 128));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("site", 0);
	struct site_text *text;
	struct why why = { "" };
	char path[32];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || site_text_new(NULL, &text) < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (site_text_read(text, path, &why) < 0 || site_text_end(text, &why) < 0)
		assert(*why.text && !strchr(why.text, '\n'));
	site_text_free(text);
	close(fd);
	return 0;
}
