// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/subject.h"

#include "bench/baseline.h"
#include "bench/daemon.h"
#include "bench/l3fwd.h"
#include "bench/machine.h"
#include "bench/taps.h"
#include "bench/testpmd.h"

#include <assert.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

// The other end of r0, where penstock cannot look, leaves tags in the frames.
#define SUBJECT_PROMISE "ports: [{ interface: \"%s\", tags: in-frame }]\n"

// Sockets in the kernel's generic hook copy.
#define SUBJECT_NO_ZERO_COPY "afxdp: { hook: generic }"

// Always there, on the reference lane.
#define SUBJECT_REFERENCE_PROGRAM "nolookup"

struct subject_bed {
	struct topology *topology;
	const volatile sig_atomic_t *stop;
	struct baseline *baseline;  // on the subject's lane
	struct baseline *reference; // on the other one
	struct daemon *daemon;      // of the attached penstock
	struct dpdk_child *child;   // testpmd or l3fwd, attached
	struct taps *taps;
	char directory[GUARD_NAME_SIZE]; // where l3fwd was built; "": it was not
	bool large;                      // was it built for full tables
	json_t *plan;                    // what penstock could do with r0 and r1; NULL: nobody asked yet
	const struct subject *attached;
};

static const struct subject subjects[] = {
	{ .name = "penstock",
	  .summary = "penstock in native mode",
	  .kind = SUBJECT_PENSTOCK,
	  .program = "native" },
	{ .name = "drop",
	  .summary = "XDP program that drops: the cost of generator and veth alone",
	  .kind = SUBJECT_BASELINE,
	  .delivery = SUBJECT_NOTHING,
	  .program = "drop" },
	{ .name = "nolookup",
	  .summary = "XDP program that forwards without any lookup: the ceiling",
	  .kind = SUBJECT_BASELINE,
	  .delivery = SUBJECT_ONE_GATEWAY,
	  .program = "nolookup" },
	{ .name = "fiblookup",
	  .summary = "XDP program around bpf_fib_lookup, as xdp-forward",
	  .kind = SUBJECT_BASELINE,
	  .program = "fiblookup" },
	{ .name = "lpmtrie",
	  .summary = "XDP program around an LPM_TRIE map",
	  .kind = SUBJECT_BASELINE,
	  .own_table = true,
	  .program = "lpmtrie" },
	{ .name = "kernel", .summary = "the kernel's own forwarding", .kind = SUBJECT_KERNEL },
	{ .name = "penstock-generic",
	  .summary = "penstock in generic mode",
	  .kind = SUBJECT_PENSTOCK,
	  .program = "generic" },
	{ .name = "penstock-afxdp",
	  .summary = "penstock behind AF_XDP sockets, with zero copy where ports have that (not for bench "
		     "forward)",
	  .kind = SUBJECT_THREADS,
	  .program = "afxdp" },
	{ .name = "penstock-afxdp-copy",
	  .summary = "the same without zero copy, where ports have it (not for bench forward)",
	  .kind = SUBJECT_COPY,
	  .program = "afxdp" },
	{ .name = "penstock-offload",
	  .summary = "penstock on the card itself, where ports are of one (not for bench forward)",
	  .kind = SUBJECT_OFFLOAD,
	  .program = "offload" },
	{ .name = "penstock-dpdk",
	  .summary = "penstock with r0 and r1 in the hands of DPDK (not for bench forward)",
	  .kind = SUBJECT_DEVICES,
	  .program = "dpdk",
	  // with a ring that holds what comes while a busy machine leaves the worker waiting
	  .device = "net_af_packet%d,iface=%s,framecnt=8192" },
	{ .name = "penstock-dpdk-afxdp",
	  .summary = "the same by AF_XDP sockets of DPDK's, as l3fwd-afxdp (not for bench forward)",
	  .kind = SUBJECT_DEVICES,
	  .program = "dpdk",
	  .device = "net_af_xdp%d,iface=%s" },
	{ .name = "l3fwd-afxdp",
	  .summary = "DPDK's l3fwd (FIB) behind AF_XDP sockets, built from dpdk-doc (only for bench modes)",
	  .kind = SUBJECT_L3FWD,
	  .delivery = SUBJECT_ONE_GATEWAY,
	  .own_table = true,
	  .remark =
		  "one next hop for all routes, no checksum is verified, hop limits of IPv6 stay as they are",
	  .keeps_hop_limit = true },
	{ .name = "testpmd-afxdp",
	  .summary = "DPDK's testpmd behind AF_XDP sockets, no lookup (not for bench forward)",
	  .kind = SUBJECT_TESTPMD,
	  .delivery = SUBJECT_ONE_GATEWAY,
	  .remark = "no lookup, TTLs and hop limits stay as they are",
	  .keeps_ttl = true,
	  .keeps_hop_limit = true },
	{ .name = "remote",
	  .summary = "a router that is another machine (only for bench modes, --tx and --rx without --dut)",
	  .kind = SUBJECT_REMOTE },
	{ .name = "drop-generic",
	  .summary = "drop in generic mode",
	  .kind = SUBJECT_BASELINE,
	  .delivery = SUBJECT_NOTHING,
	  .generic = true,
	  .program = "drop" },
	{ .name = "nolookup-generic",
	  .summary = "nolookup in generic mode",
	  .kind = SUBJECT_BASELINE,
	  .delivery = SUBJECT_ONE_GATEWAY,
	  .generic = true,
	  .program = "nolookup" },
	{ .name = "fiblookup-generic",
	  .summary = "fiblookup in generic mode",
	  .kind = SUBJECT_BASELINE,
	  .generic = true,
	  .program = "fiblookup" },
};

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

