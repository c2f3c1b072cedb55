// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Made-up cards against the decision table: what is chosen, why, and what would mend it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <net/if_arp.h>

#include "host/engine/afxdp_probe.h"
#include "host/engine/engine.h"
#include "host/engine/native_probe.h"
#include "host/engine/offload_probe.h"
#include "host/modes/choose.h"
#include "host/modes/driver.h"
#include "host/modes/xdp_features.h"

static const struct engine_ops native = { .name = "native",
					  .probe = native_probe,
					  .measured = native_probe_measured };
static const struct engine_ops generic = { .name = "generic",
					   .probe = native_probe_generic,
					   .measured = native_probe_measured_generic };
static const struct engine_ops afxdp = { .name = "afxdp",
					 .probe = afxdp_probe,
					 .measured = afxdp_probe_measured };
static const struct engine_ops *const engines[] = { &native, &afxdp, &generic, NULL };

static const struct engine_ops offload = { .name = "offload",
					   .place = ENGINE_PLACE_CARD,
					   .probe = offload_probe };
static const struct engine_ops *const with_cards[] = { &offload, &native, &afxdp, &generic, NULL };

static const struct platform new_kernel = {
	.release = "6.18.0", .version = 61800, .cpus = 4, .features = true, .xsk = true
};
static const struct platform old_kernel = {
	.release = "6.1.0-56-amd64", .version = 60100, .cpus = 4, .xsk = true
};

#define VETH_ALONE (XDP_FEATURE_BASIC | XDP_FEATURE_REDIRECT | XDP_FEATURE_RX_SG)
#define VETH_WHOLE (VETH_ALONE | XDP_FEATURE_NDO_XMIT | XDP_FEATURE_NDO_XMIT_SG)
#define NIC        (XDP_FEATURE_BASIC | XDP_FEATURE_REDIRECT | XDP_FEATURE_NDO_XMIT)

/* An Ethernet card as a new kernel describes it. */
static struct capability card(const char *driver, __u64 features)
{
	struct capability port = { .name = "eth0",
				   .ifindex = 2,
				   .type = ARPHRD_ETHER,
				   .up = true,
				   .carrier = true,
				   .mtu = 1500,
				   .lower_namespace = -1,
				   .features_known = true,
				   .features = features };

	snprintf(port.ethtool.driver, sizeof(port.ethtool.driver), "%s", driver);
	port.ethtool.queues = port.ethtool.combined = 4;
	port.ethtool.queues_max = 8;
	return port;
}

static struct capability old_card(const char *driver)
{
	struct capability port = card(driver, 0);

	port.features_known = false;
	return port;
}

static struct capability veth(__u64 features)
{
	struct capability port = card("veth", features);

	strcpy(port.kind, "veth");
	port.ethtool.queues = 1;
	return port;
}

static struct decision decision;

static void decide(const struct platform *platform, struct capability port, const char *wish)
{
	choose(engines, platform, &port, wish, true, &decision);
}

static const char *chosen(void)
{
	return decision.option[decision.chosen].mode;
}

#define expect_text(text, part) cr_expect_not_null(strstr(text, part), "'%s' does not say '%s'", text, part)

Test(choose, a_good_card_runs_native)
{
	decide(&new_kernel, card("ixgbe", NIC), "auto");
	cr_expect_str_eq(chosen(), "native");
	cr_expect(decision.egress.able.possible);
	cr_expect_not(decision.egress.frames);
	cr_expect_not(decision.refused);
	cr_expect_str_empty(decision.change);
	expect_text(decision.reason, "ixgbe runs XDP");
	cr_expect_eq(decision.count, 4);
	cr_expect_str_eq(decision.option[3].mode, "kernel");
	cr_expect(decision.option[3].probe.possible);
}

Test(choose, a_card_without_xdp_runs_generic_and_says_why)
{
	decide(&new_kernel, card("r8169", 0), "auto");
	cr_expect_str_eq(chosen(), "generic");
	expect_text(decision.reason, "native is not possible: driver r8169 has no native XDP");
	cr_expect_not(decision.egress.able.possible, "native peers cannot redirect to it");
}

