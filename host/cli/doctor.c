// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * `penstock doctor`: what is wrong or suspicious on this box, and what mends it. Works with and without a
 * daemon; looks at the ports named, else at the daemon's, else at every interface that could be a port.
 */
#include "host/cli/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/client.h"
#include "host/doctor/box.h"
#include "host/doctor/check.h"
#include "host/modes/xdp_features.h"

#define LIMIT 512 /* findings */

struct doctor {
	struct cli cli;
	struct box box;
	struct xdp_features *features; /* NULL: the kernel does not tell */
	struct finding list[LIMIT];
	struct findings findings;
};

static void ask_daemon(struct doctor *doctor)
{
	struct why why;
	json_t *answer;

	if (client_get(doctor->cli.name, "/v1/status", &doctor->box.status, &why) < 0) {
		doctor->box.status = NULL;
		return;
	}
	if (client_get(doctor->cli.name, "/v1/neighbours", &answer, &why) < 0)
		return;
	doctor->box.gateways = json_incref(json_object_get(answer, "neighbours"));
	json_decref(answer);
}

static int look_at(struct doctor *doctor, const char *name)
{
	struct box_port port;

	if (box_read_port(&doctor->box, doctor->features, name, &port) < 0)
		return cli_fail("%s: there is no such interface here; see: ip link", name);
	check_port(&doctor->box, &port, &doctor->findings);
	return CLI_DONE;
}

/* What could be a port and is in use: up, and an engine would serve it. */
static void look_at_all(struct doctor *doctor)
{
	char **names;
	int count = capability_list(&names);

	for (int i = 0; i < count; i++) {
		struct box_port port;

		if (box_read_port(&doctor->box, doctor->features, names[i], &port) == 0 && port.facts.up &&
		    port.decision.option[port.decision.chosen].engine)
			check_port(&doctor->box, &port, &doctor->findings);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

static int look_at_ports(struct doctor *doctor, int count, char **names)
{
	json_t *ports = json_object_get(doctor->box.status, "ports"), *port;
	int status = CLI_DONE;
	size_t index;

	for (int i = 0; i < count && status == CLI_DONE; i++)
		status = look_at(doctor, names[i]);
	if (count)
		return status;
	if (!json_array_size(ports))
		look_at_all(doctor);
	json_array_foreach(ports, index, port)
	{
		const char *name = json_string_value(json_object_get(port, "interface"));
		struct box_port facts;

		/* one that is absent is said so by the daemon */
		if (name && box_read_port(&doctor->box, doctor->features, name, &facts) == 0)
			check_port(&doctor->box, &facts, &doctor->findings);
	}
	return CLI_DONE;
}

static unsigned int count_weight(const struct findings *findings, enum finding_weight weight)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < finding_listed(findings); i++)
		count += findings->list[i].weight == weight;
	return count;
}

static int print_json(const struct doctor *doctor)
{
	const struct findings *findings = &doctor->findings;
	json_t *list = json_array();

	for (unsigned int i = 0; i < finding_listed(findings); i++) {
		const struct finding *finding = &findings->list[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?}", "weight",
						      finding_weight_name(finding->weight), "object",
						      finding->object, "text", finding->text, "fix",
						      *finding->fix ? finding->fix : NULL));
	}
	return cli_print_json(&doctor->cli,
			      json_pack("{s:i, s:b, s:i, s:i, s:i, s:o}", "version", 1, "daemon",
					doctor->box.status != NULL, "wrong",
					(int)count_weight(findings, FINDING_WRONG), "suspicious",
					(int)count_weight(findings, FINDING_SUSPICIOUS), "hints",
					(int)count_weight(findings, FINDING_HINT), "findings", list));
}

static void print_weight(const struct findings *findings, enum finding_weight weight)
{
	for (unsigned int i = 0; i < finding_listed(findings); i++) {
		const struct finding *finding = &findings->list[i];

		if (finding->weight != weight)
			continue;
		printf("%-10s  %s: %s\n", finding_weight_name(weight), finding->object, finding->text);
		if (*finding->fix)
			printf("            fix: %s\n", finding->fix);
	}
}

static void print_text(const struct doctor *doctor)
{
	const struct findings *findings = &doctor->findings;

	for (enum finding_weight weight = FINDING_WRONG; weight <= FINDING_HINT; weight++)
		print_weight(findings, weight);
	printf("%u wrong, %u suspicious, %u hints%s\n", count_weight(findings, FINDING_WRONG),
	       count_weight(findings, FINDING_SUSPICIOUS), count_weight(findings, FINDING_HINT),
	       doctor->box.status ? "" : "; no daemon runs here");
	if (findings->count > findings->limit)
		printf("(%u more are not shown)\n", findings->count - findings->limit);
}

static int finish(struct doctor *doctor, int status)
{
	bool bad = count_weight(&doctor->findings, FINDING_WRONG) ||
		   count_weight(&doctor->findings, FINDING_SUSPICIOUS);

	xdp_features_close(doctor->features);
	if (status == CLI_DONE && doctor->cli.json)
		status = print_json(doctor);
	else if (status == CLI_DONE)
		print_text(doctor);
	box_free(&doctor->box);
	free(doctor);
	return status == CLI_DONE && bad ? CLI_FAILED : status;
}

int doctor_command(int argc, char **argv)
{
	struct doctor *doctor = calloc(1, sizeof(*doctor));
	int first, error;

	if (!doctor)
		return cli_fail("out of memory");
	first = cli_parse(argc, argv, "jpn", &doctor->cli);
	error = first < 0 ? 0 : box_read(NULL, &doctor->box);
	if (first < 0 || error < 0) {
		free(doctor);
		return first < 0 ? -first : cli_fail("cannot look at this box: %s", strerror(-error));
	}
	doctor->findings = (struct findings){ doctor->list, LIMIT, 0 };
	if (doctor->box.platform.features)
		(void)xdp_features_open(&doctor->features); /* stays NULL: the table serves */
	ask_daemon(doctor);
	check_box(&doctor->box, &doctor->findings);
	check_daemon(&doctor->box, &doctor->findings);
	return finish(doctor, look_at_ports(doctor, argc - first, argv + first));
}
