// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/changes.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/log.h"
#include "host/modes/ethtool.h"
#include "xdp/image.h"

#define CHANGES_MAX (2 * IMAGE_PORTS)

struct changes {
	char path[108];
	__u32 rxvlan[CHANGES_MAX]; /* ifindex of each device whose rxvlan we turned off */
	unsigned int count;
};

static int save(const struct changes *changes)
{
	char fresh[120];
	FILE *file;
	int error = 0;

	if (!changes->count)
		return unlink(changes->path) < 0 && errno != ENOENT ? -errno : 0;
	snprintf(fresh, sizeof(fresh), "%s.new", changes->path);
	file = fopen(fresh, "we");
	if (!file)
		return -errno;
	for (unsigned int i = 0; i < changes->count; i++)
		fprintf(file, "rxvlan %u\n", changes->rxvlan[i]);
	if (fclose(file) != 0 || rename(fresh, changes->path) < 0)
		error = -errno;
	return error;
}

static unsigned int find(const struct changes *changes, __u32 ifindex)
{
	unsigned int i = 0;

	while (i < changes->count && changes->rxvlan[i] != ifindex)
		i++;
	return i;
}

static void forget(struct changes *changes, unsigned int index)
{
	int error;

	changes->rxvlan[index] = changes->rxvlan[--changes->count];
	error = save(changes);
	if (error < 0)
		log_warning("%s: cannot write: %s", changes->path, strerror(-error));
}

/* The record comes first: a kill may come in between. */
static int switch_off(struct changes *changes, const char *interface, __u32 ifindex)
{
	int error;

	if (find(changes, ifindex) < changes->count)
		return ethtool_set_rxvlan(interface, false);
	if (changes->count == CHANGES_MAX)
		return -ENOSPC;
	changes->rxvlan[changes->count++] = ifindex;
	error = save(changes);
	if (error == 0)
		error = ethtool_set_rxvlan(interface, false);
	if (error < 0)
		forget(changes, changes->count - 1);
	return error;
}

int changes_open(const char *path, struct changes **ret, struct why *why)
{
	struct changes *changes = calloc(1, sizeof(*changes));
	FILE *file;

	if (!changes)
		return why_set(why, ENOMEM, "out of memory");
	snprintf(changes->path, sizeof(changes->path), "%s", path);
	file = fopen(path, "re");
	if (file) {
		while (changes->count < CHANGES_MAX &&
		       fscanf(file, " rxvlan %u", &changes->rxvlan[changes->count]) == 1)
			changes->count++;
		fclose(file);
	}
	*ret = changes;
	return 0;
}

void changes_close(struct changes *changes)
{
	free(changes);
}

int changes_rxvlan_off(struct changes *changes, const char *interface, __u32 ifindex, struct why *why)
{
	struct ethtool_facts facts;
	int error = ethtool_read(interface, &facts);

	if (error == 0 && facts.rxvlan)
		error = switch_off(changes, interface, ifindex);
	if (error < 0)
		return why_set(
			why, -error,
			"rxvlan hides VLAN tags and does not go off: %s; try: ethtool -K %s rxvlan off",
			strerror(-error), interface);
	return 0;
}

void changes_undo(struct changes *changes, __u32 ifindex)
{
	unsigned int index = find(changes, ifindex);
	char name[IFNAMSIZ];
	int error = 0;

	if (index == changes->count)
		return;
	if (if_indextoname(ifindex, name))
		error = ethtool_set_rxvlan(name, true);
	if (error < 0)
		log_warning("%s: cannot turn rxvlan on again: %s", name, strerror(-error));
	forget(changes, index);
}

void changes_undo_all(struct changes *changes)
{
	while (changes->count)
		changes_undo(changes, changes->rxvlan[changes->count - 1]);
}
