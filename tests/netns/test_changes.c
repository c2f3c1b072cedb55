// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// What is changed on a device is undone, also by the daemon after one that was killed.

#include "host/changes.h"
#include "host/modes/ethtool.h"

#include <criterion/criterion.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[100];
static struct changes *changes;
static struct why why;

// Each test is a process of its own; its namespace goes with it.
static void set_up(void)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	cr_assert_eq(system("ip link add a0 type veth peer name b0 && ethtool -K a0 rxvlan on "
			    "rx-vlan-stag-hw-parse on >/dev/null"),
		     0);
	snprintf(path, sizeof(path), "/tmp/penstock-changes-%d", (int)getpid());
	cr_assert_eq(changes_open(path, &changes, &why), 0);
}

static void tear_down(void)
{
	changes_close(changes);
	cr_expect_eq(access(path, F_OK), -1, "nothing is left to undo");
	unlink(path);
}

TestSuite(changes, .init = set_up, .fini = tear_down);

static struct ethtool_facts facts_of(const char *name)
{
	struct ethtool_facts facts;

	cr_assert_eq(ethtool_read(name, &facts), 0);
	return facts;
}

static bool rxvlan(const char *name)
{
	struct ethtool_facts facts = facts_of(name);

	cr_assert_eq(facts.rxvlan, facts.rxvlan_service);
	return facts.rxvlan;
}

static bool txvlan(const char *name)
{
	struct ethtool_facts facts = facts_of(name);

	cr_assert_eq(facts.txvlan, facts.txvlan_service);
	return facts.txvlan;
}

// As another program sees it.
static bool ethtool_says(const char *name, const char *line)
{
	char command[128];

	snprintf(command, sizeof(command), "ethtool -k %s | grep -qx '%s'", name, line);
	return system(command) == 0;
}

static void switch_off(const char *name)
{
	cr_assert_eq(changes_rxvlan_off(changes, name, if_nametoindex(name), &why), 0, "%s", why.text);
}

Test(changes, are_made_and_undone)
{
	switch_off("a0");
	cr_expect_not(rxvlan("a0"));
	cr_expect(rxvlan("b0"));
	cr_expect_eq(access(path, F_OK), 0);
	changes_undo(changes, if_nametoindex("b0"));
	cr_expect_not(rxvlan("a0"), "of another device");
	changes_undo(changes, if_nametoindex("a0"));
	cr_expect(rxvlan("a0"));
	cr_expect_eq(access(path, F_OK), -1);
}

Test(changes, outlive_who_made_them)
{
	switch_off("a0");
	switch_off("b0");
	changes_close(changes);
	cr_assert_eq(changes_open(path, &changes, &why), 0);
	cr_expect_not(rxvlan("a0"));
	switch_off("a0"); // once more: it still was on before the first time
	changes_undo_all(changes);
	cr_expect(rxvlan("a0"));
	cr_expect(rxvlan("b0"));
}

static int is_a0(void *arg, __u32 ifindex)
{
	return ifindex == if_nametoindex("a0");
}

Test(changes, of_one_that_was_killed_are_swept)
{
	char fresh[120];
	FILE *file;

	switch_off("a0");
	switch_off("b0");
	changes_close(changes);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	file = fopen(fresh, "w");
	cr_assert_not_null(file);
	cr_assert_gt(fputs("rxvl", file), 0); // killed while it wrote
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(changes_open(path, &changes, &why), 0);
	cr_expect_eq(access(fresh, F_OK), -1);
	changes_sweep(changes, is_a0, NULL);
	cr_expect_not(rxvlan("a0"), "it is still needed");
	cr_expect(rxvlan("b0"), "the one that follows has no use for it");
	changes_undo_all(changes);
	cr_expect(rxvlan("a0"));
}

Test(changes, to_what_is_sent_are_others)
{
	switch_off("a0");
	cr_assert_eq(changes_txvlan_off(changes, "a0", if_nametoindex("a0"), &why), 0, "%s", why.text);
	cr_expect_not(rxvlan("a0"));
	cr_expect_not(txvlan("a0"));
	cr_expect(ethtool_says("a0", "tx-vlan-offload: off"));
	cr_expect(ethtool_says("a0", "tx-vlan-stag-hw-insert: off"));
	cr_expect(ethtool_says("a0", "rx-vlan-stag-hw-parse: off"));
	changes_close(changes);
	cr_assert_eq(changes_open(path, &changes, &why), 0);
	changes_undo(changes, if_nametoindex("a0"));
	cr_expect(rxvlan("a0"));
	cr_expect(txvlan("a0"));
	cr_expect(ethtool_says("a0", "tx-vlan-stag-hw-insert: on"));
}

Test(changes, of_a_device_that_is_gone_are_forgotten)
{
	switch_off("a0");
	cr_assert_eq(system("ip link delete a0"), 0);
	changes_undo_all(changes);
}

Test(changes, that_are_none_are_not_undone)
{
	cr_assert_eq(ethtool_set_offload("a0", ETHTOOL_RXVLAN, false), 0);
	switch_off("a0");
	changes_undo_all(changes);
	cr_expect_not(facts_of("a0").rxvlan, "it was off before");
	cr_expect(facts_of("a0").rxvlan_service);
}

Test(changes, that_fail_leave_nothing)
{
	cr_expect_lt(changes_rxvlan_off(changes, "none", 12345, &why), 0);
	cr_expect_not_null(strstr(why.text, "ethtool -K none rxvlan off"), "%s", why.text);
	cr_expect_lt(changes_txvlan_off(changes, "none", 12345, &why), 0);
}
