// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/doctor/box.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "host/engine/engine.h"
#include "host/loop.h"
#include "host/modes/dump.h"

static int read_sysctl(const char *format, const char *name)
{
	char path[160];
	FILE *file;
	int value = -1;

	snprintf(path, sizeof(path), format, name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%d", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

static bool process_runs(const char *name)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		char path[300], comm[32] = "";
		FILE *file;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file))
			comm[strcspn(comm, "\n")] = 0;
		fclose(file);
		found = strcmp(comm, name) == 0;
	}
	if (directory)
		closedir(directory);
	return found;
}

static void read_netfilter(struct box *box)
{
	struct netfilter *netfilter;
	struct loop *loop;

	if (loop_new(&loop) < 0)
		return;
	if (netfilter_new(loop, NULL, NULL, &netfilter) == 0) {
		box->netfilter = *netfilter_state(netfilter);
		box->netfilter_known = true;
		netfilter_free(netfilter);
	}
	loop_free(loop);
}

/* --- neighbours --- */

static bool is_kept(const struct ndmsg *neighbour, __u32 extended)
{
	return neighbour->ndm_state & (NUD_PERMANENT | NUD_NOARP) || neighbour->ndm_flags & NTF_EXT_LEARNED ||
	       extended & NTF_EXT_MANAGED;
}

static int neighbour_message(const struct nlmsghdr *header, void *data)
{
	const struct ndmsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;
	struct box *box = data;
	struct box_neighbour *neighbour = &box->neighbours[box->neighbour_count];
	__u32 extended = 0;
	size_t size = message->ndm_family == AF_INET ? 4 : 16;

	if (header->nlmsg_type != RTM_NEWNEIGH || box->neighbour_count == BOX_NEIGHBOURS ||
	    (message->ndm_family != AF_INET && message->ndm_family != AF_INET6) ||
	    !if_indextoname((unsigned int)message->ndm_ifindex, neighbour->interface))
		return MNL_CB_OK;
	neighbour->address[0] = 0;
	mnl_attr_for_each (attribute, header, sizeof(*message)) {
		if (mnl_attr_get_type(attribute) == NDA_DST && mnl_attr_get_payload_len(attribute) == size)
			(void)inet_ntop(message->ndm_family, mnl_attr_get_payload(attribute),
					neighbour->address, sizeof(neighbour->address));
		if (mnl_attr_get_type(attribute) == NDA_FLAGS_EXT &&
		    mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
			extended = mnl_attr_get_u32(attribute);
	}
	neighbour->kept = is_kept(message, extended);
	box->neighbour_count += neighbour->address[0] != 0;
	return MNL_CB_OK;
}

static int read_neighbours(struct box *box)
{
	box->neighbours = calloc(BOX_NEIGHBOURS + 1, sizeof(*box->neighbours));
	if (!box->neighbours)
		return -ENOMEM;
	return dump_read(RTM_GETNEIGH, sizeof(struct ndmsg), neighbour_message, box);
}

int box_read(const char *bpffs, struct box *ret)
{
	struct box box = { 0 };
	int error;

	platform_read(bpffs, &box.platform);
	(void)platform_check(&box.platform, bpffs, &box.refusal);
	box.forward4 = read_sysctl("/proc/sys/net/ipv4/%s", "ip_forward");
	box.forward6 = read_sysctl("/proc/sys/net/ipv6/conf/%s/forwarding", "all");
	box.unprivileged_bpf = read_sysctl("/proc/sys/kernel/%s", "unprivileged_bpf_disabled");
	box.irqbalance = process_runs("irqbalance");
	read_netfilter(&box);
	error = read_neighbours(&box);
	if (error < 0) {
		box_free(&box);
		return error;
	}
	*ret = box;
	return 0;
}

void box_free(struct box *box)
{
	free(box->neighbours);
	json_decref(box->status);
	json_decref(box->gateways);
}

int box_read_port(const struct box *box, struct xdp_features *features, const char *name,
		  struct box_port *ret)
{
	int error = capability_read_all(name, features, &ret->facts);

	if (error < 0)
		return error;
	choose(engine_list, &box->platform, &ret->facts, "auto", true, &ret->decision);
	ret->forwarding = read_sysctl("/proc/sys/net/ipv4/conf/%s/forwarding", name);
	ret->send_redirects = most(read_sysctl("/proc/sys/net/ipv4/conf/%s/send_redirects", name),
				   read_sysctl("/proc/sys/net/ipv4/conf/%s/send_redirects", "all"));
	ret->rp_filter = most(read_sysctl("/proc/sys/net/ipv4/conf/%s/rp_filter", name),
			      read_sysctl("/proc/sys/net/ipv4/conf/%s/rp_filter", "all"));
	return 0;
}
