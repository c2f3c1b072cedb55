// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/doctor/check.h"

#include <stdio.h>
#include <string.h>

#include <linux/capability.h>

#include "host/doctor/box.h"
#include "host/engine/engine.h"
#include "host/modes/advice.h"

#define MUCH_MEMLOCK (64u << 20) /* bytes that the sockets of a port need or so */
#define FULL_PERCENT 90
#define MANY_PUNTS   50 /* packets a second */

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool serves(const struct box_port *port)
{
	return port->decision.option[port->decision.chosen].engine;
}

/* Whether the daemon runs some port in this mode. */
static bool mode_runs(const struct box *box, const char *mode)
{
	json_t *port;
	size_t index;

	json_array_foreach(json_object_get(box->status, "ports"), index, port)
	{
		if (strcmp(text_of(port, "mode"), mode) == 0)
			return true;
	}
	return false;
}

/* --- the box --- */

static void check_forwarding(const struct box *box, struct findings *findings)
{
	if (box->forward4 == 0) {
		finding_add(findings, FINDING_WRONG, "net.ipv4.ip_forward",
			    "is 0: this is no router for IPv4");
		finding_fix(findings, "sysctl -w net.ipv4.ip_forward=1");
	}
	if (box->forward6 == 0) {
		finding_add(findings, FINDING_SUSPICIOUS, "net.ipv6.conf.all.forwarding",
			    "is 0: this is no router for IPv6");
		finding_fix(findings, "sysctl -w net.ipv6.conf.all.forwarding=1");
	}
}

static void check_netfilter(const struct box *box, struct findings *findings)
{
	json_t *policy = json_object_get(box->status, "netfilter");
	bool bypass = strcmp(text_of(policy, "policy"), "bypass") == 0;
	const char *way = bypass ? "forwarded packets bypass it (netfilter: bypass)"
				 : "forwarded packets stay in the kernel for it";

	if (!box->netfilter_known)
		return;
	if (box->netfilter.rules) {
		finding_add(findings, FINDING_SUSPICIOUS, "netfilter", "%.120s; %s", box->netfilter.why_rules,
			    way);
		if (!bypass)
			finding_fix(findings,
				    "netfilter: bypass in the configuration, if these rules need not see "
				    "forwarded packets");
	}
	if (box->netfilter.xfrm)
		finding_add(findings, FINDING_SUSPICIOUS, "xfrm",
			    "%.120s; forwarded packets stay in the kernel for it", box->netfilter.why_xfrm);
}

static void check_kernel(const struct box *box, struct findings *findings)
{
	const struct platform *platform = &box->platform;

	if (platform->jit_known && !platform->jit) {
		finding_add(findings, FINDING_WRONG, "net.core.bpf_jit_enable",
			    "is 0: the program is interpreted, many times slower");
		finding_fix(findings, "sysctl -w net.core.bpf_jit_enable=1");
	}
	if (platform->lockdown[0] && strcmp(platform->lockdown, "none") != 0)
		finding_add(findings, FINDING_HINT, "lockdown",
			    "the kernel is locked down (%s): XDP works, uio drivers for DPDK do not",
			    platform->lockdown);
	if (box->unprivileged_bpf == 0) {
		finding_add(findings, FINDING_HINT, "kernel.unprivileged_bpf_disabled",
			    "is 0: every user may load programs");
		finding_fix(findings, "sysctl -w kernel.unprivileged_bpf_disabled=2");
	}
	if (box->irqbalance) {
		finding_add(findings, FINDING_HINT, "irqbalance",
			    "runs, and moves the interrupts of queues between CPUs under load");
		finding_fix(findings, "systemctl disable --now irqbalance, then bind each queue to a CPU");
	}
}

/* Only what an engine in use needs. */
static void check_memory(const struct box *box, struct findings *findings)
{
	const struct platform *platform = &box->platform;
	bool may_lock = platform->capabilities & 1ull << CAP_IPC_LOCK;

	if (mode_runs(box, "afxdp") && !may_lock && platform->memlock < MUCH_MEMLOCK) {
		finding_add(findings, FINDING_SUSPICIOUS, "memlock",
			    "only %llu bytes may be locked, too little for AF_XDP sockets",
			    platform->memlock);
		finding_fix(findings, "ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)");
	}
	if (mode_runs(box, "dpdk") && !platform->hugepages) {
		finding_add(findings, FINDING_SUSPICIOUS, "hugepages", "there are none, and DPDK is in use");
		finding_fix(findings, "sysctl -w vm.nr_hugepages=512");
	}
}

