// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/cli/status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/cli/cli.h"
#include "host/cli/client.h"

#define PUNTS_SHOWN 6
#define LOG_SHOWN   3

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static json_int_t number_of(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* "12 s", "5 min", "3 h", "2 d" */
static void print_age(json_int_t since)
{
	json_int_t age = (json_int_t)time(NULL) - since;

	if (age < 0)
		age = 0;
	if (age < 120)
		printf("%lld s", (long long)age);
	else if (age < 7200)
		printf("%lld min", (long long)age / 60);
	else if (age < 172800)
		printf("%lld h", (long long)age / 3600);
	else
		printf("%lld d", (long long)age / 86400);
}

/* The commonest reasons; what to do about those that go on. */
static void print_punts(json_t *port)
{
	json_t *punts = json_object_get(port, "punts"), *punt;
	size_t index;

	json_array_foreach(punts, index, punt)
	{
		double rate = json_real_value(json_object_get(punt, "rate"));

		if (index == PUNTS_SHOWN) {
			printf("    and %zu rarer reasons; see: penstock show counters\n",
			       json_array_size(punts) - index);
			break;
		}
		printf("    to the kernel %lld", (long long)number_of(punt, "packets"));
		if (rate >= 0.5)
			printf(", now %.0f/s", rate);
		printf(": %s (%s)\n", text_of(punt, "text"), text_of(punt, "reason"));
		if (rate >= 0.5 && json_is_string(json_object_get(punt, "todo")))
			printf("        what to do: %s\n", text_of(punt, "todo"));
	}
}

static void print_hold(json_t *hold)
{
	if (!json_is_object(hold))
		return;
	printf("    all packets stay in the kernel: %s (%s)", text_of(hold, "text"), text_of(hold, "reason"));
	if (json_is_string(json_object_get(hold, "detail")))
		printf(": %s", text_of(hold, "detail"));
	putchar('\n');
}

static void print_egress(json_t *port)
{
	json_t *egress = json_object_get(port, "egress");

	if (strcmp(text_of(port, "state"), "running") != 0 ||
	    json_is_true(json_object_get(egress, "possible")))
		return;
	printf("    no egress: %s", text_of(egress, "reason"));
	if (json_is_string(json_object_get(egress, "fix")))
		printf("; fix: %s", text_of(egress, "fix"));
	putchar('\n');
}

static void print_tags(json_t *port)
{
	json_t *tags = json_object_get(port, "tags");

	if (strcmp(text_of(port, "state"), "running") != 0 || json_is_true(json_object_get(tags, "in_frame")))
		return;
	printf("    VLANs: all packets that come in go to the kernel: %s; fix: %s\n", text_of(tags, "reason"),
	       text_of(tags, "fix"));
}

/* How much of the tables the card has, and what it did by itself. */
static void print_card(json_t *card)
{
	if (!json_is_object(card))
		return;
	printf("    card %s: ", text_of(card, "name"));
	if (json_is_true(json_object_get(card, "running")))
		printf("forwards, behind it %s", text_of(card, "behind"));
	else
		printf("does not forward, %s does", text_of(card, "behind"));
	if (json_is_string(json_object_get(card, "why")))
		printf(": %s", text_of(card, "why"));
	printf("; %lld packets forwarded, %lld passed on", (long long)number_of(card, "forwarded"),
	       (long long)number_of(card, "passed_on"));
	if (number_of(card, "steered_queues"))
		printf(", over %lld queues", (long long)number_of(card, "steered_queues"));
	if (number_of(card, "node_total"))
		printf("; %lld of %lld nodes and %lld of %lld cells used",
		       (long long)number_of(card, "node_used"), (long long)number_of(card, "node_total"),
		       (long long)number_of(card, "run_used"), (long long)number_of(card, "run_total"));
	if (number_of(card, "punted"))
		printf("; %lld parts of the tables have no room and are left to %s",
		       (long long)number_of(card, "punted"), text_of(card, "behind"));
	if (number_of(card, "groups_punted"))
		printf("; %lld groups of next hops have no room and are left to %s",
		       (long long)number_of(card, "groups_punted"), text_of(card, "behind"));
	putchar('\n');
}

static void print_port(json_t *port)
{
	printf("%s: %s", text_of(port, "interface"), text_of(port, "mode"));
	if (json_is_string(json_object_get(port, "how")))
		printf(" [%s]", text_of(port, "how"));
	printf(" for ");
	print_age(number_of(port, "since"));
	printf(" (%s)", text_of(port, "why"));
	if (!json_is_true(json_object_get(port, "carrier")))
		printf(", %s", json_is_true(json_object_get(port, "up")) ? "no carrier" : "down");
	printf("\n    %.0f packets/s forwarded, %.0f to the kernel; %lld and %lld in all\n",
	       json_real_value(json_object_get(port, "forwarded_rate")),
	       json_real_value(json_object_get(port, "punted_rate")), (long long)number_of(port, "forwarded"),
	       (long long)number_of(port, "punted"));
	print_card(json_object_get(port, "card"));
	print_hold(json_object_get(port, "hold"));
	print_egress(port);
	print_tags(port);
	print_punts(port);
}

static void print_mirror(json_t *mirror)
{
	json_t *audit = json_object_get(mirror, "audit");

	printf("mirror: %s", text_of(mirror, "summary"));
	if (number_of(audit, "differences"))
		printf("; the audit found and mended %lld differences",
		       (long long)number_of(audit, "differences"));
	putchar('\n');
}

static void print_tables(json_t *tables)
{
	json_t *part;
	size_t index;

	printf("tables: %lld IPv4 and %lld IPv6 routes", (long long)number_of(tables, "routes4"),
	       (long long)number_of(tables, "routes6"));
	if (number_of(tables, "punted_routes"))
		printf(", %lld of them in the kernel for want of room",
		       (long long)number_of(tables, "punted_routes"));
	printf("; full to");
	json_array_foreach(json_object_get(tables, "image"), index, part)
	{
		printf("%s %.1f%% %s", index ? "," : "", json_real_value(json_object_get(part, "percent")),
		       text_of(part, "part"));
	}
	putchar('\n');
}

static void print_log(json_t *log)
{
	size_t size = json_array_size(log);

	for (size_t i = size > LOG_SHOWN ? size - LOG_SHOWN : 0; i < size; i++) {
		json_t *entry = json_array_get(log, i);

		printf("%s, ", text_of(entry, "level"));
		print_age(number_of(entry, "time"));
		printf(" ago: %s\n", text_of(entry, "text"));
	}
}

static void print_status(json_t *status)
{
	json_t *port;
	size_t index;

	printf("penstock %s, pid %lld, name %s: %s", text_of(status, "penstock"),
	       (long long)number_of(status, "pid"), text_of(status, "name"), text_of(status, "state"));
	if (json_is_integer(json_object_get(status, "ready"))) {
		printf(" for ");
		print_age(number_of(status, "ready"));
	}
	putchar('\n');
	print_mirror(json_object_get(status, "mirror"));
	print_tables(json_object_get(status, "tables"));
	json_array_foreach(json_object_get(status, "ports"), index, port)
	{
		print_port(port);
	}
	print_log(json_object_get(status, "log"));
}

/* A command without words after it: asks, and prints the answer. */
static int bare_command(int argc, char **argv,
			int (*ask)(const char *name, const char *path, json_t **ret, struct why *why),
			const char *path, void (*print)(json_t *answer))
{
	struct why why;
	struct cli cli;
	json_t *answer;
	int first = cli_parse(argc, argv, "jpn", &cli);

	if (first < 0)
		return -first;
	if (first < argc)
		return cli_usage("'%s' is not understood after '%s'", argv[first], argv[0]);
	if (ask(cli.name, path, &answer, &why) < 0)
		return cli_fail("%s", why.text);
	if (cli.json)
		return cli_print_json(&cli, answer);
	print(answer);
	json_decref(answer);
	return CLI_DONE;
}

int status_command(int argc, char **argv)
{
	return bare_command(argc, argv, client_get, "/v1/status", print_status);
}

/* The last figures of an audit that has ended. */
static int wait_audit(const struct cli *cli, json_t **ret, struct why *why)
{
	static const struct timespec pause = { .tv_nsec = 100000000 };
	int error;

	for (;;) {
		error = client_get(cli->name, "/v1/audit", ret, why);
		if (error < 0 || !json_is_true(json_object_get(*ret, "running")))
			return error;
		json_decref(*ret);
		(void)nanosleep(&pause, NULL);
	}
}

static void print_audit(json_t *answer)
{
	json_t *run = json_object_get(answer, "run"), *difference;
	size_t index;

	printf("%lld samples: %lld as the kernel does, %lld left to it, %lld not comparable, %lld "
	       "different\n",
	       (long long)number_of(run, "samples"), (long long)number_of(run, "same"),
	       (long long)number_of(run, "left"), (long long)number_of(run, "skipped"),
	       (long long)number_of(run, "differences"));
	json_array_foreach(json_object_get(answer, "differences"), index, difference)
	{
		printf("    %s\n", json_string_value(difference));
	}
}

int audit_command(int argc, char **argv)
{
	char path[128] = "/v1/audit", samples[64];
	struct why why;
	struct cli cli;
	json_t *answer;
	bool clean;
	int first = cli_parse(argc, argv, "jpn", &cli);

	if (first < 0)
		return -first;
	if (first + 1 < argc)
		return cli_usage("'%s' is not understood after '%s'", argv[first + 1], argv[first]);
	if (first < argc) {
		client_escape(argv[first], samples, sizeof(samples));
		snprintf(path, sizeof(path), "/v1/audit?samples=%s", samples);
	}
	if (client_post(cli.name, path, &answer, &why) < 0)
		return cli_fail("%s", why.text);
	json_decref(answer);
	if (wait_audit(&cli, &answer, &why) < 0)
		return cli_fail("%s", why.text);
	clean = number_of(json_object_get(answer, "run"), "differences") == 0;
	if (cli.json)
		return cli_print_json(&cli, answer) == CLI_DONE && clean ? CLI_DONE : CLI_FAILED;
	print_audit(answer);
	json_decref(answer);
	return clean ? CLI_DONE : CLI_FAILED;
}

static void print_reload(json_t *answer)
{
	printf("%s\n", text_of(answer, "summary"));
}

int reload_command(int argc, char **argv)
{
	return bare_command(argc, argv, client_post, "/v1/reload", print_reload);
}