int subject_open(struct topology *topology, const volatile sig_atomic_t *stop, struct subject_bed **ret_bed)
{
	struct subject_bed *bed = calloc(1, sizeof(*bed));
	int err;

	if (!bed)
		return -ENOMEM;
	bed->topology = topology;
	bed->stop = stop;
	err = baseline_open(&topology->subject, &bed->baseline);
	if (err >= 0)
		err = baseline_open(&topology->reference, &bed->reference);
	if (err >= 0)
		err = baseline_attach(bed->reference, SUBJECT_REFERENCE_PROGRAM, false);
	if (err < 0) {
		subject_close(bed);
		return err;
	}
	*ret_bed = bed;
	return 0;
}

void subject_close(struct subject_bed *bed)
{
	if (!bed)
		return;
	subject_detach(bed);
	baseline_close(bed->reference);
	baseline_close(bed->baseline);
	json_decref(bed->plan);
	free(bed);
}

int subject_load(struct subject_bed *bed, const struct table *table)
{
	int err = baseline_load(bed->baseline, table);

	if (err >= 0 && *bed->directory)
		err = l3fwd_put_rules(bed->directory, table->routes[0].family, table);
	return err;
}

// What `penstock plan` says of the port of that number; NULL: there is no such port, or no answer.
static const json_t *subject_plan(struct subject_bed *bed, size_t number)
{
	if (!bed->plan && daemon_ask_plan(&bed->topology->subject, &bed->plan) < 0)
		return NULL;
	return json_array_get(json_object_get(bed->plan, "ports"), number);
}

// What it says of a mode there; NULL: nothing, for the port is not of the kind that has it.
static const json_t *subject_plan_mode(const json_t *port, const char *mode)
{
	const json_t *option;
	size_t i;

	json_array_foreach(json_object_get(port, "options"), i, option)
	{
		const char *name = json_string_value(json_object_get(option, "mode"));

		if (name && strcmp(name, mode) == 0)
			return option;
	}
	return NULL;
}

