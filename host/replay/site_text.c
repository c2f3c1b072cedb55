// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Links are collected until the end, because later lines add to them; so are addresses, whose routes depend
 * on the links. All else goes into the site at once, by the number that a link's name gets when it is first
 * met.
 */
#include "host/replay/site_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_arp.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "bench/workload/stream.h"
#include "host/replay/address_routes.h"
#include "host/replay/route_text.h"
#include "host/replay/site.h"
#include "host/replay/sysctl_text.h"

#define BLANK     " \t\r\\"
#define WORDS     2048
#define MTU_MOST  (1u << 20) /* devices without packets on a wire have more than 65535 */
#define LINKS     8192       /* more than the image has interfaces */
#define ADDRESSES 65536

struct text_link {
	struct link_message message;
	bool declared; /* by a line about links, not only named */
	__u32 line;    /* where it was named first */
};

struct site_text {
	struct site *site;
	struct text_link *link; /* [ifindex - 1] */
	__u32 links, link_room;
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

/* --- links --- */

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '/')
			return false;
	return length > 0 && length < NETLINK_NAME;
}

static int reserve(void **array, __u32 count, __u32 *room, size_t element)
{
	__u32 size = *room ? 2 * *room : 16;
	void *larger;

	if (count < *room)
		return 0;
	larger = realloc(*array, size * element);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	*room = size;
	return 0;
}

static struct text_link *link_at(struct site_text *text, __u32 ifindex)
{
	return &text->link[ifindex - 1];
}

static __u32 find_link(const struct site_text *text, const char *name)
{
	for (__u32 i = 0; i < text->links; i++)
		if (strcmp(text->link[i].message.name, name) == 0)
			return i + 1;
	return 0;
}

/* Its number; 0: it cannot be a link, or there is no room. */
static __u32 get_link(struct site_text *text, const char *name)
{
	__u32 found = find_link(text, name);
	struct text_link *link;

	if (found || !is_name(name) || text->links == LINKS ||
	    reserve((void **)&text->link, text->links, &text->link_room, sizeof(*text->link)) < 0)
		return found;
	link = &text->link[text->links++];
	memset(link, 0, sizeof(*link));
	link->line = text->line;
	link->message.ifindex = text->links;
	link->message.flags = IFF_UP | IFF_BROADCAST | IFF_MULTICAST;
	link->message.type = ARPHRD_ETHER;
	link->message.mtu = ETH_DATA_LEN;
	link->message.carrier = true;
	strcpy(link->message.name, name);
	return text->links;
}

static int refuse(struct site_text *text, struct why *why, const char *word, const char *what)
{
	return why_set(why, EINVAL, "%s:%u: '%.60s' %s", text->path, text->line,
		       word ? word : "(the end of the line)", what);
}

static bool read_mac(const char *word, __u8 mac[6])
{
	char behind;

	return word && sscanf(word, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2],
			      &mac[3], &mac[4], &mac[5], &behind) == 6;
}

static bool read_number(const char *word, __u32 most, __u32 *ret)
{
	char *end;
	unsigned long number;

	if (!word || *word < '0' || *word > '9')
		return false;
	number = strtoul(word, &end, 0);
	*ret = (__u32)number;
	return !*end && number <= most;
}

static int set_mac(struct site_text *text, struct link_message *link, const char *word, struct why *why)
{
	__u8 mac[6];

	if (!read_mac(word, mac))
		return refuse(text, why, word, "is not a link address (02:00:00:00:00:01)");
	memcpy(link->mac, mac, 6);
	link->has_mac = true;
	return 0;
}

static int set_number(struct site_text *text, const char *word, __u32 least, __u32 most, const char *what,
		      __u32 *ret, struct why *why)
{
	__u32 number;

	if (!read_number(word, most, &number) || number < least)
		return refuse(text, why, word, what);
	*ret = number;
	return 0;
}

static int set_device(struct site_text *text, const char *word, __u32 *ret, struct why *why)
{
	*ret = word ? get_link(text, word) : 0;
	return *ret ? 0 : refuse(text, why, word, "is not the name of a device");
}

static int set_vlan_protocol(struct site_text *text, struct link_message *link, const char *word,
			     struct why *why)
{
	if (word && strcasecmp(word, "802.1Q") == 0)
		link->vlan_tpid = ETH_P_8021Q;
	else if (word && strcasecmp(word, "802.1ad") == 0)
		link->vlan_tpid = ETH_P_8021AD;
	else
		return refuse(text, why, word, "is not a VLAN protocol: 802.1Q or 802.1ad");
	return 0;
}

