// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/cli/show.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "host/cli/cli.h"
#include "host/cli/client.h"
#include "host/cli/table.h"

/* One kind of thing that can be shown. */
struct topic {
	const char *name;
	const char *path;
	const char *list; /* key of the array in the answer */
	const struct table_column *columns;
};

static const struct table_column interface_columns[] = {
	{ "INTERFACE", "interface" }, { "PORT", "port" },       { "PARENT", "parent" },
	{ "VLAN", "vlan" },           { "TABLE", "table" },     { "FORWARD4", "forward4" },
	{ "FORWARD6", "forward6" },   { "INGRESS", "ingress" }, { "EGRESS", "egress" },
	{ "NEXTHOPS", "nexthops" },   { NULL, NULL },
};

static const struct table_column route_columns[] = {
	{ "PREFIX", "prefix" },       { "ACTION", "action" }, { "VIA", "via" },
	{ "INTERFACE", "interface" }, { "REASON", "reason" }, { "MTU", "mtu" },
	{ "NEXTHOP", "nexthop" },     { "ORIGIN", "origin" }, { NULL, NULL },
};

static const struct table_column nexthop_columns[] = {
	{ "NEXTHOP", "nexthop" },
	{ "ACTION", "action" },
	{ "VIA", "via" },
	{ "INTERFACE", "interface" },
	{ "MAC", "mac" },
	{ "MTU", "mtu" },
	{ "REASON", "reason" },
	{ "BUCKETS", "buckets" },
	{ "REFERENCES", "references" },
	{ NULL, NULL },
};

static const struct table_column neighbour_columns[] = {
	{ "ADDRESS", "address" }, { "INTERFACE", "interface" },   { "MAC", "mac" },
	{ "USABLE", "usable" },   { "GATEWAY OF", "gateway_of" }, { "HOST ROUTES", "hosts" },
	{ NULL, NULL },
};

static const struct table_column counter_columns[] = {
	{ "INTERFACE", "interface" },
	{ "REASON", "reason" },
	{ "ACTION", "action" },
	{ "PACKETS", "packets" },
	{ "BYTES", "bytes" },
	{ "MEANING", "text" },
	{ NULL, NULL },
};

static const struct table_column image_columns[] = {
	{ "PART", "part" }, { "USED", "used" }, { "OF", "total" }, { "PERCENT", "percent" }, { NULL, NULL },
};

static const struct table_column rule_columns[] = {
	{ "KIND", "kind" },
	{ "WHAT", "what" },
	{ "EFFECT", "effect" },
	{ NULL, NULL },
};

static const struct topic topics[] = {
	{ "interfaces", "/v1/interfaces", "interfaces", interface_columns },
	{ "routes", "/v1/routes", "routes", route_columns },
	{ "nexthops", "/v1/nexthops", "nexthops", nexthop_columns },
	{ "neighbours", "/v1/neighbours", "neighbours", neighbour_columns },
	{ "counters", "/v1/counters", "counters", counter_columns },
	{ "image", "/v1/image", "image", image_columns },
	{ "rules", "/v1/rules", "rules", rule_columns },
	{ NULL, NULL, NULL, NULL },
};

static const struct topic *find_topic(const char *word)
{
	for (const struct topic *topic = topics; topic->name; topic++)
		if (cli_matches(word, topic->name))
			return topic;
	return NULL;
}

static int fetch(const struct cli *cli, const char *path, json_t **ret)
{
	struct why why;

	if (client_get(cli->name, path, ret, &why) < 0)
		return cli_fail("%s", why.text);
	return CLI_DONE;
}

static int show_topic(const struct cli *cli, const struct topic *topic)
{
	json_t *answer;
	int status = fetch(cli, topic->path, &answer);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(cli, answer);
	table_print(stdout, topic->columns, json_object_get(answer, topic->list));
	json_decref(answer);
	return CLI_DONE;
}

/* --- routes come in pages --- */

struct listing {
	const struct cli *cli;
	const char *where; /* as a query */
	bool begun;        /* a row was printed */
};

/* Rows are printed as they come: a million of them are not kept. */
static void print_rows(struct listing *listing, json_t *rows)
{
	json_t *row;
	size_t index;

	if (!listing->cli->json) {
		table_print(stdout, route_columns, rows);
		return;
	}
	json_array_foreach(rows, index, row)
	{
		fputs(listing->begun ? ",\n" : "\n", stdout);
		(void)json_dumpf(row, stdout, JSON_COMPACT);
		listing->begun = true;
	}
}

static int show_page(struct listing *listing, int family, char *after, size_t size)
{
	char path[256], escaped[128];
	const char *next;
	json_t *answer;
	int status;

	client_escape(after, escaped, sizeof(escaped));
	snprintf(path, sizeof(path), "/v1/routes?family=%d&%s%s%s", family == AF_INET6 ? 6 : 4,
		 listing->where, *after ? "&after=" : "", escaped);
	status = fetch(listing->cli, path, &answer);
	if (status != CLI_DONE)
		return status;
	print_rows(listing, json_object_get(answer, "routes"));
	next = json_string_value(json_object_get(answer, "next"));
	snprintf(after, size, "%s", next ? next : "");
	json_decref(answer);
	return CLI_DONE;
}

static int show_family(struct listing *listing, int family)
{
	char after[64] = "";
	int status;

	if (listing->cli->family && listing->cli->family != family)
		return CLI_DONE;
	do
		status = show_page(listing, family, after, sizeof(after));
	while (status == CLI_DONE && *after);
	return status;
}

