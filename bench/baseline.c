// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/baseline.h"

#include "bench/baseline_layout.h" // the skeleton needs it
#include "bench/baseline.skel.h"
#include "bench/netns.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

// Prefixes per system call that fills an LPM trie.
#define BASELINE_LOAD_BATCH 4096

struct baseline {
	const struct lane *lane;
	struct baseline_bpf *bpf;
	int link; // of the program on r0, -1 without
};

static void baseline_put_macs(const struct lane *lane, union baseline_macs *macs)
{
	unsigned int i;

	for (i = 0; i < LANE_GATEWAYS; i++) {
		lane_gateway_mac(i, macs[i].bytes);
		memcpy(macs[i].bytes + 6, lane->r1.mac, 6);
	}
}

// In the router's namespace, where the indexes of its ports mean something.
static int baseline_fill_ports(const struct baseline *baseline)
{
	const __u32 ports[] = { baseline->lane->r0.ifindex, baseline->lane->r1.ifindex };
	const struct bpf_map *map = baseline->bpf->maps.ports;
	unsigned int i;
	int home, err;

	err = netns_enter(baseline->lane->r0.netns, &home);
	if (err < 0)
		return err;
	for (i = 0; err >= 0 && i < 2; i++)
		err = bpf_map__update_elem(map, &ports[i], sizeof(ports[i]), &ports[i], sizeof(ports[i]), 0);
	netns_leave(home);
	return err;
}

// Fills a trie; a key is the prefix length and the 4 or 16 bytes of the address.
static int baseline_fill_trie(int map, const struct table *table)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = BPF_ANY);
	static __u8 keys[BASELINE_LOAD_BATCH * sizeof(struct baseline_key6)];
	static __u32 gateways[BASELINE_LOAD_BATCH];
	size_t i, size = table_width(table->routes[0].family) / 8;
	__u32 length, used = 0;
	__u8 *key = keys;
	int err = 0;

	for (i = 0; err >= 0 && i < table->count; i++) {
		length = table->routes[i].len;
		memcpy(key, &length, sizeof(length));
		memcpy(key + sizeof(length), table->routes[i].addr, size);
		key += sizeof(length) + size;
		gateways[used++] = lane_gateway(table->routes[i].nexthop);
		if (used < BASELINE_LOAD_BATCH && i + 1 < table->count)
			continue;
		err = bpf_map_update_batch(map, keys, gateways, &used, &options);
		used = 0;
		key = keys;
	}
	return err;
}

int baseline_open(const struct lane *lane, struct baseline **ret_baseline)
{
	struct baseline *baseline = calloc(1, sizeof(*baseline));
	int err;

	if (!baseline)
		return -ENOMEM;
	baseline->lane = lane;
	baseline->link = -1;
	baseline->bpf = baseline_bpf__open();
	if (!baseline->bpf) {
		err = -errno;
		goto close_baseline;
	}
	baseline->bpf->rodata->out_port = lane->r1.ifindex;
	baseline_put_macs(lane, baseline->bpf->rodata->gateway_macs);
	err = baseline_bpf__load(baseline->bpf);
	if (err >= 0)
		err = baseline_fill_ports(baseline);
	if (err < 0)
		goto close_baseline;
	*ret_baseline = baseline;
	return 0;

close_baseline:
	baseline_close(baseline);
	return err;
}

void baseline_close(struct baseline *baseline)
{
	if (!baseline)
		return;
	baseline_detach(baseline);
	baseline_bpf__destroy(baseline->bpf);
	free(baseline);
}

int baseline_load(struct baseline *baseline, const struct table *table)
{
	const struct bpf_map *map;

	if (!table->count)
		return 0;
	map = table->routes[0].family == AF_INET6 ? baseline->bpf->maps.prefixes6
						  : baseline->bpf->maps.prefixes4;
	return baseline_fill_trie(bpf_map__fd(map), table);
}

int baseline_attach(struct baseline *baseline, const char *program, bool generic)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	const struct lane_port *port = &baseline->lane->r0;
	const struct bpf_program *found;
	int home, link, err;

	assert(baseline->link < 0);
	found = bpf_object__find_program_by_name(baseline->bpf->obj, program);
	assert(found);
	err = netns_enter(port->netns, &home);
	if (err < 0)
		return err;
	link = bpf_link_create(bpf_program__fd(found), port->ifindex, BPF_XDP, &options);
	netns_leave(home);
	if (link < 0)
		return link;
	baseline->link = link;
	return 0;
}

void baseline_detach(struct baseline *baseline)
{
	if (baseline->link >= 0)
		close(baseline->link);
	baseline->link = -1;
}
