// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Links (host/replay/link_text.h) are collected until the end, and so are addresses, whose routes depend on
 * them. All else goes into the site at once, by the numbers of the links.
 */
#include "host/replay/site_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "bench/workload/stream.h"
#include "host/replay/address_routes.h"
#include "host/replay/link_text.h"
#include "host/replay/route_text.h"
#include "host/replay/site.h"
#include "host/replay/sysctl_text.h"

#define BLANK     " \t\r\\"
#define WORDS     2048
#define ADDRESSES 65536

struct site_text {
	struct site *site;
	struct link_texts links;
	struct site_address *address;
	__u32 addresses, address_room;
	struct sysctl_text sysctls;
	struct route_names names;
	/* the file under way */
	const char *path;
	__u32 line;
	__u32 shown;  /* the link that the indented lines of `ip address` are about, 0: none */
	bool pending; /* `route` waits for its next hops */
	__u8 family;  /* of `ip -4` or `-6` */
	char *word[WORDS];
	unsigned int count;
	struct route_message route;
	struct nexthop_message nexthop;
};

static int refuse(struct site_text *text, struct why *why, const char *word, const char *what)
{
	return why_set(why, EINVAL, "%s:%u: '%.60s' %s", text->path, text->line,
		       word ? word : "(the end of the line)", what);
}

/* Puts the place in front of what the words' reader says. */
static int place(const struct site_text *text, int error, struct why *why)
{
	struct why inner = *why;

	return why_set(why, -error, "%s:%u: %.200s", text->path, text->line, inner.text);
}

static unsigned int behind(const struct site_text *text, unsigned int at, const char *word)
{
	return link_text_behind(text->word, text->count, at, word);
}

static int read_link(struct site_text *text, unsigned int at, struct why *why)
{
	int r = link_text_read(&text->links, text->word + at, text->count - at, why);

	return r < 0 ? place(text, r, why) : 0;
}

/* A line that `ip address` prints. */
static int read_shown(struct site_text *text, struct why *why)
{
	int r = link_text_shown(&text->links, text->word, text->count, &text->shown, why);

	return r < 0 ? place(text, r, why) : 0;
}

/* --- addresses, neighbours, next hops, routes --- */