/* "table 254" or "vrf NAME" as a query. */
static int parse_where(int argc, char **argv, char *ret, size_t size)
{
	char value[64];

	if (argc == 0) {
		snprintf(ret, size, "table=254");
		return CLI_DONE;
	}
	if (argc != 2)
		return cli_usage("after 'routes' comes nothing, 'table NUMBER' or 'vrf NAME'");
	if (!cli_matches(argv[0], "table") && !cli_matches(argv[0], "vrf"))
		return cli_usage("'%s' is not understood here; use 'table NUMBER' or 'vrf NAME'", argv[0]);
	client_escape(argv[1], value, sizeof(value));
	snprintf(ret, size, "%s=%s", cli_matches(argv[0], "table") ? "table" : "vrf", value);
	return CLI_DONE;
}

static int show_routes_command(const struct cli *cli, int argc, char **argv)
{
	char where[80];
	struct listing listing = { .cli = cli, .where = where };
	int status = parse_where(argc, argv, where, sizeof(where));

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		fputs("{\"routes\":[", stdout);
	status = show_family(&listing, AF_INET);
	if (status == CLI_DONE)
		status = show_family(&listing, AF_INET6);
	if (cli->json)
		fputs("]}\n", stdout);
	if (status == CLI_DONE && (ferror(stdout) || fflush(stdout) == EOF))
		return cli_fail("cannot write to stdout");
	return status;
}

int show_command(int argc, char **argv)
{
	const struct topic *topic;
	struct cli cli;
	int first = cli_parse(argc, argv, "jp46n", &cli);

	if (first < 0)
		return -first;
	if (first == argc)
		return cli_usage(
			"show what? interfaces, routes, nexthops, neighbours, counters, image or rules");
	topic = find_topic(argv[first]);
	if (!topic)
		return cli_usage(
			"there is no '%s' to show; interfaces, routes, nexthops, neighbours, counters, image "
			"or rules",
			argv[first]);
	if (strcmp(topic->name, "routes") == 0)
		return show_routes_command(&cli, argc - first - 1, argv + first + 1);
	if (first + 1 < argc)
		return cli_usage("'%s' is not understood after '%s'", argv[first + 1], topic->name);
	return show_topic(&cli, topic);
}

/* --- lookup --- */

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static void print_via(json_t *object)
{
	if (json_is_string(json_object_get(object, "via")))
		printf(" via %s", text_of(object, "via"));
	if (json_is_string(json_object_get(object, "interface")))
		printf(" dev %s", text_of(object, "interface"));
}

static void print_answer(json_t *answer)
{
	const char *action = text_of(answer, "action");
	json_t *member;
	size_t index;

	printf("%s ", text_of(answer, "address"));
	if (json_is_string(json_object_get(answer, "from")))
		printf("from %s ", text_of(answer, "from"));
	if (strcmp(action, "forward") == 0) {
		printf("is forwarded by penstock");
		print_via(answer);
		printf(" mac %s mtu %" JSON_INTEGER_FORMAT, text_of(answer, "mac"),
		       json_integer_value(json_object_get(answer, "mtu")));
	} else if (strcmp(action, "group") == 0) {
		printf("is forwarded by penstock over one of");
	} else {
		printf("%s: %s (%s)", strcmp(action, "drop") == 0 ? "is dropped" : "goes to the kernel",
		       text_of(answer, "text"), text_of(answer, "reason"));
	}
	if (json_is_string(json_object_get(answer, "prefix")))
		printf("%s route %s", strcmp(action, "group") == 0 ? " the paths of" : ";",
		       text_of(answer, "prefix"));
	printf(", table %" JSON_INTEGER_FORMAT "\n", json_integer_value(json_object_get(answer, "table")));
	json_array_foreach(json_object_get(answer, "members"), index, member)
	{
		printf("   ");
		print_via(member);
		printf(" weight %" JSON_INTEGER_FORMAT "%s%s\n",
		       json_integer_value(json_object_get(member, "weight")),
		       json_object_get(member, "reason") ? " to the kernel: " : "",
		       json_object_get(member, "reason") ? text_of(member, "text") : "");
	}
}

static int parse_lookup(int argc, char **argv, char *path, size_t size)
{
	char value[200];
	size_t length;

	client_escape(argv[0], value, sizeof(value));
	length = (size_t)snprintf(path, size, "/v1/lookup?address=%s", value);
	for (int i = 1; i < argc; i += 2) {
		const char *key = cli_matches(argv[i], "from")    ? "from"
				  : cli_matches(argv[i], "vrf")   ? "vrf"
				  : cli_matches(argv[i], "table") ? "table"
								  : NULL;

		if (!key || i + 1 == argc)
			return cli_usage(
				"after the address comes 'from INTERFACE', 'vrf NAME' or 'table NUMBER', not "
				"'%s'",
				argv[i]);
		client_escape(argv[i + 1], value, 64);
		length += (size_t)snprintf(path + length, size - length, "&%s=%s", key, value);
	}
	return CLI_DONE;
}

int lookup_command(int argc, char **argv)
{
	char path[1024];
	json_t *answer;
	struct cli cli;
	int first = cli_parse(argc, argv, "jpn", &cli);
	int status;

	if (first < 0)
		return -first;
	if (first == argc)
		return cli_usage(
			"lookup needs an address: penstock lookup ADDRESS [from INTERFACE] [vrf NAME]");
	if (argc - first > 7)
		return cli_usage("'%s' is too much", argv[first + 7]);
	status = parse_lookup(argc - first, argv + first, path, sizeof(path));
	if (status == CLI_DONE)
		status = fetch(&cli, path, &answer);
	if (status != CLI_DONE)
		return status;
	if (cli.json)
		return cli_print_json(&cli, answer);
	print_answer(answer);
	json_decref(answer);
	return CLI_DONE;
}
