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

#define CHANGES_MAX (4 * IMAGE_PORTS)
#define FRESH_SIZE  120

static const char *const names[ETHTOOL_OFFLOADS] = { /* in the file */
						     [ETHTOOL_RXVLAN] = "rxvlan",
						     [ETHTOOL_RXVLAN_SERVICE] = "rxvlan-service",
						     [ETHTOOL_TXVLAN] = "txvlan",
						     [ETHTOOL_TXVLAN_SERVICE] = "txvlan-service"
};

struct change { /* an offload that was on and we turned off */
	enum ethtool_offload offload;
	__u32 ifindex;
};

struct changes {
	char path[108];
	struct change change[CHANGES_MAX];
	unsigned int count;
};

/* Where the record is written, before it takes the place of the old one. */
static void fresh_path(const struct changes *changes, char ret[FRESH_SIZE])
{
	snprintf(ret, FRESH_SIZE, "%s.new", changes->path);
}

static int save(const struct changes *changes)
{
	char fresh[FRESH_SIZE];
	FILE *file;
	int error = 0;

	if (!changes->count)
		return unlink(changes->path) < 0 && errno != ENOENT ? -errno : 0;
	fresh_path(changes, fresh);
	file = fopen(fresh, "we");
	if (!file)
		return -errno;
	for (unsigned int i = 0; i < changes->count; i++)
		fprintf(file, "%s %u\n", names[changes->change[i].offload], changes->change[i].ifindex);
	if (fclose(file) != 0 || rename(fresh, changes->path) < 0)
		error = -errno;
	return error;
}

static bool load_one(FILE *file, struct change *ret)
{
	char name[32];
	int offload = 0;

	if (fscanf(file, " %31s %u", name, &ret->ifindex) != 2)
		return false;
	while (offload < ETHTOOL_OFFLOADS && strcmp(names[offload], name) != 0)
		offload++;
	ret->offload = (enum ethtool_offload)offload;
	return offload < ETHTOOL_OFFLOADS;
}

static unsigned int find(const struct changes *changes, enum ethtool_offload offload, __u32 ifindex)
{
	unsigned int i = 0;

	while (i < changes->count &&
	       (changes->change[i].ifindex != ifindex || changes->change[i].offload != offload))
		i++;
	return i;
}

static void forget(struct changes *changes, unsigned int index)
{
	int error;

	changes->change[index] = changes->change[--changes->count];
	error = save(changes);
	if (error < 0)
		log_warning("%s: cannot write: %s", changes->path, strerror(-error));
}

/* The record comes first: a kill may come in between. */
static int switch_off(struct changes *changes, const char *interface, struct change change)
{
	int error;

	if (find(changes, change.offload, change.ifindex) < changes->count)
		return ethtool_set_offload(interface, change.offload, false);
	if (changes->count == CHANGES_MAX)
		return -ENOSPC;
	changes->change[changes->count++] = change;
	error = save(changes);
	if (error == 0)
		error = ethtool_set_offload(interface, change.offload, false);
	if (error < 0)
		forget(changes, changes->count - 1);
	return error;
}

static int switch_off_if_on(struct changes *changes, const char *interface, struct change change)
{
	struct ethtool_facts facts;
	int error = ethtool_read(interface, &facts);

	return error == 0 && ethtool_is_on(&facts, change.offload) ? switch_off(changes, interface, change)
								   : error;
}

static void switch_on(const struct change *change)
{
	char name[IFNAMSIZ];
	int error = 0;

	if (if_indextoname(change->ifindex, name))
		error = ethtool_set_offload(name, change->offload, true);
	if (error < 0)
		log_warning("%s: cannot turn %s on again: %s", name, names[change->offload],
			    strerror(-error));
}

static int is_other(void *arg, __u32 ifindex)
{
	return ifindex != *(const __u32 *)arg;
}

int changes_open(const char *path, struct changes **ret, struct why *why)
{
	struct changes *changes = calloc(1, sizeof(*changes));
	char fresh[FRESH_SIZE];
	FILE *file;

	if (!changes)
		return why_set(why, ENOMEM, "out of memory");
	snprintf(changes->path, sizeof(changes->path), "%s", path);
	fresh_path(changes, fresh);
	(void)unlink(fresh); /* of one that was killed while it wrote */
	file = fopen(path, "re");
	if (file) {
		while (changes->count < CHANGES_MAX && load_one(file, &changes->change[changes->count]))
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
	int error = switch_off_if_on(changes, interface, (struct change){ ETHTOOL_RXVLAN, ifindex });

	if (error == 0)
		error = switch_off_if_on(changes, interface,
					 (struct change){ ETHTOOL_RXVLAN_SERVICE, ifindex });
	if (error < 0)
		return why_set(
			why, -error,
			"rxvlan hides VLAN tags and does not go off: %s; try: ethtool -K %s " ETHTOOL_RX_OFF,
			strerror(-error), interface);
	return 0;
}

int changes_txvlan_off(struct changes *changes, const char *interface, __u32 ifindex, struct why *why)
{
	int error = switch_off_if_on(changes, interface, (struct change){ ETHTOOL_TXVLAN, ifindex });

	if (error == 0)
		error = switch_off_if_on(changes, interface,
					 (struct change){ ETHTOOL_TXVLAN_SERVICE, ifindex });
	if (error < 0)
		return why_set(why, -error, "txvlan of %s does not go off: %s", interface, strerror(-error));
	return 0;
}

void changes_sweep(struct changes *changes, int (*keep)(void *arg, __u32 ifindex), void *arg)
{
	for (unsigned int i = changes->count; i-- > 0;) {
		if (keep(arg, changes->change[i].ifindex))
			continue;
		switch_on(&changes->change[i]);
		forget(changes, i);
	}
}

void changes_undo(struct changes *changes, __u32 ifindex)
{
	changes_sweep(changes, is_other, &ifindex);
}

void changes_undo_all(struct changes *changes)
{
	while (changes->count)
		changes_undo(changes, changes->change[changes->count - 1].ifindex);
}
