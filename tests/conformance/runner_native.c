// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The program as the kernel runs it, by BPF_PROG_TEST_RUN: nothing is attached, nothing is sent. A redirect
// is looked up in the map of ports, where every port is the loopback device. The entry that feeds AF_XDP
// sockets has to do the same as the other one while there are none.
#include "tests/conformance/runner.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "host/engine/bake.h"
#include "host/fib/image_store.h"
#include "xdp/router.skel.h"

struct native {
	bool steer;
	__u32 ports;
	int cpus;
	struct router *program[IMAGE_PORTS];
	struct image_counters *per_cpu;
};

static int reuse_maps(struct router *program, struct router *first)
{
	int error = bpf_map__reuse_fd(program->maps.counters, bpf_map__fd(first->maps.counters));

	if (!error)
		error = bpf_map__reuse_fd(program->maps.ports, bpf_map__fd(first->maps.ports));
	return error;
}

static struct bpf_program *entry(const struct native *native, const struct router *program)
{
	return native->steer ? program->progs.penstock_steer : program->progs.penstock;
}

static int load(struct native *native, const struct image_store *store, __u16 port)
{
	struct router *program = router__open();
	int error;

	if (!program)
		return -errno;
	native->program[port] = program;
	bpf_program__set_autoload(program->progs.penstock, !native->steer);
	bpf_program__set_autoload(program->progs.penstock_steer, native->steer);
	error = bake_port(entry(native, program), store, port, 0);
	if (!error && port)
		error = reuse_maps(program, native->program[0]);
	return error ? error : router__load(program);
}

static void native_close(void *runner)
{
	struct native *native = runner;

	for (__u32 port = 0; port < native->ports; port++)
		router__destroy(native->program[port]);
	free(native->per_cpu);
	free(native);
}

static int native_egress(void *runner, __u16 port, bool open)
{
	struct native *native = runner;
	int fd = bpf_map__fd(native->program[0]->maps.ports);
	struct bpf_devmap_val value = { .ifindex = if_nametoindex("lo") };
	__u32 key = port;
	int error = open ? bpf_map_update_elem(fd, &key, &value, 0) : bpf_map_delete_elem(fd, &key);

	return error < 0 ? -errno : 0;
}

static int load_all(struct native *native, const struct image_store *store)
{
	int error = 0;

	native->per_cpu = calloc(native->cpus, sizeof(*native->per_cpu));
	if (!native->per_cpu)
		return -ENOMEM;
	for (__u32 port = 0; port < native->ports && !error; port++)
		error = load(native, store, port);
	for (__u32 port = 0; port < native->ports && !error; port++)
		error = native_egress(native, port, true);
	return error;
}

static int open_entry(struct image_store *store, __u32 ports, bool steer, void **ret_runner)
{
	struct native *native;
	int error;

	if (store->node_fd < 0)
		return -EOPNOTSUPP;
	native = calloc(1, sizeof(*native));
	if (!native)
		return -ENOMEM;
	native->ports = ports;
	native->steer = steer;
	native->cpus = libbpf_num_possible_cpus();
	error = load_all(native, store);
	if (error) {
		native_close(native);
		return error;
	}
	*ret_runner = native;
	return 0;
}

static int native_open(struct image_store *store, __u32 ports, void **ret_runner)
{
	return open_entry(store, ports, false, ret_runner);
}

static int steer_open(struct image_store *store, __u32 ports, void **ret_runner)
{
	return open_entry(store, ports, true, ret_runner);
}

static int native_run(void *runner, __u16 port, const __u8 *frame, __u32 length,
		      struct runner_outcome *ret_outcome)
{
	struct native *native = runner;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
		    .data_out = ret_outcome->frame, .data_size_out = RUNNER_FRAME, .repeat = 1);

	if (bpf_prog_test_run_opts(bpf_program__fd(entry(native, native->program[port])), &options) < 0)
		return -errno;
	switch (options.retval) {
	case XDP_REDIRECT:
	case XDP_TX:
		ret_outcome->action = ACTION_FORWARD;
		break;
	case XDP_PASS:
		ret_outcome->action = ACTION_PUNT;
		break;
	case XDP_DROP:
		ret_outcome->action = ACTION_DROP;
		break;
	default:
		return -EPROTO;
	}
	ret_outcome->reason = RUNNER_UNKNOWN;
	ret_outcome->port = -1;
	ret_outcome->length = options.data_size_out;
	return 0;
}

static int native_counters(void *runner, __u16 port, struct image_counters *ret_counters)
{
	struct native *native = runner;
	__u32 key = port;

	memset(native->per_cpu, 0, native->cpus * sizeof(*native->per_cpu));
	if (bpf_map_lookup_elem(bpf_map__fd(native->program[0]->maps.counters), &key, native->per_cpu) < 0)
		return -errno;
	memset(ret_counters, 0, sizeof(*ret_counters));
	for (int cpu = 0; cpu < native->cpus; cpu++)
		for (int reason = 0; reason < REASON_MAX; reason++) {
			ret_counters->reason[reason].packets += native->per_cpu[cpu].reason[reason].packets;
			ret_counters->reason[reason].bytes += native->per_cpu[cpu].reason[reason].bytes;
		}
	return 0;
}

const struct runner_ops runner_native = {
	.name = "native",
	.open = native_open,
	.close = native_close,
	.run = native_run,
	.counters = native_counters,
	.egress = native_egress,
	.closed = ACTION_DROP,
};

const struct runner_ops runner_steer = {
	.name = "steer",
	.open = steer_open,
	.close = native_close,
	.run = native_run,
	.counters = native_counters,
	.egress = native_egress,
	.closed = ACTION_PUNT,
};
