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
#include "host/modes/decision_json.h"
#include "host/modes/explain.h"
#include "host/modes/fact.h"
#include "host/modes/xdp_features.h"

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *program_document(const struct capability *port)
{
	if (!port->program.id)
		return json_null();
	return json_pack("{s:i, s:s, s:b}", "id", (int)port->program.id, "name", port->program.name, "ours",
			 port->program.ours);
}

static json_t *fact_document(const struct capability *port)
{
	json_t *facts = fact_json(fact_port, port);

	json_object_set_new(facts, "xdp_program", program_document(port));
	return facts;
}

static json_t *note_document(const struct decision *decision)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < decision->notes; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "weight",
						      finding_weight_name(decision->note[i].weight), "text",
						      decision->note[i].text, "fix",
						      text_or_null(decision->note[i].fix)));
	return list;
}

static json_t *port_document(const struct capability *port, const struct decision *decision)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s?, s:o}", "interface", port->name,
			 "mode", decision->option[decision->chosen].mode, "reason", decision->reason,
			 "options", decision_json_options(decision), "egress",
			 decision_json_probe(&decision->egress.able), "change",
			 text_or_null(decision->change), "tiers", decision_json_tiers(decision), "notes",
			 note_document(decision), "effect", decision->effect, "facts", fact_document(port));
}

/* What is not as with an ordinary card on an ordinary box. */
static void print_facts(const struct platform *platform, const struct capability *port)
{
	struct capability usual_port;
	struct platform usual_platform;

	fact_default_platform(&usual_platform);
	fact_default_port(&usual_port);
	fact_print(fact_platform, platform, &usual_platform, stdout);
	fact_print(fact_port, port, &usual_port, stdout);
	putchar('\n');
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

	if (strncmp(name, CONFIG_DEVICE_PREFIX, strlen(CONFIG_DEVICE_PREFIX)) == 0) {
		memset(&port, 0, sizeof(port));
		snprintf(port.name, sizeof(port.name), "dp0");
		snprintf(port.device, sizeof(port.device), "%s", name);
	} else if (capability_read_all(name, plan->features, &port) < 0)
		return cli_fail("%s: there is no such interface here; see: ip link", name);
	if (plan->cli.facts) {
		print_facts(&plan->platform, &port);
		return CLI_DONE;
	}
	choose(engine_list, &plan->platform, &port, "auto", true, &decision);
	if (plan->cli.json)
		json_array_append_new(plan->ports, port_document(&port, &decision));
	else
		explain_port(&port, &decision, stdout);
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
	json_t *platform, *document;

	xdp_features_close(plan->features);
	if (!plan->cli.json) {
		if (!runs && !plan->cli.facts)
			printf("penstock run would refuse: %s\n", why.text);
		return status;
	}
	if (status != CLI_DONE) {
		json_decref(plan->ports);
		return status;
	}
	platform = fact_json(fact_platform, &plan->platform);
	json_object_set_new(platform, "refusal", text_or_null(why.text));
	document = json_pack("{s:i, s:o, s:o}", "version", 1, "platform", platform, "ports", plan->ports);
	return cli_print_json(&plan->cli, document);
}

int plan_command(int argc, char **argv)
{
	struct plan plan = { 0 };
	int first = cli_parse(argc, argv, "jpf", &plan.cli);
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