/* The native driver of NFP cards cannot redirect. */
Test(choose, basic_xdp_is_not_enough)
{
	decide(&new_kernel, card("nfp", XDP_FEATURE_BASIC), "auto");
	cr_expect_str_eq(chosen(), "generic");
	expect_text(decision.option[0].probe.reason, "cannot redirect");
	decide(&old_kernel, old_card("nfp"), "auto");
	cr_expect_str_eq(chosen(), "generic");
	expect_text(decision.option[0].probe.reason, "cannot redirect");
}

Test(choose, old_kernels_are_served_from_a_table)
{
	decide(&old_kernel, old_card("i40e"), "auto");
	cr_expect_str_eq(chosen(), "native");
	cr_expect(decision.egress.able.possible);
	expect_text(decision.option[0].probe.reason, "from a table");
	decide(&old_kernel, old_card("made-up"), "auto");
	cr_expect_str_eq(chosen(), "generic");
	cr_expect_not(decision.egress.able.possible);
	expect_text(decision.egress.able.reason, "does not say whether driver made-up");
}

Test(choose, every_driver_of_the_table_gets_a_verdict)
{
	static const char *const names[] = { "i40e",      "ice",      "ixgbe",   "igb",  "igc",
					     "mlx5_core", "mlx4_en",  "bnxt_en", "ena",  "virtio_net",
					     "tun",       "nfp",      "sfc",     "qede", "mvneta",
					     "stmmac",    "hv_netvsc" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct driver *driver = driver_find(names[i]);

		cr_assert_not_null(driver, "%s", names[i]);
		decide(&old_kernel, old_card(names[i]), "auto");
		cr_expect_str_eq(chosen(), driver->features & XDP_FEATURE_REDIRECT ? "native" : "generic",
				 "%s", names[i]);
		cr_expect_eq(decision.egress.able.possible, !!(driver->features & XDP_FEATURE_NDO_XMIT), "%s",
			     names[i]);
	}
}

Test(choose, a_veth_whose_peer_cannot_take_frames_is_no_egress)
{
	struct capability port = veth(VETH_ALONE);

	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "native", "it still receives");
	cr_expect_not(decision.egress.able.possible);
	expect_text(decision.egress.able.reason, "neither XDP nor GRO");
	expect_text(decision.egress.able.fix, "ethtool -K PEER gro on");
	strcpy(port.lower_name, "d0");
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(decision.egress.able.fix, "ethtool -K d0 gro on");
	decide(&new_kernel, veth(VETH_WHOLE), "auto");
	cr_expect(decision.egress.able.possible);
	cr_expect(decision.egress.frames);
}

Test(choose, a_veth_on_an_old_kernel_depends_on_what_is_seen_of_its_peer)
{
	struct capability port = veth(0);

	port.features_known = false;
	decide(&old_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "native");
	cr_expect_not(decision.egress.able.possible);
	expect_text(decision.egress.able.reason, "cannot be found");
	port.peer_known = true;
	decide(&old_kernel, port, "auto");
	cr_expect_not(decision.egress.able.possible);
	expect_text(decision.egress.able.reason, "neither XDP nor GRO");
	port.peer_takes = true;
	decide(&old_kernel, port, "auto");
	cr_expect(decision.egress.able.possible);
	cr_expect(decision.egress.frames);
}

Test(choose, too_few_queues_make_no_egress)
{
	struct capability port = card("i40e", NIC);

	port.ethtool.queues = 2;
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "native");
	cr_expect_not(decision.egress.able.possible);
	expect_text(decision.egress.able.reason, "fewer queues (2) than CPUs (4)");
	cr_expect_str_eq(decision.egress.able.fix, "ethtool -L eth0 combined 4");
	port.ethtool.queues = 0; /* the driver does not say */
	decide(&new_kernel, port, "auto");
	cr_expect(decision.egress.able.possible);
	port = card("virtio_net", NIC);
	port.ethtool.queues = 1;
	decide(&new_kernel, port, "auto");
	cr_expect(decision.egress.able.possible, "shares a queue between CPUs");
}

