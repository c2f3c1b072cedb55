// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* A box that is as it should be, with one thing wrong at a time: found, weighed, and with a way to mend it.
 */
#include <criterion/criterion.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/box.h"
#include "host/doctor/check.h"
#include "host/engine/engine.h"
#include "host/modes/fact.h"

static struct box box;
static struct box_port port;
static struct box_neighbour neighbours[2];
static struct finding list[16];
static struct findings findings;

static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *document;

	for (char *c = copy; *c; c++) /* easier to read in C */
		*c = *c == '\'' ? '"' : *c;
	document = json_loads(copy, 0, &error);
	cr_assert_not_null(document, "%s", error.text);
	free(copy);
	return document;
}

static void set_up(void)
{
	memset(&box, 0, sizeof(box));
	memset(&port, 0, sizeof(port));
	fact_default_platform(&box.platform);
	fact_default_port(&port.facts);
	strcpy(port.facts.ethtool.driver, "ixgbe");
	port.facts.features_known = true;
	port.facts.features = XDP_FEATURE_BASIC | XDP_FEATURE_REDIRECT | XDP_FEATURE_NDO_XMIT;
	box.forward4 = box.forward6 = 1;
	box.unprivileged_bpf = 2;
	box.netfilter_known = true;
	box.neighbours = neighbours;
	box.neighbour_count = 2;
	neighbours[0] = (struct box_neighbour){ "eth0", "192.0.2.1", true };
	neighbours[1] = (struct box_neighbour){ "eth1", "192.0.2.1", false };
	box.status = parse(
		"{'state': 'forwarding', 'netfilter': {'policy': 'respect'}, 'mirror': {'audit': "
		"{'differences': "
		"0}}, 'tables': {'image': [{'part': 'next hops', 'percent': 89.0}]}, 'ports': [{'interface': "
		"'eth0', 'state': 'running', 'mode': 'native', 'hold': null, 'forwarded_rate': 1e6, "
		"'punted_rate': 10.0, 'punts': [{'reason': 'ttl', 'text': 'TTL', 'rate': 10.0, 'todo': "
		"'x'}]}]}");
	box.gateways =
		parse("[{'address': '192.0.2.1', 'interface': 'eth0', 'usable': true, 'gateway_of': 3}]");
	port.forwarding = 1;
}

static void tear_down(void)
{
	json_decref(box.status);
	json_decref(box.gateways);
}

TestSuite(doctor, .init = set_up, .fini = tear_down);

static void judge(void)
{
	findings = (struct findings){ list, 16, 0 };
	choose(engine_list, &box.platform, &port.facts, "auto", true, &port.decision);
	check_box(&box, &findings);
	check_daemon(&box, &findings);
	check_port(&box, &port, &findings);
}

/* fix NULL: there is none. */
static void expect(enum finding_weight weight, const char *object, const char *text, const char *fix)
{
	judge();
	cr_assert_eq(findings.count, 1, "%u findings, the first %s: %s", findings.count, list[0].object,
		     list[0].text);
	cr_expect_eq(list[0].weight, weight, "%s", list[0].text);
	cr_expect_str_eq(list[0].object, object);
	cr_expect_not_null(strstr(list[0].text, text), "'%s' does not say '%s'", list[0].text, text);
	if (fix)
		cr_expect_not_null(strstr(list[0].fix, fix), "'%s' is not '%s'", list[0].fix, fix);
	else
		cr_expect_str_empty(list[0].fix);
}

static void set_status(const char *path, const char *key, json_t *value)
{
	json_t *object = *path ? json_object_get(box.status, path) : box.status;

	if (json_is_array(object))
		object = json_array_get(object, 0);
	json_object_set_new(object, key, value);
}

Test(doctor, all_is_well)
{
	judge();
	cr_expect_eq(findings.count, 0, "%s: %s", list[0].object, list[0].text);
	json_decref(box.status);
	box.status = NULL; /* nobody runs */
	judge();
	cr_expect_eq(findings.count, 0, "%s: %s", list[0].object, list[0].text);
}