void check_box(const struct box *box, struct findings *findings)
{
	if (box->refusal.text[0])
		finding_add(findings, FINDING_WRONG, "penstock run", "would refuse: %s", box->refusal.text);
	check_forwarding(box, findings);
	check_netfilter(box, findings);
	check_kernel(box, findings);
	check_memory(box, findings);
}

/* --- ports --- */

static void check_settings(const struct box *box, const struct box_port *port, struct findings *findings)
{
	const char *name = port->facts.name;

	if (port->forwarding == 0 && box->forward4 > 0) {
		finding_add(findings, FINDING_WRONG, name, "IPv4 forwarding is off on it");
		finding_fix(findings, "sysctl -w net.ipv4.conf.%s.forwarding=1", name);
	}
	if (port->send_redirects > 0) {
		finding_add(findings, FINDING_HINT, name,
			    "packets that leave by the interface they came in by go to the kernel, which may "
			    "answer "
			    "with a redirect");
		finding_fix(findings,
			    "sysctl -w net.ipv4.conf.all.send_redirects=0 "
			    "net.ipv4.conf.%s.send_redirects=0",
			    name);
	}
	if (port->rp_filter == 1) {
		finding_add(findings, FINDING_HINT, name,
			    "rp_filter is strict: packets of asymmetric routes go to the kernel, which drops "
			    "them");
		finding_fix(findings, "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.%s.rp_filter=2",
			    name);
	}
}

/* A port in a slower mode than it could have, or that nobody can send to. */
static void check_mode(const struct box_port *port, struct findings *findings)
{
	const struct decision *decision = &port->decision;

	for (unsigned int i = 0; i < decision->chosen; i++) {
		const struct probe *probe = &decision->option[i].probe;

		if (!*probe->fix)
			continue;
		finding_add(findings, FINDING_SUSPICIOUS, port->facts.name, "%s is not possible: %.150s",
			    decision->option[i].mode, probe->reason);
		finding_fix(findings, "%s", probe->fix);
	}
	if (!serves(port) || decision->egress.able.possible)
		return;
	finding_add(findings, port->facts.program.ours ? FINDING_SUSPICIOUS : FINDING_HINT, port->facts.name,
		    "other ports cannot send to it: %.150s", decision->egress.able.reason);
	finding_fix(findings, "%s", decision->egress.able.fix);
}

/* The daemon turns it off by itself; that it is on beside a program of ours is a fault. */
static void check_tags(const struct box_port *port, struct findings *findings)
{
	if (!*port->decision.change || !ethtool_hides_received(&port->facts.ethtool))
		return;
	if (port->facts.program.ours)
		finding_add(findings, FINDING_WRONG, port->facts.name,
			    "rxvlan is on: the program does not see VLAN tags");
	else
		finding_add(findings, FINDING_HINT, port->facts.name,
			    "rxvlan is on; penstock turns it off when it takes the port");
	finding_fix(findings, "ethtool -K %s " ETHTOOL_RX_OFF, port->facts.name);
}

void check_port(const struct box *box, const struct box_port *port, struct findings *findings)
{
	check_mode(port, findings);
	if (!serves(port))
		return;
	check_tags(port, findings);
	check_settings(box, port, findings);
	advice_port(&box->platform, &port->facts, findings);
}

/* --- the daemon --- */

static const struct box_neighbour *find_neighbour(const struct box *box, const char *interface,
						  const char *address)
{
	for (unsigned int i = 0; i < box->neighbour_count; i++)
		if (strcmp(box->neighbours[i].address, address) == 0 &&
		    strcmp(box->neighbours[i].interface, interface) == 0)
			return &box->neighbours[i];
	return NULL;
}

