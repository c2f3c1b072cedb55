// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/card_object.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <bpf/bpf.h>

#include "host/engine/bake.h"

const struct card_sizes card_object_whole = { .entries = { [CARD_NODE] = 1 << 20,
							   [CARD_RUN] = 1 << 19,
							   [CARD_CONTROL] = 1,
							   [CARD_VRF] = 2 * IMAGE_VRFS,
							   [CARD_INTERFACE] = IMAGE_INTERFACES,
							   [CARD_OWN] = IMAGE_OWN,
							   [CARD_HOP] = IMAGE_NEXTHOPS,
							   [CARD_VLAN] = IMAGE_VLAN_TABLES * 4096,
							   [CARD_BUCKET] = IMAGE_BUCKETS + 1,
							   [CARD_COUNTERS] = REASON_MAX } };

#define COUNTERS_SIZE (REASON_MAX * sizeof(struct image_counter))

static int write_element(void *arg, enum card_map map, __u32 index, const void *value)
{
	const struct card_object *card = arg;
	struct bpf_map *to = bpf_object__find_map_by_name(card->object[0], card_map_names[map]);

	return bpf_map_update_elem(bpf_map__fd(to), &index, value, BPF_ANY) < 0 ? -errno : 0;
}

int card_object_feed(struct card_object *card, const struct image_store *store)
{
	const struct card_writer writer = { .write = write_element, .arg = card };
	struct card *copy;
	int error = card_new(store, &card->sizes, &writer, 0, &copy);

	if (error)
		return error;
	do
		error = card_pass(copy);
	while (error == 1);
	card_free(copy);
	return error;
}

// Where the queue is kept on the stack, beyond what the program has there.
#define KEPT (-448)

// The only one; NULL: there are none or several.
static struct bpf_insn *find(struct bpf_insn *insn, size_t count, bool (*is)(const struct bpf_insn *insn))
{
	struct bpf_insn *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!is(&insn[i]))
			continue;
		if (found)
			return NULL;
		found = &insn[i];
	}
	return found;
}

static bool chooses(const struct bpf_insn *insn)
{
	return insn->code == (BPF_STX | BPF_MEM | BPF_W) &&
	       insn->off == offsetof(struct xdp_md, rx_queue_index) && insn->dst_reg != BPF_REG_10;
}

static bool passes(const struct bpf_insn *insn)
{
	return insn->code == (BPF_ALU | BPF_MOV | BPF_K) && insn->dst_reg == BPF_REG_0 &&
	       insn->imm == XDP_PASS;
}

// The write becomes one to the stack, from which the program then returns.
static int tell_queue(struct bpf_program *program)
{
	struct bpf_insn *insn = (struct bpf_insn *)bpf_program__insns(program);
	size_t count = bpf_program__insn_cnt(program);
	struct bpf_insn *write = find(insn, count, chooses), *pass = find(insn, count, passes);

	if (!write || !pass)
		return -EBADMSG;
	write->dst_reg = BPF_REG_10;
	write->off = KEPT;
	*pass = (struct bpf_insn){
		.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_10, .off = KEPT
	};
	return 0;
}

static int prepare(struct card_object *card, const struct image_store *store, __u32 port)
{
	struct bpf_object *object = card->object[port];
	struct bpf_program *program = bpf_object__next_program(object, NULL);
	int error = bake_port(program, store, port, card->queues);

	if (!error && card->queues)
		error = tell_queue(program);
	for (enum card_map table = 0; table < CARD_MAPS && !error; table++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, card_map_names[table]);

		if (!map)
			return -ENOENT;
		if (port) {
			struct bpf_map *first =
				bpf_object__find_map_by_name(card->object[0], card_map_names[table]);

			error = bpf_map__reuse_fd(map, bpf_map__fd(first));
			continue;
		}
		if (bpf_map__value_size(map) != card_value_sizes[table])
			return -EPROTO;
		if (table == CARD_COUNTERS)
			error = bpf_map__set_map_flags(map, BPF_F_MMAPABLE);
		if (!error)
			error = bpf_map__set_max_entries(map, card->sizes.entries[table]);
	}
	return error ? error : bpf_object__load(object);
}

static int map_counters(struct card_object *card)
{
	struct bpf_map *map = bpf_object__find_map_by_name(card->object[0], card_map_names[CARD_COUNTERS]);
	void *memory = mmap(NULL, COUNTERS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		return -errno;
	card->counters = memory;
	return 0;
}

void card_object_close(struct card_object *card)
{
	if (card->counters)
		munmap(card->counters, COUNTERS_SIZE);
	for (__u32 port = 0; port < card->ports; port++)
		bpf_object__close(card->object[port]);
}

int card_object_open(struct card_object *card, const char *path, const struct image_store *store, __u32 ports)
{
	int error = ports > CARD_OBJECT_PORTS ? -E2BIG : 0;

	for (__u32 port = 0; port < ports && !error; port++) {
		card->object[port] = bpf_object__open_file(path, NULL);
		if (!card->object[port])
			return -errno;
		card->ports++;
		error = prepare(card, store, port);
	}
	return error ? error : map_counters(card);
}

// The reason that was counted since the counters were cleared; counts must be those of one frame.
static __u8 counted_reason(const struct card_object *card, __u32 bytes)
{
	const struct image_counter *counters = card->counters;
	__u8 reason = RUNNER_UNKNOWN;

	for (int i = 0; i < REASON_MAX; i++)
		if (counters[i].packets) {
			if (reason != RUNNER_UNKNOWN || counters[i].packets != 1 ||
			    counters[i].bytes != bytes)
				return RUNNER_UNKNOWN;
			reason = i;
		}
	return reason;
}

static int run(struct card_object *card, __u16 port, const __u8 *frame, __u32 length,
	       struct runner_outcome *ret_outcome, __u32 *ret_value)
{
	struct bpf_program *program = bpf_object__next_program(card->object[port], NULL);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
		    .data_out = ret_outcome->frame, .data_size_out = RUNNER_FRAME, .repeat = 1);

	memset(card->counters, 0, COUNTERS_SIZE);
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) < 0)
		return -errno;
	ret_outcome->length = options.data_size_out;
	ret_outcome->reason = counted_reason(card, options.data_size_out);
	*ret_value = options.retval;
	return 0;
}

int card_object_run(struct card_object *card, __u16 port, const __u8 *frame, __u32 length,
		    struct runner_outcome *ret_outcome)
{
	__u32 value;
	int error = run(card, port, frame, length, ret_outcome, &value);

	if (error)
		return error;
	ret_outcome->port = value == XDP_TX ? port : -1;
	switch (value) {
	case XDP_TX:
		ret_outcome->action = ACTION_FORWARD;
		return 0;
	case XDP_PASS:
		ret_outcome->action = ACTION_PUNT;
		return 0;
	case XDP_DROP:
		ret_outcome->action = ACTION_DROP;
		return 0;
	default:
		return -EPROTO;
	}
}

int card_object_queue(struct card_object *card, __u16 port, const __u8 *frame, __u32 length, __u8 *ret_reason)
{
	static struct runner_outcome outcome;
	__u32 value;
	int error = run(card, port, frame, length, &outcome, &value);

	*ret_reason = outcome.reason;
	return error ? error : (int)(value & 0xffff);
}