static int set_kind(struct site_text *text, struct link_message *link, const char *word, struct why *why)
{
	if (!word || strlen(word) >= sizeof(link->kind))
		return refuse(text, why, word, "is not a type of link");
	strcpy(link->kind, word);
	if (strcmp(word, "vlan") == 0 && !link->vlan_tpid)
		link->vlan_tpid = ETH_P_8021Q;
	return 0;
}

/* What a word of a link with a value behind it says. 1: it is none of these. */
static int link_pair(struct site_text *text, __u32 ifindex, const char *word, const char *value,
		     struct why *why)
{
	__u32 number = 0, other;
	int r;

	if (strcmp(word, "address") == 0)
		return set_mac(text, &link_at(text, ifindex)->message, value, why);
	if (strcmp(word, "mtu") == 0)
		return set_number(text, value, 68, MTU_MOST, "is not an MTU",
				  &link_at(text, ifindex)->message.mtu, why);
	if (strcmp(word, "type") == 0)
		return set_kind(text, &link_at(text, ifindex)->message, value, why);
	if (strcmp(word, "protocol") == 0 || strcmp(word, "proto") == 0)
		return set_vlan_protocol(text, &link_at(text, ifindex)->message, value, why);
	if (strcmp(word, "table") == 0)
		return set_number(text, value, 1, 0xffffffff, "is not the number of a routing table",
				  &link_at(text, ifindex)->message.vrf_table, why);
	if (strcmp(word, "id") == 0) {
		r = set_number(text, value, 0, 4095, "is not a VLAN id", &number, why);
		link_at(text, ifindex)->message.vlan_id = (__u16)number;
		return r;
	}
	if (strcmp(word, "link") == 0 || strcmp(word, "master") == 0 || strcmp(word, "vrf") == 0) {
		r = set_device(text, value, &other, why); /* may move the links */
		if (r)
			return r;
		if (strcmp(word, "link") == 0)
			link_at(text, ifindex)->message.below = other;
		else
			link_at(text, ifindex)->message.master = other;
		return 0;
	}
	return 1;
}

/* Words of `ip link add|set` that say nothing about forwarding. */
static bool is_idle_pair(const char *word)
{
	static const char *const idle[] = { "txqueuelen",      "numtxqueues", "numrxqueues",  "group",
					    "alias",           "promisc",     "arp",          "multicast",
					    "allmulticast",    "index",       "gso_max_size", "gro_max_size",
					    "ingress-qos-map", NULL };

	for (size_t i = 0; idle[i]; i++)
		if (strcmp(word, idle[i]) == 0)
			return true;
	return false;
}

static int link_words(struct site_text *text, __u32 ifindex, unsigned int at, struct why *why)
{
	for (; at < text->count; at++) {
		const char *word = text->word[at], *value = at + 1 < text->count ? text->word[at + 1] : NULL;
		int r;

		if (strcmp(word, "up") == 0 || strcmp(word, "name") == 0 || strcmp(word, "dev") == 0) {
			at += word[0] != 'u';
			continue;
		}
		if (strcmp(word, "down") == 0) {
			link_at(text, ifindex)->message.flags &= ~IFF_UP;
			continue;
		}
		if (strcmp(word, "peer") == 0) /* what follows is about the other end */
			return 0;
		r = is_idle_pair(word) ? 0 : link_pair(text, ifindex, word, value, why);
		if (r)
			return r < 0 ? r : refuse(text, why, word, "is not a word of a link");
		at++;
	}
	return 0;
}

/* `link [add|set] [link BELOW] [name|dev] NAME ...` */
static int read_link(struct site_text *text, unsigned int at, struct why *why)
{
	unsigned int name = at;
	__u32 ifindex = 0;
	int r;

	for (unsigned int i = at; i + 1 < text->count && name == at && strcmp(text->word[i], "peer"); i++)
		if (strcmp(text->word[i], "name") == 0 || (i == at && strcmp(text->word[i], "dev") == 0))
			name = i + 1;
	r = set_device(text, name < text->count ? text->word[name] : NULL, &ifindex, why);
	if (r)
		return r;
	link_at(text, ifindex)->declared = true;
	return link_words(text, ifindex, at + (name == at), why);
}

/* --- addresses, neighbours, next hops, routes --- */

static int add_address(struct site_text *text, __u32 ifindex, const char *word, struct why *why)
{
	struct site_address address = { .ifindex = ifindex };

	if (!word || !route_text_prefix(word, &address.family, address.address, &address.length))
		return refuse(text, why, word, "is not an address with a length (192.0.2.1/24)");
	if (text->addresses == ADDRESSES)
		return refuse(text, why, word, "is one address too many");
	if (reserve((void **)&text->address, text->addresses, &text->address_room, sizeof(address)) < 0)
		return why_set(why, ENOMEM, "out of memory");
	text->address[text->addresses++] = address;
	return 0;
}