Test(doctor, the_box)
{
	strcpy(box.refusal.text, "no BPF file system is mounted");
	expect(FINDING_WRONG, "penstock run", "would refuse: no BPF", NULL);
	box.refusal.text[0] = 0;
	box.forward4 = 0;
	expect(FINDING_WRONG, "net.ipv4.ip_forward", "is 0", "sysctl -w net.ipv4.ip_forward=1");
	box.forward4 = -1; /* cannot be read: nothing is known */
	box.forward6 = 0;
	expect(FINDING_SUSPICIOUS, "net.ipv6.conf.all.forwarding", "is 0", "sysctl -w");
}

Test(doctor, the_kernel)
{
	box.platform.jit = 0;
	expect(FINDING_WRONG, "net.core.bpf_jit_enable", "interpreted",
	       "sysctl -w net.core.bpf_jit_enable=1");
	box.platform.jit_known = false;
	box.unprivileged_bpf = 0;
	expect(FINDING_HINT, "kernel.unprivileged_bpf_disabled", "every user", "sysctl -w");
	box.unprivileged_bpf = 1;
	strcpy(box.platform.lockdown, "integrity");
	expect(FINDING_HINT, "lockdown", "locked down (integrity)", NULL);
	box.platform.lockdown[0] = 0;
	box.irqbalance = true;
	expect(FINDING_HINT, "irqbalance", "moves the interrupts", "systemctl disable --now irqbalance");
}

Test(doctor, memory_matters_to_engines_in_use)
{
	box.platform.memlock = 8 << 20;
	box.platform.capabilities &= ~(1ull << CAP_IPC_LOCK);
	judge();
	cr_expect_eq(findings.count, 0, "no engine needs it");
	set_status("ports", "mode", json_string("afxdp"));
	expect(FINDING_SUSPICIOUS, "memlock", "8388608 bytes", "LimitMEMLOCK=infinity");
	box.platform.capabilities |= 1ull << CAP_IPC_LOCK;
	judge();
	cr_expect_eq(findings.count, 0);
	set_status("ports", "mode", json_string("dpdk"));
	expect(FINDING_SUSPICIOUS, "hugepages", "there are none", "sysctl -w vm.nr_hugepages");
	box.platform.hugepages = 64;
	judge();
	cr_expect_eq(findings.count, 0);
}

Test(doctor, netfilter_and_ipsec)
{
	box.netfilter.rules = true;
	strcpy(box.netfilter.why_rules, "table inet filter");
	expect(FINDING_SUSPICIOUS, "netfilter", "table inet filter; forwarded packets stay in the kernel",
	       "netfilter: bypass");
	set_status("netfilter", "policy", json_string("bypass"));
	expect(FINDING_SUSPICIOUS, "netfilter", "forwarded packets bypass it", NULL);
	box.netfilter.rules = false;
	box.netfilter.xfrm = true;
	expect(FINDING_SUSPICIOUS, "xfrm", "stay in the kernel", NULL); /* whatever the policy */
}

Test(doctor, settings_of_a_port)
{
	port.forwarding = 0;
	expect(FINDING_WRONG, "eth0", "IPv4 forwarding is off", "sysctl -w net.ipv4.conf.eth0.forwarding=1");
	port.forwarding = -1;
	port.send_redirects = 1;
	expect(FINDING_HINT, "eth0", "redirect", "net.ipv4.conf.eth0.send_redirects=0");
	port.send_redirects = -1;
	port.rp_filter = 1;
	expect(FINDING_HINT, "eth0", "rp_filter is strict", "rp_filter=2");
	port.rp_filter = 2;
	port.facts.ethtool.rxvlan = true;
	expect(FINDING_HINT, "eth0", "penstock turns it off", "ethtool -K eth0 rxvlan off");
	port.facts.program.id = 5;
	port.facts.program.ours = true;
	expect(FINDING_WRONG, "eth0", "does not see VLAN tags", "ethtool -K eth0 rxvlan off");
}