/* virtio_net and others gain the feature with the program. */
Test(choose, some_drivers_tell_only_after_attaching)
{
	struct capability port = card("virtio_net", XDP_FEATURE_BASIC | XDP_FEATURE_REDIRECT);

	decide(&new_kernel, port, "auto");
	cr_expect_not(decision.egress.able.possible);
	expect_text(decision.egress.able.reason, "tells only when XDP runs on it");
	port.program.id = 5;
	port.program.ours = true;
	decide(&new_kernel, port, "auto");
	cr_expect_not(decision.egress.able.possible);
	expect_text(decision.egress.able.reason, "does not send redirected frames");
}

Test(choose, without_native_ports_every_port_is_an_egress)
{
	struct capability port = card("r8169", 0);

	choose(engines, &new_kernel, &port, "auto", false, &decision);
	cr_expect(decision.egress.able.possible);
}

Test(choose, jumbo_frames_need_several_buffers)
{
	struct capability port = card("ixgbe", NIC);

	port.mtu = 9000;
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "generic");
	expect_text(decision.option[0].probe.reason, "up to MTU 3046, eth0 has 9000");
	cr_expect_str_eq(decision.option[0].probe.fix, "ip link set dev eth0 mtu 3046");
	port.features |= XDP_FEATURE_RX_SG;
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "native");
	port.features &= ~(__u64)XDP_FEATURE_RX_SG;
	port.mtu = 3046;
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "native");
}

Test(choose, lro_is_named)
{
	struct capability port = card("virtio_net", NIC);

	port.ethtool.lro = true;
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "generic");
	cr_expect_str_eq(decision.option[0].probe.fix, "ethtool -K eth0 lro off");
}

Test(choose, hidden_tags_are_a_change)
{
	struct capability port = card("ixgbe", NIC);

	port.ethtool.rxvlan = true;
	decide(&new_kernel, port, "auto");
	expect_text(decision.change, "rxvlan off");
	port.ethtool.rxvlan = false;
	port.ethtool.rxvlan_service = true;
	decide(&new_kernel, port, "auto");
	expect_text(decision.change, "rxvlan off");
	decide(&new_kernel, port, "kernel");
	cr_expect_str_empty(decision.change, "the kernel needs no change");
	port.ethtool.rxvlan_service = false;
	port.ethtool.txvlan = port.ethtool.txvlan_service = true;
	decide(&new_kernel, port, "auto");
	cr_expect_str_empty(decision.change, "what is sent is seen before");
}

Test(choose, a_foreign_program_is_named_and_left_alone)
{
	struct capability port = card("ixgbe", NIC);

	port.program.id = 77;
	port.program.attached = CAPABILITY_ATTACH_GENERIC;
	strcpy(port.program.name, "xdp_dispatcher");
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "kernel");
	expect_text(decision.option[0].probe.reason, "'xdp_dispatcher' (id 77)");
	expect_text(decision.option[1].probe.reason, "'xdp_dispatcher' (id 77)");
	port.program.ours = true;
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "native");
}

