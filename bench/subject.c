// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/subject.h"

#include "bench/baseline.h"
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
#define SUBJECT_LOAD_BATCH 4096

struct subject_bed {
	const struct topology *topology;
	struct baseline_bpf *baseline;
	const struct subject *attached;
	int link; // of the program on r0, -1 without
};

static const struct subject subjects[] = {
	{ "drop", "XDP program that drops: the cost of generator and veth alone", SUBJECT_BASELINE,
	  SUBJECT_NOTHING, false, false, "drop" },
	{ "nolookup", "XDP program that forwards without any lookup: the ceiling", SUBJECT_BASELINE,
	  SUBJECT_ONE_GATEWAY, false, false, "nolookup" },
	{ "fiblookup", "XDP program around bpf_fib_lookup, as xdp-forward", SUBJECT_BASELINE, SUBJECT_ROUTES,
	  false, false, "fiblookup" },
	{ "lpmtrie", "XDP program around an LPM_TRIE map", SUBJECT_BASELINE, SUBJECT_ROUTES, false, true,
	  "lpmtrie" },
	{ "kernel", "the kernel's own forwarding", SUBJECT_KERNEL, SUBJECT_ROUTES, false, false, NULL },
	{ "drop-generic", "drop in generic mode", SUBJECT_BASELINE, SUBJECT_NOTHING, true, false, "drop" },
	{ "nolookup-generic", "nolookup in generic mode", SUBJECT_BASELINE, SUBJECT_ONE_GATEWAY, true, false,
	  "nolookup" },
	{ "fiblookup-generic", "fiblookup in generic mode", SUBJECT_BASELINE, SUBJECT_ROUTES, true, false,
	  "fiblookup" },
};

static void subject_put_macs(const struct topology *topology, union baseline_macs *macs)
{
	unsigned int i;

	for (i = 0; i < TOPOLOGY_GATEWAYS; i++) {
		topology_gateway_mac(i, macs[i].bytes);
		memcpy(macs[i].bytes + 6, topology->r1.mac, 6);
	}
}

// In the router's namespace, where the indexes of its ports mean something.
static int subject_fill_ports(const struct subject_bed *bed)
{
	const __u32 ports[] = { bed->topology->r0.ifindex, bed->topology->r1.ifindex };
	const struct bpf_map *map = bed->baseline->maps.ports;
	unsigned int i;
	int err = 0;

	for (i = 0; err >= 0 && i < 2; i++)
		err = bpf_map__update_elem(map, &ports[i], sizeof(ports[i]), &ports[i], sizeof(ports[i]), 0);
	return err;
}

static int subject_attach_program(struct subject_bed *bed, const struct subject *subject)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = subject->generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	struct bpf_program *program;
	int home, link, err;

	program = bpf_object__find_program_by_name(bed->baseline->obj, subject->program);
	assert(program);
	err = netns_enter(bed->topology->router, &home);
	if (err < 0)
		return err;
	link = bpf_link_create(bpf_program__fd(program), bed->topology->r0.ifindex, BPF_XDP, &options);
	netns_leave(home);
	if (link < 0)
		return link;
	bed->link = link;
	return 0;
}

// Fills a trie; a key is the prefix length and the 4 or 16 bytes of the address.
static int subject_fill_trie(int map, const struct table *table)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = BPF_ANY);
	static __u8 keys[SUBJECT_LOAD_BATCH * sizeof(struct baseline_key6)];
	static __u32 gateways[SUBJECT_LOAD_BATCH];
	size_t i, size = table_width(table->routes[0].family) / 8;
	__u32 length, used = 0;
	__u8 *key = keys;
	int err = 0;

	for (i = 0; err >= 0 && i < table->count; i++) {
		length = table->routes[i].len;
		memcpy(key, &length, sizeof(length));
		memcpy(key + sizeof(length), table->routes[i].addr, size);
		key += sizeof(length) + size;
		gateways[used++] = topology_gateway(table->routes[i].nexthop);
		if (used < SUBJECT_LOAD_BATCH && i + 1 < table->count)
			continue;
		err = bpf_map_update_batch(map, keys, gateways, &used, &options);
		used = 0;
		key = keys;
	}
	return err;
}

const struct subject *subject_list(unsigned int *ret_count)
{
	*ret_count = sizeof(subjects) / sizeof(subjects[0]);
	return subjects;
}

const struct subject *subject_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if (strcmp(subjects[i].name, name) == 0)
			return &subjects[i];
	return NULL;
}

int subject_open(const struct topology *topology, struct subject_bed **ret_bed)
{
	struct subject_bed *bed = calloc(1, sizeof(*bed));
	int home, err;

	if (!bed)
		return -ENOMEM;
	bed->topology = topology;
	bed->link = -1;
	bed->baseline = baseline_bpf__open();
	if (!bed->baseline) {
		err = -errno;
		goto close_bed;
	}
	bed->baseline->rodata->out_port = topology->r1.ifindex;
	subject_put_macs(topology, bed->baseline->rodata->gateway_macs);
	err = baseline_bpf__load(bed->baseline);
	if (err < 0)
		goto close_bed;
	err = netns_enter(topology->router, &home);
	if (err < 0)
		goto close_bed;
	err = subject_fill_ports(bed);
	netns_leave(home);
	if (err < 0)
		goto close_bed;
	*ret_bed = bed;
	return 0;

close_bed:
	subject_close(bed);
	return err;
}

void subject_close(struct subject_bed *bed)
{
	if (!bed)
		return;
	subject_detach(bed);
	baseline_bpf__destroy(bed->baseline);
	free(bed);
}

int subject_load(struct subject_bed *bed, const struct table *table)
{
	const struct bpf_map *map;

	if (!table->count)
		return 0;
	map = table->routes[0].family == AF_INET6 ? bed->baseline->maps.prefixes6
						  : bed->baseline->maps.prefixes4;
	return subject_fill_trie(bpf_map__fd(map), table);
}

int subject_attach(struct subject_bed *bed, const struct subject *subject)
{
	int err = 0;

	assert(!bed->attached);
	if (subject->kind == SUBJECT_BASELINE)
		err = subject_attach_program(bed, subject);
	if (err < 0)
		return err;
	bed->attached = subject;
	return 0;
}

void subject_detach(struct subject_bed *bed)
{
	if (bed->link >= 0)
		close(bed->link);
	bed->link = -1;
	bed->attached = NULL;
}
