// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/world_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#define SPACE " \t\n"

struct reader {
	struct world *world;
	const char *path;
	int line;
	bool failed;
};

static void fail(struct reader *reader, const char *what, const char *word)
{
	if (!reader->failed)
		fprintf(stderr, "%s:%d: %s: %s\n", reader->path, reader->line, what, word ? word : "nothing");
	reader->failed = true;
}

static const char *next(void)
{
	return strtok(NULL, SPACE);
}

static __u32 next_number(struct reader *reader)
{
	const char *word = next();

	if (!word || word[0] < '0' || word[0] > '9')
		fail(reader, "a number is wanted, not", word);
	return word ? strtoul(word, NULL, 0) : 0;
}

static void next_mac(struct reader *reader, __u8 mac[6])
{
	const char *word = next();

	if (!word || sscanf(word, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
			    &mac[4], &mac[5]) != 6)
		fail(reader, "a link address is wanted, not", word);
}

// An address, with or without a length.
static struct world_prefix parse_prefix(struct reader *reader, const char *word)
{
	struct world_prefix prefix = { 0 };
	char address[64];
	char *slash;

	snprintf(address, sizeof(address), "%s", word ? word : "");
	slash = strchr(address, '/');
	if (slash)
		*slash = '\0';
	prefix.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	prefix.length = slash ? atoi(slash + 1) : prefix.family == AF_INET ? 32 : 128;
	if (inet_pton(prefix.family, address, prefix.address) != 1)
		fail(reader, "an address is wanted, not", word);
	return prefix;
}

static const struct world_interface *next_interface(struct reader *reader)
{
	const char *word = next();
	const struct world_interface *found = word ? world_text_interface(reader->world, word) : NULL;

	if (!found)
		fail(reader, "no such interface", word);
	return found ? found : &reader->world->interface[0];
}

static __u32 next_vrf(struct reader *reader)
{
	reader->world->vrfs = true;
	return next_number(reader);
}

// One word of an interface's statement, with what belongs to it.
static void interface_word(struct reader *reader, struct world_interface *interface, const char *word)
{
	struct world_prefix address;

	if (strcmp(word, "on") == 0) {
		interface->parent = next_interface(reader)->ifindex;
	} else if (strcmp(word, "vlan") == 0 || strcmp(word, "s-vlan") == 0) {
		interface->tpid = word[0] == 'v' ? ETH_P_8021Q : ETH_P_8021AD;
		interface->vid = next_number(reader);
	} else if (strcmp(word, "mac") == 0) {
		next_mac(reader, interface->mac);
	} else if (strcmp(word, "mtu") == 0) {
		interface->mtu = next_number(reader);
	} else if (strcmp(word, "vrf") == 0) {
		interface->table = next_vrf(reader);
	} else if (strcmp(word, "rp-filter") == 0) {
		interface->rp_filter = next_number(reader);
	} else if (strcmp(word, "redirects") == 0) {
		interface->redirects = true;
	} else if (strcmp(word, "no-forwarding") == 0) {
		interface->forward4 = interface->forward6 = false;
	} else if (strcmp(word, "down") == 0) {
		interface->up = false;
	} else if (strcmp(word, "unable") == 0) {
		interface->able = false;
	} else if (strcmp(word, "foreign") == 0) {
		interface->foreign = true;
	} else if (strcmp(word, "address") == 0) {
		address = parse_prefix(reader, next());
		world_add_address(reader->world, interface, &address);
	} else {
		fail(reader, "no such word for an interface", word);
	}
}

static void read_interface(struct reader *reader)
{
	struct world_interface *interface = world_add_interface(reader->world);
	const char *name = next(), *word;

	snprintf(interface->name, sizeof(interface->name), "%s", name ? name : "");
	while ((word = next()))
		interface_word(reader, interface, word);
}

static void read_neighbour(struct reader *reader)
{
	struct world_neighbour neighbour = { .ifindex = next_interface(reader)->ifindex, .resolved = true };
	struct world_prefix address = parse_prefix(reader, next());

	neighbour.family = address.family;
	memcpy(neighbour.address, address.address, 16);
	next_mac(reader, neighbour.mac);
	if (!reader->failed)
		world_add_neighbour(reader->world, &neighbour);
}

static __u8 type_of(const char *word)
{
	static const char *const names[] = { "blackhole", "unreachable", "prohibit", "throw" };
	static const __u8 types[] = { RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_THROW };

	for (int i = 0; i < 4; i++)
		if (word && strcmp(word, names[i]) == 0)
			return types[i];
	return RTN_UNICAST;
}

static void read_route(struct reader *reader)
{
	struct world_path paths[WORLD_PATHS] = { 0 }, *path = NULL;
	struct world_route route = { .table = RT_TABLE_MAIN };
	const char *word = next();

	route.type = type_of(word);
	route.prefix = parse_prefix(reader, route.type == RTN_UNICAST ? word : next());
	while ((word = next()) && !reader->failed) {
		if (strcmp(word, "via") == 0 || (strcmp(word, "dev") == 0 && !path)) {
			path = &paths[route.path_count++];
			path->weight = 1;
		}
		if (strcmp(word, "via") == 0) {
			struct world_prefix gateway = parse_prefix(reader, next());

			path->family = gateway.family;
			memcpy(path->gateway, gateway.address, 16);
		} else if (strcmp(word, "dev") == 0) {
			path->ifindex = next_interface(reader)->ifindex;
		} else if (strcmp(word, "weight") == 0 && path) {
			path->weight = next_number(reader);
		} else if (strcmp(word, "vrf") == 0) {
			route.table = next_vrf(reader);
		} else if (strcmp(word, "mtu") == 0) {
			route.mtu = next_number(reader);
		} else {
			fail(reader, "no such word for a route", word);
		}
	}
	if (!reader->failed)
		world_add_route(reader->world, &route, paths);
}

static void read_line(struct reader *reader, char *line)
{
	const char *word;

	line[strcspn(line, "#")] = '\0';
	word = strtok(line, SPACE);
	if (!word)
		return;
	if (strcmp(word, "interface") == 0)
		read_interface(reader);
	else if (strcmp(word, "neighbour") == 0)
		read_neighbour(reader);
	else if (strcmp(word, "route") == 0)
		read_route(reader);
	else
		fail(reader, "no such statement", word);
}

struct world *world_text_read(const char *path)
{
	struct reader reader = { .world = world_new(), .path = path };
	FILE *file = fopen(path, "r");
	char line[512];

	if (!reader.world || !file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		reader.failed = true;
	}
	while (file && !reader.failed && fgets(line, sizeof(line), file)) {
		reader.line++;
		read_line(&reader, line);
	}
	if (file)
		fclose(file);
	if (!reader.failed)
		return reader.world;
	world_free(reader.world);
	return NULL;
}

const struct world_interface *world_text_interface(const struct world *world, const char *name)
{
	for (__u32 i = 0; i < world->interface_count; i++)
		if (strcmp(world->interface[i].name, name) == 0)
			return &world->interface[i];
	return NULL;
}