Test(doctor, a_port_that_could_do_better)
{
	port.facts.ethtool.lro = true;
	expect(FINDING_SUSPICIOUS, "eth0", "native is not possible: LRO", "ethtool -K eth0 lro off");
	port.facts.ethtool.lro = false;
	port.facts.ethtool.queues = port.facts.ethtool.rx_queues = port.facts.ethtool.combined = 2;
	port.facts.ethtool.queues_max = 16;
	expect(FINDING_HINT, "eth0", "only 2 of 8 CPUs", "ethtool -L eth0 combined 8");
	port.facts.ethtool.rx_queues = 8;
	port.facts.ethtool.rx_ring = 128;
	port.facts.ethtool.rx_ring_max = 4096;
	expect(FINDING_HINT, "eth0", "holds 128 packets", "ethtool -G eth0 rx 2048");
	port.facts.ethtool.rx_ring = 0;
	port.facts.carrier = false;
	expect(FINDING_SUSPICIOUS, "eth0", "no carrier", NULL);
}

Test(doctor, what_the_daemon_says)
{
	set_status("mirror", "overruns", json_integer(3));
	expect(FINDING_HINT, "mirror", "lost 3 times", NULL);
	set_status("mirror", "overruns", json_integer(0));
	set_status("mirror", "punting_rules", json_integer(2));
	expect(FINDING_SUSPICIOUS, "ip rule", "2 policy rules", NULL);
	set_status("mirror", "punting_rules", json_integer(0));
	set_status("mirror", "audit", json_pack("{s:i}", "differences", 4));
	expect(FINDING_WRONG, "mirror", "4 routes that differed", NULL);
	set_status("mirror", "audit", json_object());
	set_status("", "state", json_string("starting"));
	expect(FINDING_HINT, "penstock", "still reading", NULL);
}

Test(doctor, tables_that_fill)
{
	set_status("tables", "punted_routes", json_integer(7));
	expect(FINDING_SUSPICIOUS, "tables", "7 routes are in the kernel only", NULL);
	set_status("tables", "punted_routes", json_integer(0));
	set_status("tables", "image", json_pack("[{s:s, s:f}]", "part", "next hops", "percent", 90.5));
	expect(FINDING_SUSPICIOUS, "tables", "of the next hops are in use", "a restart");
}

Test(doctor, ports_of_the_daemon)
{
	set_status("ports", "hold", json_pack("{s:s}", "text", "netfilter rules apply"));
	expect(FINDING_SUSPICIOUS, "eth0", "all its packets stay in the kernel: netfilter", NULL);
	set_status("ports", "hold", json_null());
	set_status("ports", "forwarded_rate", json_real(50));
	set_status("ports", "punted_rate", json_real(150));
	set_status("ports", "punts",
		   json_pack("[{s:s, s:f, s:s}]", "text", "TTL", "rate", 150.0, "todo", "look"));
	expect(FINDING_SUSPICIOUS, "eth0", "75 of 100 packets go to the kernel: TTL", "look");
	set_status("ports", "punts", json_pack("[{s:s, s:f, s:n}]", "text", "local", "rate", 150.0, "todo"));
	judge();
	cr_expect_eq(findings.count, 0, "what is meant to be so is no finding");
	set_status("ports", "state", json_string("kernel"));
	set_status("ports", "why", json_string("it fell off"));
	expect(FINDING_SUSPICIOUS, "eth0", "the kernel forwards: it fell off", NULL);
}

Test(doctor, gateways)
{
	json_t *gateway = json_array_get(box.gateways, 0);

	neighbours[0].kept = false;
	expect(FINDING_SUSPICIOUS, "eth0", "192.0.2.1 is not managed", "ip neigh show 192.0.2.1 dev eth0");
	json_object_set_new(gateway, "usable", json_false());
	expect(FINDING_SUSPICIOUS, "eth0", "192.0.2.1 does not answer", "ip neigh show");
	json_object_set_new(gateway, "gateway_of", json_integer(0));
	judge();
	cr_expect_eq(findings.count, 0, "a host that no route leads by");
}

Test(doctor, more_than_fit_are_counted)
{
	findings = (struct findings){ list, 2, 0 };
	for (int i = 0; i < 5; i++) {
		finding_add(&findings, FINDING_HINT, "x", "number %d", i);
		finding_fix(&findings, "fix %d", i);
	}
	cr_expect_eq(findings.count, 5);
	cr_expect_eq(finding_listed(&findings), 2);
	cr_expect_str_eq(list[1].text, "number 1");
	cr_expect_str_eq(list[1].fix, "fix 1", "the last ones' do not spill over");
}