static int reserve(struct site_text *text)
{
	__u32 size = text->address_room ? 2 * text->address_room : 16;
	struct site_address *larger;

	if (text->addresses < text->address_room)
		return 0;
	larger = realloc(text->address, size * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	text->address = larger;
	text->address_room = size;
	return 0;
}

static int add_address(struct site_text *text, __u32 ifindex, const char *word, struct why *why)
{
	struct site_address address = { .ifindex = ifindex };

	if (!word || !route_text_prefix(word, &address.family, address.address, &address.length))
		return refuse(text, why, word, "is not an address with a length (192.0.2.1/24)");
	if (text->addresses == ADDRESSES)
		return refuse(text, why, word, "is one address too many");
	if (reserve(text) < 0)
		return why_set(why, ENOMEM, "out of memory");
	text->address[text->addresses++] = address;
	return 0;
}

static int read_address(struct site_text *text, unsigned int at, struct why *why)
{
	unsigned int device = behind(text, at, "dev");
	__u32 ifindex;

	if (!device)
		return refuse(text, why, at < text->count ? text->word[at] : NULL,
			      "is on no device; add 'dev NAME'");
	ifindex = link_text_get(&text->links, text->word[device]);
	if (!ifindex)
		return refuse(text, why, text->word[device], "is not the name of a device");
	return add_address(text, ifindex, text->word[at], why);
}

/* An indented line below the first one that `ip address` prints of a link. */
static int read_detail(struct site_text *text, struct why *why)
{
	int r;

	if (strcmp(text->word[0], "inet") == 0 || strcmp(text->word[0], "inet6") == 0)
		return add_address(text, text->shown, text->count > 1 ? text->word[1] : NULL, why);
	r = link_text_detail(&text->links, text->shown, text->word, text->count, why);
	return r < 0 ? place(text, r, why) : 0;
}

/* Of the states that `ip neighbour` prints behind an entry, those in which its address is not used. */
static bool is_unresolved(const struct site_text *text)
{
	const char *last = text->word[text->count - 1];

	return strcmp(last, "FAILED") == 0 || strcmp(last, "INCOMPLETE") == 0 || strcmp(last, "NONE") == 0;
}

static int read_neighbour(struct site_text *text, unsigned int at, struct why *why)
{
	struct neighbour_message message = { .state = NUD_PERMANENT, .has_mac = true };
	unsigned int device = behind(text, at, "dev"), mac = behind(text, at, "lladdr");

	if (at >= text->count || !route_text_address(text->word[at], &message.family, message.address))
		return refuse(text, why, at < text->count ? text->word[at] : NULL,
			      "is not the address of a neighbour");
	if (is_unresolved(text) || behind(text, at, "proxy") ||
	    strcmp(text->word[text->count - 1], "proxy") == 0)
		return 0;
	if (!device)
		return refuse(text, why, text->word[at], "is on no device; add 'dev NAME'");
	if (!mac || !link_text_mac(text->word[mac], message.mac))
		return refuse(text, why, mac ? text->word[mac] : text->word[at],
			      "has no link address; add 'lladdr 02:00:00:00:00:02'");
	message.ifindex = link_text_get(&text->links, text->word[device]);
	if (!message.ifindex)
		return refuse(text, why, text->word[device], "is not the name of a device");
	if (site_neighbour(text->site, &message) == -ENOMEM)
		return why_set(why, ENOMEM, "out of memory");
	return 0;
}

static int read_nexthop(struct site_text *text, unsigned int at, struct why *why)
{
	int r = route_text_object(&text->names, text->family, text->word + at, text->count - at,
				  &text->nexthop, why);

	if (r)
		return place(text, r, why);
	return site_nexthop(text->site, &text->nexthop) < 0 ? why_set(why, ENOMEM, "out of memory") : 0;
}

static int check_nexthop(const struct site_text *text, struct why *why)
{
	const struct route_message *route = &text->route;
	int r = route->nexthop ? site_nexthop_fits(text->site, route->nexthop, route->family) : 0;

	if (r == -ENOENT)
		return why_set(why, EINVAL,
			       "%s:%u: there is no next hop %u above this line; add 'nexthop id %u via "
			       "ADDRESS dev NAME' to the configuration",
			       text->path, text->line, route->nexthop, route->nexthop);
	for (__u32 i = 0; i < route->path_count; i++)
		if (route->family == AF_INET6 && route->path[i].family == AF_INET)
			r = -EAFNOSUPPORT;
	return r ? why_set(why, EINVAL, "%s:%u: an IPv6 route cannot go by an IPv4 gateway", text->path,
			   text->line)
		 : 0;
}

static int finish_route(struct site_text *text, struct why *why)
{
	int r = check_nexthop(text, why);

	text->pending = false;
	if (r)
		return r;
	if (site_route(text->site, &text->route) == -ENOMEM)
		return why_set(why, ENOMEM, "%s:%u: out of memory", text->path, text->line);
	return 0;
}

static int read_route(struct site_text *text, unsigned int at, struct why *why)
{
	int r;

	if (at >= text->count)
		return refuse(text, why, NULL, "is no route");
	r = route_text_read(&text->names, text->family, text->word + at, text->count - at, &text->route, why);
	if (r < 0)
		return place(text, r, why);
	text->pending = r;
	return r ? 0 : finish_route(text, why);
}

/* A line `nexthop ...` behind a route: the kernel adds one next hop after the other. */
static int read_hop(struct site_text *text, struct why *why)
{
	int r = route_text_hop(&text->names, text->word + 1, text->count - 1, &text->route, why);

	return r < 0 ? place(text, r, why) : 0;
}

static int end_route(struct site_text *text, struct why *why)
{
	if (!text->pending)
		return 0;
	if (!text->route.path_count && text->route.type == RTN_UNICAST)
		return why_set(
			why, EINVAL,
			"%s:%u: the route above this line leads nowhere; add 'via ADDRESS' or 'dev NAME'",
			text->path, text->line);
	return finish_route(text, why);
}

/* --- lines --- */

enum object { OBJECT_LINK, OBJECT_ADDRESS, OBJECT_ROUTE, OBJECT_NEIGHBOUR, OBJECT_NEXTHOP, OBJECT_NONE };

/* ip(8) takes any beginning of these words; those that people use are here. */
static enum object object_of(const char *word)
{
	static const struct {
		const char *word;
		enum object object;
	} objects[] = {
		{ "link", OBJECT_LINK },          { "address", OBJECT_ADDRESS },
		{ "addr", OBJECT_ADDRESS },       { "a", OBJECT_ADDRESS },
		{ "route", OBJECT_ROUTE },        { "r", OBJECT_ROUTE },
		{ "ro", OBJECT_ROUTE },           { "neighbour", OBJECT_NEIGHBOUR },
		{ "neighbor", OBJECT_NEIGHBOUR }, { "neigh", OBJECT_NEIGHBOUR },
		{ "n", OBJECT_NEIGHBOUR },        { "nexthop", OBJECT_NEXTHOP },
	};

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (strcmp(word, objects[i].word) == 0)
			return objects[i].object;
	return OBJECT_NONE;
}

static bool is_verb(const char *word)
{
	return strcmp(word, "add") == 0 || strcmp(word, "set") == 0 || strcmp(word, "replace") == 0 ||
	       strcmp(word, "append") == 0 || strcmp(word, "change") == 0;
}

static int read_object(struct site_text *text, enum object object, unsigned int at, struct why *why)
{
	if (at < text->count && is_verb(text->word[at]))
		at++;
	if (at >= text->count)
		return refuse(text, why, NULL, "comes too early");
	switch (object) {
	case OBJECT_LINK:
		return read_link(text, at, why);
	case OBJECT_ADDRESS:
		return read_address(text, at, why);
	case OBJECT_NEIGHBOUR:
		return read_neighbour(text, at, why);
	case OBJECT_NEXTHOP:
		return read_nexthop(text, at, why);
	default:
		return read_route(text, at, why);
	}
}

/* A line without the name of an object, as the `show` commands print them. */
static int read_printed(struct site_text *text, struct why *why)
{
	if (strcmp(text->word[0], "id") == 0)
		return read_nexthop(text, 0, why);
	if (behind(text, 1, "lladdr") || is_unresolved(text))
		return read_neighbour(text, 0, why);
	return read_route(text, 0, why);
}

static int read_words(struct site_text *text, bool indented, struct why *why)
{
	unsigned int at = strcmp(text->word[0], "ip") == 0;
	enum object object;
	int r;

	if (text->pending && strcmp(text->word[0], "nexthop") == 0)
		return read_hop(text, why);
	if (indented && text->route.nexthop && strcmp(text->word[0], "nexthop") == 0)
		return 0; /* what the object of the route above is made of */
	r = end_route(text, why);
	if (r)
		return r;
	if (link_text_is_shown(text->word, text->count))
		return read_shown(text, why);
	if (indented && text->shown)
		return read_detail(text, why);
	text->shown = text->family = 0;
	if (strncmp(text->word[0], "net.", 4) == 0)
		return sysctl_text_read(&text->sysctls, text->word, text->count) < 0
			       ? refuse(text, why, text->word[0],
					"is not a setting as sysctl prints it: NAME = NUMBER")
			       : 0;
	for (; at < text->count && text->word[at][0] == '-'; at++)
		text->family = strcmp(text->word[at], "-6") == 0   ? AF_INET6
			       : strcmp(text->word[at], "-4") == 0 ? AF_INET
								   : text->family;
	object = at < text->count ? object_of(text->word[at]) : OBJECT_NONE;
	if (object != OBJECT_NONE)
		return read_object(text, object, at + 1, why);
	if (at)
		return refuse(text, why, at < text->count ? text->word[at] : NULL,
			      "is not understood; there are: link, addr, route, neigh, nexthop");
	return read_printed(text, why);
}

static int read_line(struct site_text *text, char *line, struct why *why)
{
	bool indented = *line == ' ' || *line == '\t';
	char *rest = NULL;

	text->links.line = ++text->line;
	line[strcspn(line, "#")] = '\0';
	text->count = 0;
	for (char *word = strtok_r(line, BLANK, &rest); word; word = strtok_r(NULL, BLANK, &rest)) {
		if (text->count == WORDS)
			return refuse(text, why, word, "is one word too many for a line");
		text->word[text->count++] = word;
	}
	return text->count ? read_words(text, indented, why) : 0;
}

/* --- what names mean --- */

static __u32 device(void *arg, const char *name)
{
	struct site_text *text = arg;

	return link_text_get(&text->links, name);
}

static bool covers(const struct site_address *address, __u8 family, const __u8 *other)
{
	unsigned int bytes = address->length / 8, bits = address->length % 8;

	return address->family == family && memcmp(address->address, other, bytes) == 0 &&
	       (!bits || !((address->address[bytes] ^ other[bytes]) >> (8 - bits)));
}

static __u32 device_towards(void *arg, __u8 family, const __u8 *other)
{
	const struct site_text *text = arg;
	const struct site_address *best = NULL;

	for (__u32 i = 0; i < text->addresses; i++)
		if (covers(&text->address[i], family, other) &&
		    (!best || text->address[i].length > best->length))
			best = &text->address[i];
	return best ? best->ifindex : 0;
}

static __u32 vrf(void *arg, const char *name)
{
	struct site_text *text = arg;
	__u32 ifindex = link_text_find(&text->links, name);

	return ifindex ? link_text_message(&text->links, ifindex)->vrf_table : 0;
}

/* --- the whole --- */

int site_text_new(struct site *site, struct site_text **ret)
{
	struct site_text *text = calloc(1, sizeof(*text));

	if (!text)
		return -ENOMEM;
	text->site = site;
	text->names = (struct route_names){ text, device, device_towards, vrf };
	sysctl_text_init(&text->sysctls);
	if (link_texts_init(&text->links) < 0) {
		site_text_free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

void site_text_free(struct site_text *text)
{
	if (!text)
		return;
	sysctl_text_free(&text->sysctls);
	free(text->address);
	link_texts_free(&text->links);
	free(text);
}

int site_text_read(struct site_text *text, const char *path, struct why *why)
{
	struct stream_error error;
	struct stream *stream;
	char *line;
	int r = stream_open(path, &error, &stream);

	if (r < 0)
		return why_set(why, -r, "%s", error.text);
	text->path = path;
	text->line = text->shown = 0;
	while ((r = stream_line(stream, &line)) > 0) {
		r = read_line(text, line, why);
		if (r)
			goto close_stream;
	}
	r = r < 0 ? why_set(why, -r, "%s", error.text) : end_route(text, why);
close_stream:
	stream_close(stream);
	return r;
}

int site_text_end(struct site_text *text, struct why *why)
{
	int r = link_texts_end(&text->links, &text->sysctls, text->site, why);

	if (r)
		return r;
	sysctl_text_all(&text->sysctls, text->site);
	site_no_rules(text->site);
	for (__u32 i = 0; i < text->addresses && !r; i++)
		r = address_routes_add(text->site, &text->address[i], &text->route);
	return r < 0 ? why_set(why, -r, "out of memory") : 0;
}
