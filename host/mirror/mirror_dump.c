// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/mirror_parts.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/loop.h"

static bool may_begin(void *arg, const struct resync_dump *dump)
{
	const struct mirror *mirror = arg;

	/* Of all notifications only those that are in the queue now may be lost. */
	return !mirror->overrun && (dump->kind != RESYNC_ROUTES || !rib_busy(mirror->rib));
}

static void dump_begin(void *arg, const struct resync_dump *dump)
{
	struct mirror *mirror = arg;

	switch ((enum resync_kind)dump->kind) {
	case RESYNC_LINKS:
		links_sync_begin(mirror->links);
		break;
	case RESYNC_ADDRESSES:
		links_sync_addresses(mirror->links);
		break;
	case RESYNC_NETCONF:
		break;
	case RESYNC_NEXTHOPS:
		objects_sync_begin(mirror->objects);
		break;
	case RESYNC_RULES:
		rules_sync_begin(mirror->rules, dump->family);
		break;
	case RESYNC_NEIGHBOURS:
		neighbourhood_sync_begin(mirror->neighbourhood);
		break;
	case RESYNC_ROUTES:
		rib_dump_begin(mirror->rib, dump->table, dump->family, dump->ifindex);
		break;
	}
}

static void dump_message(void *arg, const struct resync_dump *dump, const struct nlmsghdr *message)
{
	struct mirror *mirror = arg;
	int r;

	if (dump->kind != RESYNC_ROUTES) {
		r = mirror_event(mirror, message);
	} else {
		r = message->nlmsg_type == RTM_NEWROUTE ? route_message_decode(message, &mirror->route)
							: -EBADMSG;
		if (!r)
			(void)rib_dump_route(mirror->rib, &mirror->route);
	}
	mirror->stats.malformed += r == -EBADMSG;
}

static void dump_settled(void *arg, const struct resync_dump *dump)
{
	struct mirror *mirror = arg;

	if (dump->kind == RESYNC_ROUTES)
		rib_dump_settled(mirror->rib, dump->family);
}

static void dump_pause(void *arg, const struct resync_dump *dump, bool pause)
{
	mirror_pause(arg, (enum resync_kind)dump->kind, pause);
}

static void end_of_links(struct mirror *mirror)
{
	__u32 ifindex;

	while ((ifindex = links_sync_unseen(mirror->links)))
		mirror_lost_link(mirror, ifindex);
	mirror->links_dirty = mirror->news = true;
}

static bool more_dumps_of_ipv4(const struct mirror *mirror)
{
	struct resync_dump dump = { .kind = RESYNC_ROUTES, .family = AF_INET, .table = RT_TABLE_MAIN };

	if (resync_wants(mirror->resync, &dump))
		return true;
	for (__u32 i = 0; i < mirror->vrfs; i++) {
		dump.table = mirror->vrf[i];
		if (resync_wants(mirror->resync, &dump))
			return true;
	}
	return false;
}

static bool end_of_routes(struct mirror *mirror, const struct resync_dump *dump, bool complete)
{
	rib_dump_end(mirror->rib, dump->family, complete);
	if (rib_busy(mirror->rib))
		loop_timer_set(mirror->work, 0, 0);
	if (complete && dump->family == AF_INET && !more_dumps_of_ipv4(mirror))
		pathsets_trust(mirror->pathsets);
	return rib_dump_again(mirror->rib, dump->table, dump->family);
}

/* No such table, no such device (any more), no such family in this kernel: then there is nothing of it. */
static bool means_nothing(int error)
{
	return error == -ENOENT || error == -ENODEV || error == -EOPNOTSUPP || error == -EAFNOSUPPORT;
}

static bool dump_end(void *arg, const struct resync_dump *dump, bool complete, int error)
{
	struct mirror *mirror = arg;
	bool again = false;

	if (means_nothing(error))
		complete = true;
	switch ((enum resync_kind)dump->kind) {
	case RESYNC_LINKS:
		if (complete)
			end_of_links(mirror);
		break;
	case RESYNC_ADDRESSES:
	case RESYNC_NETCONF:
		mirror->links_dirty = mirror->news = true;
		break;
	case RESYNC_NEXTHOPS:
		if (complete)
			mirror->stats.silent += objects_sync_end(mirror->objects);
		break;
	case RESYNC_RULES:
		if (complete)
			rules_sync_end(mirror->rules, dump->family);
		if (error == -EOPNOTSUPP || error == -EAFNOSUPPORT)
			rules_absent(mirror->rules, dump->family);
		mirror->rules_dirty = mirror->links_dirty = mirror->news = true;
		break;
	case RESYNC_NEIGHBOURS:
		if (complete)
			neighbourhood_sync_end(mirror->neighbourhood);
		break;
	case RESYNC_ROUTES:
		again = end_of_routes(mirror, dump, complete);
		break;
	}
	return again || !complete;
}

static void dumps_done(void *arg)
{
	struct mirror *mirror = arg;

	if (mirror->first_loss)
		return; /* more are to come */
	if (mirror->resync_began)
		mirror->stats.resync_ms = (__u32)(loop_now() - mirror->resync_began);
	mirror->resync_began = 0;
}

const struct resync_ops mirror_dumps = {
	.may_begin = may_begin,
	.begin = dump_begin,
	.message = dump_message,
	.settled = dump_settled,
	.pause = dump_pause,
	.end = dump_end,
	.idle = dumps_done,
};
