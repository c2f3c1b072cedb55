// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What matters about the box and about our rights on it, whatever the port.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/why.h"

#define PLATFORM_RIGHTS     (1ull << 12 | 1ull << 38 | 1ull << 39) /* CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF */
#define PLATFORM_RIGHTS_ALL (~0ull)                                /* as many as there are */

struct platform {
	char release[65];     /* of the kernel */
	unsigned int version; /* 6.1.27 is 60127 */
	unsigned int cpus;
	bool net_admin; /* effective capabilities; SYS_ADMIN counts as BPF */
	bool bpf;
	bool perfmon;
	bool features;       /* the kernel tells what devices can do with XDP */
	char bpffs[256];     /* where it is mounted; empty: nowhere */
	__u64 capabilities;  /* all effective ones, a bit each */
	__u32 jit;           /* net.core.bpf_jit_enable; 0: programs are interpreted */
	bool jit_known;      /* only the first network namespace tells */
	char lockdown[24];   /* "none", "integrity", "confidentiality"; empty: the kernel does not say */
	__u64 memlock;       /* bytes that may be locked, ~0: no limit */
	__u64 hugepage_size; /* bytes of one */
	__u32 hugepages, hugepages_free;
	bool xsk; /* AF_XDP sockets can be opened */
	struct {  /* packets a second of one sender that arrive over veth in a mode; 0: not measured */
		__u32 native, generic;
		__u32 afxdp, afxdp_generic; /* with a copy, by the driver's hook and the generic one */
	} measured;
};

/* `bpffs`: where the configuration says it is, NULL: where it usually is. */
void platform_read(const char *bpffs, struct platform *ret);
/* 6.1.27-amd64 is 60127; 0: no kernel is called that. */
unsigned int platform_version(const char *release);
/* Of the capabilities that an engine needs those that we lack; of who takes all that there are none, as it
 * says itself what it lacks. */
__u64 platform_rights_missing(const struct platform *platform, __u64 rights);
/* The first capability of a set: "CAP_NET_RAW". */
const char *platform_right_name(__u64 rights);
/* Whether the daemon can run here at all, `bpffs` as before; the refusal says what is missing and how to get
 * it. */
int platform_check(const struct platform *platform, const char *bpffs, struct why *why);
