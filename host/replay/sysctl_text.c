// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/sysctl_text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netconf.h>
#include <sys/socket.h>

#include "host/replay/site.h"

#define NAMES 8192

static const struct link_sysctls unset = { -1, -1, -1, -1, -1, -1, -1, -1 };

static const struct {
	__u8 family;
	const char *name;
	size_t offset;
} settings[] = {
	{ AF_INET, "forwarding", offsetof(struct link_sysctls, forwarding4) },
	{ AF_INET, "rp_filter", offsetof(struct link_sysctls, rp_filter) },
	{ AF_INET, "send_redirects", offsetof(struct link_sysctls, send_redirects) },
	{ AF_INET, "ignore_routes_with_linkdown", offsetof(struct link_sysctls, ignore_linkdown4) },
	{ AF_INET6, "forwarding", offsetof(struct link_sysctls, forwarding6) },
	{ AF_INET6, "disable_ipv6", offsetof(struct link_sysctls, disable_ipv6) },
	{ AF_INET6, "mtu", offsetof(struct link_sysctls, mtu6) },
	{ AF_INET6, "ignore_routes_with_linkdown", offsetof(struct link_sysctls, ignore_linkdown6) },
};

void sysctl_text_init(struct sysctl_text *sysctls)
{
	*sysctls = (struct sysctl_text){ .all = unset };
}

void sysctl_text_free(struct sysctl_text *sysctls)
{
	free(sysctls->of);
}

static struct link_sysctls *get(struct sysctl_text *sysctls, const char *name)
{
	struct sysctl_of *larger;

	for (__u32 i = 0; i < sysctls->count; i++)
		if (strcmp(sysctls->of[i].name, name) == 0)
			return &sysctls->of[i].value;
	if (sysctls->count == NAMES || strlen(name) >= NETLINK_NAME)
		return NULL;
	if (sysctls->count == sysctls->room) {
		larger = realloc(sysctls->of, (sysctls->room + 64) * sizeof(*larger));
		if (!larger)
			return NULL;
		sysctls->of = larger;
		sysctls->room += 64;
	}
	sysctls->of[sysctls->count].value = unset;
	strcpy(sysctls->of[sysctls->count].name, name);
	return &sysctls->of[sysctls->count++].value;
}

/* "IF.SETTING" behind net.ipvX.conf; sysctl prints the dots of names as slashes. */
static int set(struct sysctl_text *sysctls, __u8 family, char *name, __s32 value)
{
	char *setting = strrchr(name, '.');
	struct link_sysctls *of;

	if (!setting)
		return -EINVAL;
	*setting++ = '\0';
	if (strcmp(name, "default") == 0)
		return 0;
	for (char *c = name; *c; c++)
		*c = *c == '/' ? '.' : *c;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (settings[i].family != family || strcmp(settings[i].name, setting) != 0)
			continue;
		of = strcmp(name, "all") == 0 ? &sysctls->all : get(sysctls, name);
		if (!of)
			return -EINVAL;
		*(__s32 *)((char *)of + settings[i].offset) = value;
	}
	return 0;
}

int sysctl_text_read(struct sysctl_text *sysctls, char *const *word, unsigned int count)
{
	char line[256] = "", *value, *end;
	long number;

	for (unsigned int i = 0; i < count && i < 4; i++)
		strncat(line, word[i], sizeof(line) - strlen(line) - 1);
	value = strchr(line, '=');
	if (!value)
		return -EINVAL;
	*value++ = '\0';
	number = strtol(value, &end, 10);
	if (strcmp(line, "net.ipv4.ip_forward") == 0) {
		sysctls->all.forwarding4 = (__s32)number;
		return *end || end == value ? -EINVAL : 0;
	}
	if (strncmp(line, "net.ipv4.conf.", 14) && strncmp(line, "net.ipv6.conf.", 14))
		return 0;
	if (end == value || *end) /* another setting: lists, addresses */
		return 0;
	return set(sysctls, line[7] == '4' ? AF_INET : AF_INET6, line + 14, (__s32)number);
}

/* The interface's own, else that for all, else the usual one. */
static __s32 pick(__s32 own, __s32 all, __s32 usual)
{
	return own >= 0 ? own : all >= 0 ? all : usual;
}

struct link_sysctls sysctl_text_of(const struct sysctl_text *sysctls, const char *name, __u32 mtu)
{
	const struct link_sysctls *own = &unset, *all = &sysctls->all;

	for (__u32 i = 0; i < sysctls->count; i++)
		if (strcmp(sysctls->of[i].name, name) == 0)
			own = &sysctls->of[i].value;
	return (struct link_sysctls){ .forwarding4 = pick(own->forwarding4, all->forwarding4, 1),
				      .rp_filter = pick(own->rp_filter, -1, 0),
				      .send_redirects = pick(own->send_redirects, -1, 1),
				      .ignore_linkdown4 = pick(own->ignore_linkdown4, -1, 0),
				      .forwarding6 = pick(own->forwarding6, all->forwarding6, 1),
				      .mtu6 = pick(own->mtu6, -1, (__s32)mtu),
				      .disable_ipv6 = pick(own->disable_ipv6, all->disable_ipv6, 0),
				      .ignore_linkdown6 = pick(own->ignore_linkdown6, -1, 0) };
}

void sysctl_text_all(const struct sysctl_text *sysctls, struct site *site)
{
	const struct link_sysctls *all = &sysctls->all;
	struct netconf_message ipv4 = { .family = AF_INET,
					.ifindex = NETCONFA_IFINDEX_ALL,
					.forwarding = pick(all->forwarding4, -1, 1),
					.rp_filter = pick(all->rp_filter, -1, 0),
					.ignore_linkdown = pick(all->ignore_linkdown4, -1, 0) };
	struct netconf_message ipv6 = { .family = AF_INET6,
					.ifindex = NETCONFA_IFINDEX_ALL,
					.forwarding = pick(all->forwarding6, -1, 1),
					.rp_filter = -1,
					.ignore_linkdown = pick(all->ignore_linkdown6, -1, 0) };

	(void)site_netconf(site, &ipv4);
	(void)site_netconf(site, &ipv6);
	/* "all" counts beside the interface's own: without a word it is that alone. */
	site_all_redirects(site, all->send_redirects > 0);
}