static int subject_provide_offload(struct subject_bed *bed, struct why *why)
{
	unsigned int able = 0, ports = bed->topology->subject.vlans.out ? 1 : 2;
	char reason[160] = "";

	for (unsigned int i = 0; i < ports; i++) {
		const json_t *port = subject_plan(bed, i), *mode = subject_plan_mode(port, "offload");
		const char *said = json_string_value(json_object_get(mode, "reason"));

		if (json_is_true(json_object_get(mode, "possible")))
			able++;
		else if (!*reason && said)
			snprintf(reason, sizeof(reason), ": %s", said);
	}
	if (able == ports)
		return 0;
	return why_set(why, EOPNOTSUPP, "%s takes programs on the device%s",
		       able ? "only one of the ports" : "no port here", reason);
}

// What needs the driver's help, which those of ports may not give.
static int subject_provide_mode(struct subject_bed *bed, const char *mode, struct why *why)
{
	unsigned int ports = bed->topology->subject.vlans.out ? 1 : 2;

	if (!topology_has_ports(bed->topology))
		return 0;
	for (unsigned int i = 0; i < ports; i++) {
		const json_t *option = subject_plan_mode(subject_plan(bed, i), mode);
		const char *said = json_string_value(json_object_get(option, "reason"));

		if (json_is_false(json_object_get(option, "possible")))
			return why_set(why, EOPNOTSUPP, "%s", said ? said : "the ports do not have it");
	}
	return 0;
}

static int subject_provide_copy(struct subject_bed *bed, struct why *why)
{
	const json_t *mode = subject_plan_mode(subject_plan(bed, 0), "afxdp");
	const char *said = json_string_value(json_object_get(mode, "reason"));

	if (said && strstr(said, "zero copy"))
		return 0;
	return why_set(why, EOPNOTSUPP, "no zero copy here: penstock-afxdp copies");
}

static int subject_provide_devices(struct why *why)
{
#ifndef HAVE_DPDK
	return why_set(why, ENOTSUP, "built without DPDK; apt-get install libdpdk-dev");
#endif
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		return why_set(why, ENOENT, "no /dev/net/tun; modprobe tun");
	return 0;
}

static int subject_provide_l3fwd(struct subject_bed *bed, size_t routes4, size_t routes6, struct why *why)
{
	struct guard *guard = &bed->topology->guard;
	int err = l3fwd_check(L3FWD_SOURCES, why);

	if (err < 0 || *bed->directory)
		return err;
	bed->large = l3fwd_is_large(routes4, routes6);
	err = guard_directory(guard);
	if (err < 0)
		return why_set(why, -err, "no directory to build l3fwd in: %s", strerror(-err));
	err = l3fwd_build(L3FWD_SOURCES, guard->directory, bed->large, bed->stop, why);
	// what no table says later
	if (err >= 0 && (l3fwd_put_rules(guard->directory, AF_INET, NULL) < 0 ||
			 l3fwd_put_rules(guard->directory, AF_INET6, NULL) < 0))
		err = why_set(why, EIO, "cannot write to %s", guard->directory);
	if (err >= 0)
		memcpy(bed->directory, guard->directory, sizeof(bed->directory));
	return err;
}

int subject_provide(struct subject_bed *bed, const struct subject *subject, size_t routes4, size_t routes6,
		    struct why *why)
{
	switch (subject->kind) {
	case SUBJECT_BASELINE:
		return subject_provide_mode(bed, subject->generic ? "generic" : "native", why);
	case SUBJECT_PENSTOCK:
	case SUBJECT_THREADS:
		return subject_provide_mode(bed, subject->program, why);
	case SUBJECT_COPY:
		return subject_provide_copy(bed, why);
	case SUBJECT_OFFLOAD:
		return subject_provide_offload(bed, why);
	case SUBJECT_DEVICES:
		return subject_provide_devices(why);
	case SUBJECT_TESTPMD:
		return dpdk_child_is_installed(TESTPMD_BINARY)
			       ? 0
			       : why_set(why, ENOENT, "no " TESTPMD_BINARY "; apt-get install dpdk-dev");
	case SUBJECT_L3FWD:
		return subject_provide_l3fwd(bed, routes4, routes6, why);
	default:
		return 0;
	}
}