Test(choose, place_matters)
{
	static const struct {
		const char *kind, *master, *master_kind, *reason;
	} cases[] = {
		{ "vlan", "", "", "is a VLAN of" },
		{ "bridge", "", "", "(bridge) is no network card" },
		{ "bond", "", "", "(bond) is no network card" },
		{ "macvlan", "", "", "(macvlan) is no network card" },
		{ "vrf", "", "", "(vrf) is no network card" },
		{ "dummy", "", "", "(dummy) is no network card" },
		{ "ifb", "", "", "(ifb) is no network card" },
		{ "vxlan", "", "", "(vxlan) is no network card" },
		{ "", "br0", "bridge", "belongs to bridge br0" },
		{ "", "bond0", "bond", "belongs to bond bond0" },
		{ "veth", "br0", "bridge", "belongs to bridge br0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capability port = card("x", VETH_WHOLE);

		strcpy(port.kind, cases[i].kind);
		strcpy(port.master, cases[i].master);
		strcpy(port.master_kind, cases[i].master_kind);
		decide(&new_kernel, port, "auto");
		cr_expect_str_eq(chosen(), "kernel", "%s %s", cases[i].kind, cases[i].master);
		expect_text(decision.option[0].probe.reason, cases[i].reason);
		expect_text(decision.option[1].probe.reason, cases[i].reason);
	}
}

Test(choose, a_vrf_as_master_is_no_obstacle)
{
	struct capability port = card("ixgbe", NIC);

	strcpy(port.master, "red");
	strcpy(port.master_kind, "vrf");
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "native");
}

Test(choose, what_is_no_ethernet_stays_in_the_kernel)
{
	struct capability port = card("tun", NIC);

	port.type = ARPHRD_NONE;
	decide(&new_kernel, port, "auto");
	cr_expect_str_eq(chosen(), "kernel");
	expect_text(decision.option[1].probe.reason, "no Ethernet interface");
}

Test(choose, an_interface_that_does_not_exist_has_no_mode)
{
	struct capability port = { .name = "eth9" };

	decide(&new_kernel, port, "auto");
	for (unsigned int i = 0; i < decision.count; i++) {
		cr_expect_not(decision.option[i].probe.possible);
		expect_text(decision.option[i].probe.reason, "no such interface");
	}
}

Test(choose, wishes_are_obeyed_or_refused)
{
	decide(&new_kernel, card("ixgbe", NIC), "generic");
	cr_expect_str_eq(chosen(), "generic");
	cr_expect_str_eq(decision.reason, "as configured");
	decide(&new_kernel, card("ixgbe", NIC), "kernel");
	cr_expect_str_eq(chosen(), "kernel");
	cr_expect_not(decision.refused);
	decide(&new_kernel, card("r8169", 0), "native");
	cr_expect(decision.refused);
	cr_expect_str_eq(chosen(), "kernel");
	expect_text(decision.reason, "native was asked for, but driver r8169 has no native XDP");
	decide(&new_kernel, card("ixgbe", NIC), "warp");
	cr_expect(decision.refused);
	expect_text(decision.reason, "no mode 'warp'");
}

static int bring_nothing(const struct config *config, const char *instance, struct why *why)
{
	return 0;
}

static void probe_device(const struct platform *platform, const struct capability *port, struct probe *ret)
{
	probe_yes(ret, "a device of its own");
}

/* Engines with devices of their own and the kernel's devices have nothing to do with each other. */
Test(choose, a_device_of_an_engine_is_for_that_engine_alone)
{
	static const struct engine_ops own = { .name = "own", .bring = bring_nothing, .probe = probe_device };
	static const struct engine_ops *const both[] = { &own, &native, &generic, NULL };
	struct capability port = card("tun", NIC);

	choose(both, &new_kernel, &port, "auto", true, &decision);
	cr_expect_str_eq(chosen(), "native");
	cr_expect_eq(decision.count, 3);
	expect_text(decision.reason, "the best there is");
	strcpy(port.device, "own:0");
	choose(both, &new_kernel, &port, "auto", true, &decision);
	cr_expect_str_eq(chosen(), "own");
	cr_expect_eq(decision.count, 2);
	cr_expect(decision.egress.able.possible);
	choose(both, &new_kernel, &port, "kernel", true, &decision);
	cr_expect_str_eq(chosen(), "kernel");
	cr_expect_not(decision.refused);
	choose(both, &new_kernel, &port, "native", true, &decision);
	cr_expect(decision.refused);
}

