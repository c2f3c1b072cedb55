// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * `penstock plan`: the decision table of each interface, without touching anything.
 */
#include "host/cli/plan.h"

#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/config.h"
#include "host/engine/engine.h"
#include "host/modes/choose.h"
#include "host/modes/xdp_features.h"

static json_t *feature_names(const struct capability *port)
{
	static const char *const names[] = { "basic",      "redirect", "ndo-xmit",   "xsk-zerocopy",
					     "hw-offload", "rx-sg",    "ndo-xmit-sg" };
	json_t *list;

	if (!port->features_known)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (port->features & 1ull << i)
			json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *probe_document(const struct probe *probe)
{
	return json_pack("{s:b, s:s, s:o}", "possible", probe->possible, "reason", probe->reason, "fix",
			 text_or_null(probe->fix));
}

static json_t *fact_document(const struct capability *port)
{
	const struct ethtool_facts *ethtool = &port->ethtool;

	return json_pack(
		"{s:i, s:i, s:b, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:i, s:i, s:o, s:o}",
		"ifindex", (int)port->ifindex, "type", port->type, "up", port->up, "carrier", port->carrier,
		"mtu", (int)port->mtu, "kind", text_or_null(port->kind), "driver",
		text_or_null(ethtool->driver), "firmware", text_or_null(ethtool->firmware), "lower",
		text_or_null(port->lower_name), "master", text_or_null(port->master), "master_kind",
		text_or_null(port->master_kind), "rxvlan", ethtool->rxvlan, "lro", ethtool->lro, "gro",
		ethtool->gro, "queues", (int)ethtool->queues, "queues_max", (int)ethtool->queues_max,
		"xdp_features", feature_names(port), "xdp_program",
		port->program.id ? json_pack("{s:i, s:s, s:b}", "id", (int)port->program.id, "name",
					     port->program.name, "ours", port->program.ours)
				 : json_null());
}

static json_t *port_document(const struct capability *port, const struct decision *decision)
{
	json_t *options = json_array();

	for (unsigned int i = 0; i < decision->count; i++) {
		json_t *option = probe_document(&decision->option[i].probe);

		json_object_set_new(option, "mode", json_string(decision->option[i].mode));
		json_array_append_new(options, option);
	}
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "interface", port->name, "mode",
			 decision->option[decision->chosen].mode, "reason", decision->reason, "options",
			 options, "egress", probe_document(&decision->egress.able), "change",
			 text_or_null(decision->change), "facts", fact_document(port));
}

static void print_probe(const char *what, const struct probe *probe)
{
	printf("    %-8s %-3s  %s%s%s\n", what, probe->possible ? "yes" : "no", probe->reason,
	       *probe->fix ? "; fix: " : "", probe->fix);
}

static void print_port(const struct capability *port, const struct decision *decision)
{
	printf("%s: %s (%s)\n", port->name, decision->option[decision->chosen].mode, decision->reason);
	for (unsigned int i = 0; i < decision->count; i++)
		print_probe(decision->option[i].mode, &decision->option[i].probe);
	if (decision->option[decision->chosen].engine)
		print_probe("egress", &decision->egress.able);
	if (*decision->change)
		printf("    %-8s      %s\n", "change", decision->change);
}

struct plan {
	struct cli cli;
	struct platform platform;
	struct xdp_features *features; /* NULL: the kernel does not tell */
	json_t *ports;
};

static int plan_port(struct plan *plan, const char *name)
{
	struct capability port;
	struct decision decision;

	if (capability_read(name, plan->features, &port) < 0)
		return cli_fail("%s: there is no such interface here; see: ip link", name);
	choose(engine_list, &plan->platform, &port, "auto", true, &decision);
	if (plan->cli.json)
		json_array_append_new(plan->ports, port_document(&port, &decision));
	else
		print_port(&port, &decision);
	return CLI_DONE;
}

/* Without arguments: every interface but loopback. */
static int plan_all(struct plan *plan)
{
	char **names;
	int count = capability_list(&names);

	if (count < 0)
		return cli_fail("cannot list interfaces: %s", strerror(-count));
	for (int i = 0; i < count; i++) {
		struct capability port;

		if (capability_read_plain(names[i], NULL, &port) == 0 && port.type != ARPHRD_LOOPBACK)
			(void)plan_port(plan, names[i]); /* it may go while we look */
		free(names[i]);
	}
	free(names);
	return CLI_DONE;
}

static int finish(struct plan *plan, int status)
{
	struct why why = { "" };
	bool runs = platform_check(&plan->platform, NULL, &why) == 0;
	json_t *document;

	xdp_features_close(plan->features);
	if (!plan->cli.json) {
		if (!runs)
			printf("penstock run would refuse: %s\n", why.text);
		return status;
	}
	if (status != CLI_DONE) {
		json_decref(plan->ports);
		return status;
	}
	document = json_pack("{s:i, s:{s:s, s:i, s:b, s:o, s:o}, s:o}", "version", 1, "platform", "kernel",
			     plan->platform.release, "cpus", (int)plan->platform.cpus, "tells_features",
			     plan->platform.features, "bpffs", text_or_null(plan->platform.bpffs), "refusal",
			     text_or_null(why.text), "ports", plan->ports);
	return cli_print_json(&plan->cli, document);
}

int plan_command(int argc, char **argv)
{
	struct plan plan = { 0 };
	int first = cli_parse(argc, argv, "jp", &plan.cli);
	int status = CLI_DONE;

	if (first < 0)
		return -first;
	platform_read(NULL, &plan.platform);
	if (plan.platform.features)
		(void)xdp_features_open(&plan.features); /* stays NULL: the table serves */
	if (plan.cli.json)
		plan.ports = json_array();
	if (first == argc)
		status = plan_all(&plan);
	for (int i = first; i < argc; i++) {
		int result = plan_port(&plan, argv[i]);

		if (result != CLI_DONE)
			status = result;
	}
	return finish(&plan, status);
}