/* Position of the word behind this one, 0: it is not there. */
static unsigned int behind(const struct site_text *text, unsigned int at, const char *word)
{
	for (; at + 1 < text->count; at++)
		if (strcmp(text->word[at], word) == 0)
			return at + 1;
	return 0;
}

static int read_address(struct site_text *text, unsigned int at, struct why *why)
{
	unsigned int device = behind(text, at, "dev");
	__u32 ifindex;
	int r = set_device(text, device ? text->word[device] : NULL, &ifindex, why);

	if (!device)
		return refuse(text, why, at < text->count ? text->word[at] : NULL,
			      "is on no device; add 'dev NAME'");
	return r ? r : add_address(text, ifindex, text->word[at], why);
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
	if (!mac || !read_mac(text->word[mac], message.mac))
		return refuse(text, why, mac ? text->word[mac] : text->word[at],
			      "has no link address; add 'lladdr 02:00:00:00:00:02'");
	message.ifindex = get_link(text, text->word[device]);
	if (!message.ifindex)
		return refuse(text, why, text->word[device], "is not the name of a device");
	if (site_neighbour(text->site, &message) == -ENOMEM)
		return why_set(why, ENOMEM, "out of memory");
	return 0;
}

/* Puts the place in front of what the words' reader says. */
static int place(const struct site_text *text, int error, struct why *why)
{
	struct why inner = *why;

	return why_set(why, -error, "%s:%u: %.200s", text->path, text->line, inner.text);
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

/* --- what `ip address` prints --- */

/* "2: eth0.10@eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master red state UP ..." */
static int read_shown(struct site_text *text, struct why *why)
{
	char *name = text->word[1], *flags = text->word[2], *below;
	unsigned int mtu = behind(text, 2, "mtu"), master = behind(text, 2, "master");
	struct link_message *link;
	int r;

	name[strlen(name) - 1] = '\0'; /* the colon */
	below = strchr(name, '@');
	if (below)
		*below++ = '\0';
	r = set_device(text, name, &text->shown, why);
	if (r)
		return r;
	link_at(text, text->shown)->declared = true;
	link_at(text, text->shown)->message.flags &= ~IFF_UP;
	if (below && strncmp(below, "if", 2) != 0 && strcmp(below, "NONE") != 0) {
		__u32 ifindex;

		r = set_device(text, below, &ifindex, why);
		link_at(text, text->shown)->message.below = ifindex;
	}
	if (!r && mtu)
		r = link_pair(text, text->shown, "mtu", text->word[mtu], why);
	if (!r && master)
		r = link_pair(text, text->shown, "master", text->word[master], why);
	if (r)
		return r;
	link = &link_at(text, text->shown)->message;
	link->carrier = strstr(flags, "NO-CARRIER") == NULL;
	for (char *flag = strtok(flags, "<,>"); flag; flag = strtok(NULL, "<,>")) {
		link->flags |= strcmp(flag, "UP") == 0 ? IFF_UP : 0;
		link->flags |= strcmp(flag, "LOOPBACK") == 0 ? IFF_LOOPBACK : 0;
	}
	return 0;
}

/* The indented lines below that. What they say beside these is about the device, not about forwarding. */
static int read_detail(struct site_text *text, struct why *why)
{
	const char *word = text->word[0], *value = text->count > 1 ? text->word[1] : NULL;
	unsigned int id = behind(text, 1, "id");
	struct link_message *link = &link_at(text, text->shown)->message;
	int r = 0;

	if (strcmp(word, "link/ether") == 0) {
		r = set_mac(text, link, value, why);
	} else if (strncmp(word, "link/", 5) == 0) {
		link->type = strcmp(word, "link/loopback") == 0 ? ARPHRD_LOOPBACK : ARPHRD_NONE;
	} else if (strcmp(word, "inet") == 0 || strcmp(word, "inet6") == 0) {
		r = add_address(text, text->shown, value, why);
	} else if (strcmp(word, "vlan") == 0 && id) {
		r = set_kind(text, link, "vlan", why);
		if (!r)
			r = link_pair(text, text->shown, "id", text->word[id], why);
		if (!r && value && strcmp(value, "protocol") == 0)
			r = set_vlan_protocol(text, link, text->count > 2 ? text->word[2] : NULL, why);
	} else if (strcmp(word, "vrf") == 0 && value && strcmp(value, "table") == 0) {
		r = set_kind(text, link, "vrf", why);
		if (!r)
			r = link_pair(text, text->shown, "table", text->count > 2 ? text->word[2] : NULL,
				      why);
	} else if (strcmp(word, "bridge") == 0 || strcmp(word, "bond") == 0 || strcmp(word, "vxlan") == 0 ||
		   strcmp(word, "macvlan") == 0 || strcmp(word, "macsec") == 0 ||
		   strcmp(word, "ipvlan") == 0) {
		r = set_kind(text, link, word, why);
	}
	return r;
}

static bool is_shown(const struct site_text *text)
{
	size_t number = strlen(text->word[0]), name = text->count > 2 ? strlen(text->word[1]) : 0;

	return name > 1 && text->word[0][number - 1] == ':' && text->word[1][name - 1] == ':' &&
	       text->word[2][0] == '<' && strspn(text->word[0], "0123456789") == number - 1;
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
	if (is_shown(text))
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

	text->line++;
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
	return get_link(arg, name);
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
	__u32 ifindex = find_link(text, name);

	return ifindex ? link_at(text, ifindex)->message.vrf_table : 0;
}

/* --- the whole --- */

int site_text_new(struct site *site, struct site_text **ret)
{
	struct site_text *text = calloc(1, sizeof(*text));
	__u32 loopback;

	if (!text)
		return -ENOMEM;
	text->site = site;
	text->names = (struct route_names){ text, device, device_towards, vrf };
	sysctl_text_init(&text->sysctls);
	loopback = get_link(text, "lo");
	if (!loopback) {
		site_text_free(text);
		return -ENOMEM;
	}
	link_at(text, loopback)->declared = true;
	link_at(text, loopback)->message.flags |= IFF_LOOPBACK;
	link_at(text, loopback)->message.type = ARPHRD_LOOPBACK;
	*ret = text;
	return 0;
}

void site_text_free(struct site_text *text)
{
	if (!text)
		return;
	sysctl_text_free(&text->sysctls);
	free(text->address);
	free(text->link);
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

/* A VLAN has the link address of the device below unless it has its own, and no more MTU than that. */
static void inherit(struct site_text *text, struct link_message *link)
{
	for (int depth = 0; depth < 4 && strcmp(link->kind, "vlan") == 0 && !link->has_mac; depth++) {
		const struct link_message *below = link->below ? &link_at(text, link->below)->message : NULL;

		if (!below)
			return;
		if (!below->has_mac && strcmp(below->kind, "vlan") == 0 && below->below &&
		    below->below != link->below)
			below = &link_at(text, below->below)->message;
		memcpy(link->mac, below->mac, 6);
		link->has_mac = below->has_mac;
		if (!link->has_mac)
			return;
	}
}

static int check_link(const struct site_text *text, const struct text_link *link, struct why *why)
{
	const struct link_message *message = &link->message;
	bool loopback = message->flags & IFF_LOOPBACK;

	if (!link->declared)
		return why_set(why, EINVAL,
			       "line %u names %s, which is no link; add 'link %s address 02:00:00:00:00:01'",
			       link->line, message->name, message->name);
	if (strcmp(message->kind, "vlan") == 0 && !message->below)
		return why_set(why, EINVAL,
			       "%s stands on no device; add 'link %s link DEVICE type vlan id N'",
			       message->name, message->name);
	if (strcmp(message->kind, "vrf") == 0 && !message->vrf_table)
		return why_set(why, EINVAL, "%s has no table; add 'link %s type vrf table N'", message->name,
			       message->name);
	if (!loopback && message->type == ARPHRD_ETHER && !message->has_mac && strcmp(message->kind, "vrf"))
		return why_set(why, EINVAL, "%s has no link address; add 'link %s address 02:00:00:00:00:01'",
			       message->name, message->name);
	return 0;
}

static int end_links(struct site_text *text, struct why *why)
{
	int r = 0;

	for (__u32 i = 0; i < text->links && !r; i++)
		inherit(text, &text->link[i].message);
	for (__u32 i = 0; i < text->links && !r; i++)
		r = check_link(text, &text->link[i], why);
	for (__u32 i = 0; i < text->links && !r; i++) {
		struct link_message *message = &text->link[i].message;

		message->carrier &= (message->flags & IFF_UP) != 0;
		message->flags |= message->carrier ? IFF_RUNNING | IFF_LOWER_UP : 0;
		message->sysctls = sysctl_text_of(&text->sysctls, message->name, message->mtu);
		r = site_link(text->site, message) < 0 ? why_set(why, ENOMEM, "out of memory") : 0;
	}
	return r;
}

int site_text_end(struct site_text *text, struct why *why)
{
	int r = end_links(text, why);

	if (r)
		return r;
	sysctl_text_all(&text->sysctls, text->site);
	site_no_rules(text->site);
	for (__u32 i = 0; i < text->addresses && !r; i++)
		r = address_routes_add(text->site, &text->address[i], &text->route);
	return r < 0 ? why_set(why, -r, "out of memory") : 0;
}
