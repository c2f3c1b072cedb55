// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/subject.h"

#include "bench/baseline.h"
#include "bench/daemon.h"
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

// A device over a port, with a ring that holds what comes while a busy machine leaves the worker waiting.
#define SUBJECT_DEVICE "dpdk:net_af_packet%d,iface=%s,framecnt=8192"

// The other end of r0, where penstock cannot look, leaves tags in the frames.
#define SUBJECT_PROMISE "ports: [{ interface: r0, tags: in-frame }]"

// Always there, on the reference lane.
#define SUBJECT_REFERENCE_PROGRAM "nolookup"

struct subject_bed {
	const struct topology *topology;
	const volatile sig_atomic_t *stop;
	struct baseline *baseline;  // on the subject's lane
	struct baseline *reference; // on the other one
	struct daemon *daemon;      // of the attached penstock
	struct testpmd *testpmd;
	struct taps *taps;
	const struct subject *attached;
};

static const struct subject subjects[] = {
	{ "penstock", "penstock in native mode", SUBJECT_PENSTOCK, SUBJECT_ROUTES, false, false, "native" },
	{ "drop", "XDP program that drops: the cost of generator and veth alone", SUBJECT_BASELINE,
	  SUBJECT_NOTHING, false, false, "drop" },
	{ "nolookup", "XDP program that forwards without any lookup: the ceiling", SUBJECT_BASELINE,
	  SUBJECT_ONE_GATEWAY, false, false, "nolookup" },
	{ "fiblookup", "XDP program around bpf_fib_lookup, as xdp-forward", SUBJECT_BASELINE, SUBJECT_ROUTES,
	  false, false, "fiblookup" },
	{ "lpmtrie", "XDP program around an LPM_TRIE map", SUBJECT_BASELINE, SUBJECT_ROUTES, false, true,
	  "lpmtrie" },
	{ "kernel", "the kernel's own forwarding", SUBJECT_KERNEL, SUBJECT_ROUTES, false, false, NULL },
	{ "penstock-generic", "penstock in generic mode", SUBJECT_PENSTOCK, SUBJECT_ROUTES, true, false,
	  "generic" },
	{ "penstock-afxdp", "penstock behind AF_XDP sockets (not for bench forward)", SUBJECT_THREADS,
	  SUBJECT_ROUTES, false, false, "afxdp" },
	{ "penstock-dpdk", "penstock with r0 and r1 in the hands of DPDK (not for bench forward)",
	  SUBJECT_DEVICES, SUBJECT_ROUTES, false, false, "dpdk" },
	{ "testpmd-afxdp", "DPDK's testpmd behind AF_XDP sockets, no lookup (not for bench forward)",
	  SUBJECT_TESTPMD, SUBJECT_ONE_GATEWAY, false, false, NULL },
	{ "remote", "a router that is another machine (only for bench modes, --tx and --rx without --dut)",
	  SUBJECT_REMOTE, SUBJECT_ROUTES, false, false, NULL },
	{ "drop-generic", "drop in generic mode", SUBJECT_BASELINE, SUBJECT_NOTHING, true, false, "drop" },
	{ "nolookup-generic", "nolookup in generic mode", SUBJECT_BASELINE, SUBJECT_ONE_GATEWAY, true, false,
	  "nolookup" },
	{ "fiblookup-generic", "fiblookup in generic mode", SUBJECT_BASELINE, SUBJECT_ROUTES, true, false,
	  "fiblookup" },
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

int subject_open(const struct topology *topology, const volatile sig_atomic_t *stop,
		 struct subject_bed **ret_bed)
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
	free(bed);
}

int subject_load(struct subject_bed *bed, const struct table *table)
{
	return baseline_load(bed->baseline, table);
}

const char *subject_lacks(const struct subject *subject)
{
	if (subject->kind == SUBJECT_TESTPMD && !testpmd_is_installed())
		return "no dpdk-testpmd; apt-get install dpdk-dev";
#ifndef HAVE_DPDK
	if (subject->kind == SUBJECT_DEVICES)
		return "built without DPDK; apt-get install libdpdk-dev";
#endif
	if (subject->kind == SUBJECT_DEVICES && access("/dev/net/tun", R_OK | W_OK) < 0)
		return "no /dev/net/tun; modprobe tun";
	return NULL;
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
static int subject_attach_devices(struct subject_bed *bed, const struct daemon_plan *mode)
{
	const struct lane *lane = &bed->topology->subject;
	struct daemon_plan plan = *mode;
	char devices[2][80];
	int err;

	snprintf(devices[0], sizeof(devices[0]), SUBJECT_DEVICE, 0, lane->r0.name);
	snprintf(devices[1], sizeof(devices[1]), SUBJECT_DEVICE, 1, lane->r1.name);
	plan.asked = "auto"; // it is what the devices are for
	plan.ports[0] = devices[0];
	plan.ports[1] = devices[1];
	err = daemon_start_with(lane, bed->topology->guard.file, &plan, bed->stop, &bed->daemon);
	return err < 0 ? err : taps_alone(bed->taps, true);
}

int subject_attach(struct subject_bed *bed, const struct subject *subject)
{
	const struct lane *lane = &bed->topology->subject;
	const struct daemon_plan plan = { .mode = subject->program,
					  .lines = lane->vlans.count ? SUBJECT_PROMISE : NULL };
	int err = 0;

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
		err = daemon_start_with(lane, bed->topology->guard.file, &plan, bed->stop, &bed->daemon);
		break;
	case SUBJECT_DEVICES:
		err = subject_attach_devices(bed, &plan);
		break;
	case SUBJECT_TESTPMD:
		err = testpmd_start(lane, machine_last_cpu(), bed->stop, &bed->testpmd);
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
	testpmd_stop(bed->testpmd);
	if (bed->taps)
		taps_alone(bed->taps, false);
	taps_close(bed->taps);
	bed->daemon = NULL;
	bed->testpmd = NULL;
	bed->taps = NULL;
	bed->attached = NULL;
}
