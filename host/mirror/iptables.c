// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A table is a blob of entries; for each hook two offsets: where its chain begins, and where the entry stands
 * that is its policy (the "underflow"). A chain without rules begins with its policy. struct ip6t_getinfo is
 * the same as struct ipt_getinfo; entries differ in size, but both say in `target_offset` where the target
 * is.
 */
#include "host/mirror/iptables.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#define ENTRIES_MAX (1u << 20) /* bytes: a larger table is taken to be in use */

static const unsigned hooks[] = { NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING };
static const char *const hook_names[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };

_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "one judge for both");

/* Offset of the target, and 0 if the entry does not fit. */
static size_t target_offset(__u8 family, const char *entry, size_t left)
{
	size_t header = family == AF_INET6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
	size_t offset;

	if (left < header)
		return 0;
	offset = family == AF_INET6 ? ((const struct ip6t_entry *)entry)->target_offset
				    : ((const struct ipt_entry *)entry)->target_offset;
	return offset >= header && offset <= left && left - offset >= sizeof(struct xt_standard_target)
		       ? offset
		       : 0;
}

static int policy_drops(__u8 family, const struct ipt_getinfo *info, const char *entries, unsigned hook)
{
	struct xt_standard_target target;
	size_t offset;

	if (info->underflow[hook] >= info->size)
		return -EBADMSG;
	entries += info->underflow[hook];
	offset = target_offset(family, entries, info->size - info->underflow[hook]);
	if (!offset)
		return -EBADMSG;
	memcpy(&target, entries + offset, sizeof(target));
	return target.verdict == -NF_DROP - 1;
}

int iptables_judge(__u8 family, const struct ipt_getinfo *info, const void *entries, unsigned *ret_hook)
{
	int r;

	for (unsigned i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		*ret_hook = hooks[i];
		if (!(info->valid_hooks & 1u << hooks[i]))
			continue;
		if (info->hook_entry[hooks[i]] != info->underflow[hooks[i]])
			return 1;
		r = entries ? policy_drops(family, info, entries, hooks[i]) : 0;
		if (r)
			return r;
	}
	return 0;
}

static int level_of(__u8 family)
{
	return family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
}

static int read_entries(int fd, __u8 family, const struct ipt_getinfo *info, struct ipt_get_entries **ret)
{
	socklen_t size = (socklen_t)(sizeof(struct ipt_get_entries) + info->size);
	struct ipt_get_entries *entries = calloc(1, size);
	int error;

	if (!entries)
		return -ENOMEM;
	memcpy(entries->name, info->name, sizeof(entries->name));
	entries->size = info->size;
	if (getsockopt(fd, level_of(family), IPT_SO_GET_ENTRIES, entries, &size) < 0) {
		error = errno;
		free(entries);
		return error ? -error : -EIO;
	}
	*ret = entries;
	return 0;
}

/* 1: active; 0: not. */
static int look_at(int fd, __u8 family, const char *table, unsigned *ret_hook)
{
	struct ipt_getinfo info = { 0 };
	socklen_t size = sizeof(info);
	struct ipt_get_entries *entries;
	int r;

	memcpy(info.name, table, strnlen(table, sizeof(info.name) - 1));
	if (getsockopt(fd, level_of(family), IPT_SO_GET_INFO, &info, &size) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = iptables_judge(family, &info, NULL, ret_hook);
	if (r)
		return r;
	if (info.size > ENTRIES_MAX)
		return 1;
	r = read_entries(fd, family, &info, &entries);
	if (r)
		return r;
	r = iptables_judge(family, &info, entries->entrytable, ret_hook);
	free(entries);
	return r;
}

static int look(FILE *names, int fd, __u8 family, bool *ret, char *why, size_t size)
{
	char table[XT_TABLE_MAXNAMELEN + 2];
	unsigned hook;
	int r;

	while (fgets(table, sizeof(table), names)) {
		table[strcspn(table, "\n")] = 0;
		r = look_at(fd, family, table, &hook);
		if (r < 0)
			return r;
		if (!r)
			continue;
		snprintf(why, size, "%s table '%s': chain %s has rules or drops",
			 family == AF_INET6 ? "ip6tables" : "iptables", table, hook_names[hook]);
		*ret = true;
		return 0;
	}
	*ret = false;
	return 0;
}

int iptables_active(__u8 family, bool *ret, char *why, size_t size)
{
	FILE *names = fopen(family == AF_INET6 ? "/proc/thread-self/net/ip6_tables_names"
					       : "/proc/thread-self/net/ip_tables_names",
			    "re");
	int fd, r;

	if (!names) {
		*ret = false; /* the kernel has no such tables */
		return errno == ENOENT ? 0 : -errno;
	}
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		r = -errno;
		goto close_names;
	}
	r = look(names, fd, family, ret, why, size);
	close(fd);
close_names:
	fclose(names);
	return r;
}
