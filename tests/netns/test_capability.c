// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Facts about ports against the kernel, and the two ways to know whether a veth takes frames against each
// other: the netdev family, and a look at the peer, here and in another namespace.

#include "bench/netns.h"
#include "host/loop.h"
#include "host/modes/capability.h"
#include "host/modes/veth_peer.h"
#include "host/modes/xdp_features.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct xdp_features *features;
static char other[64]; // a namespace with a name

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	cr_assert_eq(system(command), 0, "%s", command);
}

static void set_up(void)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	shell("ip link add a0 type veth peer name b0 && ip link set a0 up && ip link set b0 up");
	features = NULL;
	(void)xdp_features_open(&features); // the kernel may not have it
}

static void tear_down(void)
{
	xdp_features_close(features);
}

TestSuite(capability, .init = set_up, .fini = tear_down);

Test(capability, tells_what_the_kernel_tells)
{
	struct capability port;

	shell("ip link set a0 mtu 1400");
	cr_assert_eq(capability_read("a0", features, &port), 0);
	cr_expect_str_eq(port.name, "a0");
	cr_expect_eq(port.ifindex, if_nametoindex("a0"));
	cr_expect_eq(port.mtu, 1400);
	cr_expect(port.up && port.carrier);
	cr_expect_str_eq(port.kind, "veth");
	cr_expect_str_eq(port.ethtool.driver, "veth");
	cr_expect_eq(port.lower, if_nametoindex("b0"));
	cr_expect_str_eq(port.lower_name, "b0");
	cr_expect_str_empty(port.master);
	cr_expect_eq(port.program.id, 0);
	cr_expect_eq(port.features_known, features != NULL);
	cr_expect_eq(capability_read("none", features, &port), -ENODEV);
	cr_expect_eq(port.ifindex, 0);
	cr_expect_str_eq(port.name, "none");
}

Test(capability, names_the_master)
{
	struct capability port;

	shell("ip link add bridge0 type bridge && ip link set a0 master bridge0");
	cr_assert_eq(capability_read("a0", features, &port), 0);
	cr_expect_str_eq(port.master, "bridge0");
	cr_expect_str_eq(port.master_kind, "bridge");
}

// Both ways agree, with GRO off and on at the peer.
static void expect_agreement(const char *name, bool takes)
{
	struct capability port;
	bool seen = !takes;

	cr_assert_eq(capability_read(name, features, &port), 0);
	cr_assert_eq(veth_peer_takes_frames(&port, &seen), 0);
	cr_expect_eq(seen, takes, "a look at the peer");
	if (features)
		cr_expect_eq(!!(port.features & XDP_FEATURE_NDO_XMIT), takes, "the netdev family");
}

Test(capability, knows_what_a_veth_takes)
{
	shell("ethtool -K b0 gro off >/dev/null");
	expect_agreement("a0", false);
	shell("ethtool -K b0 gro on >/dev/null");
	expect_agreement("a0", true);
	expect_agreement("b0", false);
}

static void remove_other(void)
{
	(void)netns_remove(other);
}

Test(capability, looks_into_the_other_namespace)
{
	int fd;

	snprintf(other, sizeof(other), "ps-capability-%d", (int)getpid());
	cr_assert_eq(netns_create(other, &fd), 0);
	close(fd);
	atexit(remove_other);
	shell("ip link set b0 netns %s && nsenter --net=/run/netns/%s ip link set b0 up", other, other);
	expect_agreement("a0", false);
	shell("nsenter --net=/run/netns/%s ethtool -K b0 gro on >/dev/null", other);
	expect_agreement("a0", true);
	remove_other();
}

static struct loop *loop;
static __u64 told;

static void changed(void *arg, __u32 ifindex, __u64 now)
{
	if (ifindex == if_nametoindex("a0")) {
		told = now;
		loop_stop(loop, 0);
	}
}

static void give_up(void *arg)
{
	loop_stop(loop, 1);
}

Test(capability, is_told_of_changes)
{
	struct loop_timer *timer;

	if (!features)
		cr_skip_test("the kernel has no netdev family");
	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(loop_timer_new(loop, give_up, NULL, &timer), 0);
	loop_timer_set(timer, 20000, 0);
	cr_assert_eq(xdp_features_watch(features, loop, changed, NULL), 0);
	shell("ethtool -K b0 gro on >/dev/null");
	cr_expect_eq(loop_run(loop), 0, "no notification in 20 s");
	cr_expect(told & XDP_FEATURE_NDO_XMIT);
	xdp_features_close(features);
	features = NULL;
	loop_free(loop);
}