int subject_prepare(struct subject_bed *bed, const struct subject *subject,
		    const struct lane_port **ret_egress)
{
	int err = 0;

	if (subject->kind == SUBJECT_DEVICES)
		err = taps_open(&bed->topology->subject, &bed->taps);
	if (err >= 0)
		*ret_egress = bed->taps ? &bed->taps->out : &bed->topology->subject.r1;
	return err;
}

// Penstock over devices that DPDK makes of r0 and r1, which then are no ports of the kernel any more.
static int subject_attach_devices(struct subject_bed *bed, const struct subject *subject,
				  const struct daemon_plan *mode)
{
	const struct lane *lane = &bed->topology->subject;
	struct daemon_plan plan = *mode;
	char devices[2][80];
	int err;

	for (int i = 0; i < (lane->vlans.out ? 1 : 2); i++) {
		size_t front = snprintf(devices[i], sizeof(devices[i]), "dpdk:");

		snprintf(devices[i] + front, sizeof(devices[i]) - front, subject->device, i,
			 i ? lane->r1.name : lane->r0.name);
	}
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 1); // which not every kernel lets load
	plan.asked = "auto";                      // it is what the devices are for
	plan.ports[0] = devices[0];
	plan.ports[1] = lane->vlans.out ? NULL : devices[1];
	err = daemon_start_with(lane, bed->topology->guard.file, &plan, bed->stop, &bed->daemon);
	return err < 0 ? err : taps_alone(bed->taps, true);
}

int subject_attach(struct subject_bed *bed, const struct subject *subject)
{
	const struct lane *lane = &bed->topology->subject;
	struct daemon_plan plan = { .mode = subject->program };
	char lines[128] = "";
	int err = 0;

	if (lane->vlans.count && subject->kind != SUBJECT_DEVICES)
		snprintf(lines, sizeof(lines), SUBJECT_PROMISE, lane->r0.name);
	if (subject->kind == SUBJECT_COPY)
		strcat(lines, SUBJECT_NO_ZERO_COPY);
	plan.lines = lines;

	assert(!bed->attached);
	bed->attached = subject;
	switch (subject->kind) {
	case SUBJECT_KERNEL:
	case SUBJECT_REMOTE:
		break;
	case SUBJECT_BASELINE:
		err = baseline_attach(bed->baseline, subject->program, subject->generic);
		break;
	case SUBJECT_PENSTOCK:
	case SUBJECT_THREADS:
	case SUBJECT_COPY:
	case SUBJECT_OFFLOAD:
		err = daemon_start_with(lane, bed->topology->guard.file, &plan, bed->stop, &bed->daemon);
		break;
	case SUBJECT_DEVICES:
		err = subject_attach_devices(bed, subject, &plan);
		break;
	case SUBJECT_TESTPMD:
		err = testpmd_start(lane, machine_last_cpu(), bed->stop, &bed->child);
		break;
	case SUBJECT_L3FWD:
		err = l3fwd_start(bed->directory, bed->large, lane, machine_last_cpu(), bed->stop,
				  &bed->child);
		break;
	}
	if (err < 0 && err != -EINTR)
		warnx("bench: cannot put %s between r0 and r1: %s", subject->name, strerror(-err));
	if (err < 0)
		subject_detach(bed);
	return err;
}

void subject_detach(struct subject_bed *bed)
{
	if (bed->attached && bed->attached->kind == SUBJECT_BASELINE)
		baseline_detach(bed->baseline);
	daemon_stop(bed->daemon);
	dpdk_child_stop(bed->child);
	if (bed->taps)
		taps_alone(bed->taps, false);
	taps_close(bed->taps);
	bed->daemon = NULL;
	bed->child = NULL;
	bed->taps = NULL;
	bed->attached = NULL;
}