Test(choose, afxdp_by_itself_only_with_zero_copy)
{
	decide(&new_kernel, card("nfp", XDP_FEATURE_BASIC | XDP_FEATURE_XSK_ZEROCOPY), "auto");
	cr_expect_str_eq(chosen(), "afxdp", "it cannot redirect");
	expect_text(decision.option[1].probe.reason, "zero copy");
	decide(&new_kernel, card("nfp", XDP_FEATURE_BASIC), "auto");
	cr_expect_str_eq(chosen(), "generic");
	cr_expect(decision.option[1].probe.possible);
	expect_text(decision.option[1].probe.reason, "only when asked for");
	decide(&new_kernel, card("ixgbe", NIC | XDP_FEATURE_XSK_ZEROCOPY), "auto");
	cr_expect_str_eq(chosen(), "native");
	decide(&new_kernel, veth(VETH_WHOLE), "afxdp");
	cr_expect_str_eq(chosen(), "afxdp");
	cr_expect_not(decision.refused);
}

Test(choose, no_afxdp_without_its_sockets)
{
	struct platform platform = new_kernel;
	struct capability loopback = { .name = "lo", .ifindex = 1, .type = ARPHRD_LOOPBACK };

	platform.xsk = false;
	decide(&platform, card("ixgbe", NIC | XDP_FEATURE_XSK_ZEROCOPY), "afxdp");
	cr_expect(decision.refused);
	expect_text(decision.reason, "no AF_XDP sockets");
	expect_text(decision.option[1].probe.fix, "CAP_NET_RAW");
	platform = new_kernel;
	platform.version = 51700;
	decide(&platform, card("ixgbe", NIC), "afxdp");
	cr_expect(decision.refused);
	expect_text(decision.reason, "cannot take frames back");
	decide(&new_kernel, loopback, "afxdp");
	cr_expect(decision.refused);
	expect_text(decision.reason, "no Ethernet interface");
}

/* A card that runs programs, as Linux tells since 6.3. */
static struct capability nfp(const char *app)
{
	struct capability port = card("nfp", XDP_FEATURE_BASIC | XDP_FEATURE_REDIRECT);

	if (strcmp(app, "ebpf") == 0)
		port.features |= XDP_FEATURE_HW_OFFLOAD;
	strcpy(port.ethtool.app, app);
	return port;
}

static void decide_card(struct capability port, const char *wish)
{
	choose(with_cards, &new_kernel, &port, wish, true, &decision);
}

Test(choose, behind_a_card_is_the_best_engine_that_nobody_need_ask_for)
{
	struct capability port = nfp("ebpf");

	decide_card(port, "auto");
	cr_expect_str_eq(chosen(), "offload");
	cr_expect_eq(decision.card, &offload);
	cr_expect_eq(decision.host, &generic, "AF_XDP with copies only when asked for");
	cr_expect_eq(decision.tiers, 3);
	cr_expect_str_eq(decision.tier[1], "generic");
	port.features |= XDP_FEATURE_XSK_ZEROCOPY;
	decide_card(port, "offload");
	cr_expect_eq(decision.host, &afxdp);
	decide_card(port, "afxdp");
	cr_expect_null(decision.card);
	cr_expect_eq(decision.host, &afxdp);
	decide_card(port, "kernel");
	cr_expect_null(decision.card);
	cr_expect_null(decision.host);
}

Test(choose, cards_with_other_firmware_run_no_programs)
{
	decide_card(nfp("nic"), "auto");
	cr_expect_str_eq(chosen(), "generic");
	cr_expect_null(decision.card);
	expect_text(decision.option[0].probe.reason, "firmware runs no programs (nic)");
	expect_text(decision.option[0].probe.fix, "firmware with eBPF");
}

/* Other devices are spared a line about it, unless it was asked for. */
Test(choose, offload_is_no_matter_where_it_never_could_be)
{
	decide_card(card("ixgbe", NIC), "auto");
	cr_expect_str_eq(chosen(), "native");
	cr_expect_str_eq(decision.option[0].mode, "native");
	expect_text(decision.reason, "the best there is");
	decide_card(card("ixgbe", NIC), "offload");
	cr_expect(decision.refused);
	expect_text(decision.reason, "driver ixgbe cannot run programs on the device");
}