/* Gateways must not age: the kernel sees none of their packets. */
static void check_gateway(const struct box *box, json_t *gateway, struct findings *findings)
{
	const char *address = text_of(gateway, "address"), *interface = text_of(gateway, "interface");
	const struct box_neighbour *known = find_neighbour(box, interface, address);

	if (!json_integer_value(json_object_get(gateway, "gateway_of")))
		return;
	if (!json_is_true(json_object_get(gateway, "usable")))
		finding_add(findings, FINDING_SUSPICIOUS, interface,
			    "gateway %s does not answer; packets for it go to the kernel", address);
	else if (known && !known->kept)
		finding_add(findings, FINDING_SUSPICIOUS, interface,
			    "gateway %s is not managed by the kernel and ages, though packets pass", address);
	else
		return;
	finding_fix(findings, "ip neigh show %s dev %s", address, interface);
}

static void check_fill(json_t *tables, struct findings *findings)
{
	json_t *part;
	size_t index;

	json_array_foreach(json_object_get(tables, "image"), index, part)
	{
		double percent = json_number_value(json_object_get(part, "percent"));

		if (percent < FULL_PERCENT)
			continue;
		finding_add(findings, FINDING_SUSPICIOUS, "tables", "%.0f %% of the %s are in use", percent,
			    text_of(part, "part"));
		finding_fix(findings, "a larger size under 'image' in the configuration, and a restart");
	}
	if (json_integer_value(json_object_get(tables, "punted_routes")))
		finding_add(findings, FINDING_SUSPICIOUS, "tables",
			    "%lld routes are in the kernel only, for want of room",
			    (long long)json_integer_value(json_object_get(tables, "punted_routes")));
}

static void check_mirror(json_t *mirror, struct findings *findings)
{
	json_t *audit = json_object_get(mirror, "audit");
	json_int_t differences = json_integer_value(json_object_get(audit, "differences"));

	if (differences)
		finding_add(findings, FINDING_WRONG, "mirror",
			    "the audit found %lld routes that differed from the kernel, and mended them; "
			    "please report",
			    (long long)differences);
	if (json_integer_value(json_object_get(mirror, "overruns")))
		finding_add(findings, FINDING_HINT, "mirror",
			    "messages of the kernel were lost %lld times and read again",
			    (long long)json_integer_value(json_object_get(mirror, "overruns")));
	if (json_integer_value(json_object_get(mirror, "punting_rules")))
		finding_add(findings, FINDING_SUSPICIOUS, "ip rule",
			    "%lld policy rules keep packets in the kernel; see: penstock show rules",
			    (long long)json_integer_value(json_object_get(mirror, "punting_rules")));
}

/* A tenth of the traffic, and not just a few. */
static void check_punts(json_t *port, struct findings *findings)
{
	double all = json_number_value(json_object_get(port, "forwarded_rate")) +
		     json_number_value(json_object_get(port, "punted_rate"));
	json_t *punt;
	size_t index;

	json_array_foreach(json_object_get(port, "punts"), index, punt)
	{
		double rate = json_number_value(json_object_get(punt, "rate"));

		if (rate < MANY_PUNTS || rate < all / 10 || !*text_of(punt, "todo"))
			continue;
		finding_add(findings, FINDING_SUSPICIOUS, text_of(port, "interface"),
			    "%.0f of 100 packets go to the kernel: %s", 100 * rate / all,
			    text_of(punt, "text"));
		finding_fix(findings, "%s", text_of(punt, "todo"));
	}
}

static void check_state(json_t *port, struct findings *findings)
{
	const char *name = text_of(port, "interface");
	json_t *hold = json_object_get(port, "hold");

	if (strcmp(text_of(port, "state"), "running") != 0)
		finding_add(findings, FINDING_SUSPICIOUS, name,
			    "is configured, and the kernel forwards: %.150s", text_of(port, "why"));
	else if (json_is_object(hold))
		finding_add(findings, FINDING_SUSPICIOUS, name, "all its packets stay in the kernel: %.150s",
			    text_of(hold, "text"));
}

void check_daemon(const struct box *box, struct findings *findings)
{
	json_t *item;
	size_t index;

	if (!box->status)
		return;
	if (strcmp(text_of(box->status, "state"), "starting") == 0)
		finding_add(findings, FINDING_HINT, "penstock",
			    "the daemon is still reading the kernel's tables");
	check_mirror(json_object_get(box->status, "mirror"), findings);
	check_fill(json_object_get(box->status, "tables"), findings);
	json_array_foreach(json_object_get(box->status, "ports"), index, item)
	{
		check_state(item, findings);
		check_punts(item, findings);
	}
	json_array_foreach(box->gateways, index, item)
	{
		check_gateway(box, item, findings);
	}
}