/* --- what was measured --- */

static struct platform measured_box(__u32 native_rate, __u32 generic_rate, __u32 afxdp_rate, __u32 hook_rate)
{
	struct platform box = new_kernel;

	box.capabilities = ~0ull;
	box.measured.native = native_rate;
	box.measured.generic = generic_rate;
	box.measured.afxdp = afxdp_rate;
	box.measured.afxdp_generic = hook_rate;
	return box;
}

static void decide_measured(__u32 native_rate, __u32 generic_rate, __u32 afxdp_rate, __u32 hook_rate,
			    struct capability port, const char *wish)
{
	struct platform box = measured_box(native_rate, generic_rate, afxdp_rate, hook_rate);

	decide(&box, port, wish);
}

Test(choose, a_measurement_overrules_the_order_by_a_fifth)
{
	decide_measured(1000000, 500000, 1200000, 1, veth(NIC), "auto");
	cr_expect_str_eq(chosen(), "afxdp");
	expect_text(decision.reason, "1.200 million packets a second, in mode native 1.000");
	cr_expect_str_eq(decision.tier[0], "afxdp");
	decide_measured(1000000, 500000, 1199999, 1, veth(NIC), "auto");
	cr_expect_str_eq(chosen(), "native");
	expect_text(decision.reason,
		    "the best there is: driver veth runs XDP; measured over veth here: 1.000");
	expect_text(decision.reason, "in mode afxdp 1.200");
}

Test(choose, a_port_without_xdp_in_its_driver_goes_by_the_generic_hook)
{
	struct capability port = card("r8169", 0);

	port.ethtool.rx_queues = 1;
	decide_measured(900000, 500000, 1, 600000, port, "auto");
	cr_expect_str_eq(chosen(), "afxdp");
	expect_text(decision.reason, "0.600 million packets a second, in mode generic 0.500");
	decide_measured(900000, 500000, 2000000, 1, port, "auto");
	cr_expect_str_eq(chosen(), "generic");
}

Test(choose, what_was_measured_does_not_concern_all)
{
	struct capability port = veth(NIC);

	port.ethtool.rx_queues = 2; /* all CPUs are busy then */
	decide_measured(1000000, 500000, 3000000, 1, port, "auto");
	cr_expect_str_eq(chosen(), "native");
	cr_expect_null(strstr(decision.reason, "measured"));
	decide_measured(1000000, 500000, 3000000, 1, veth(NIC), "generic");
	cr_expect_str_eq(decision.reason, "as configured");
	decide_measured(0, 0, 3000000, 1, veth(NIC), "auto"); /* half of it is missing */
	cr_expect_str_eq(chosen(), "native");
	cr_expect_null(strstr(decision.reason, "measured"));
	port = card("ixgbe", NIC | XDP_FEATURE_XSK_ZEROCOPY); /* no veth has that */
	port.ethtool.rx_queues = 1;
	decide_measured(1000000, 500000, 3000000, 3000000, port, "auto");
	cr_expect_str_eq(chosen(), "native");
}

/* Rights that were given up do not come back by a measurement. */
Test(choose, who_decided_against_it_goes_on_to_say_why)
{
	static const struct engine_ops entitled = { .name = "afxdp",
						    .rights = 1ull << 13, /* CAP_NET_RAW */
						    .probe = afxdp_probe,
						    .measured = afxdp_probe_measured };
	static const struct engine_ops *const list[] = { &native, &entitled, &generic, NULL };
	struct platform box = measured_box(1000000, 500000, 3000000, 1);
	struct capability port = veth(NIC);

	choose(list, &box, &port, "auto", true, &decision);
	cr_expect_str_eq(chosen(), "afxdp");
	box.capabilities = PLATFORM_RIGHTS;
	choose(list, &box, &port, "auto", true, &decision);
	cr_expect_str_eq(chosen(), "native");
	expect_text(decision.reason, "in mode afxdp 3.000");
}
