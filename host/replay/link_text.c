// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/link_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_arp.h>
#include <linux/if.h>
#include <linux/if_ether.h>

#include "host/replay/site.h"
#include "host/replay/sysctl_text.h"

#define MTU_MOST (1u << 20) /* devices without packets on a wire have more than 65535 */
#define LINKS    8192       /* more than the image has interfaces */
#define DEPTH    4          /* of VLANs on VLANs */

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '/')
			return false;
	return length > 0 && length < NETLINK_NAME;
}

static int reserve(struct link_texts *links)
{
	__u32 size = links->room ? 2 * links->room : 16;
	struct link_text *larger;

	if (links->count < links->room)
		return 0;
	larger = realloc(links->link, size * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	links->link = larger;
	links->room = size;
	return 0;
}

struct link_message *link_text_message(const struct link_texts *links, __u32 ifindex)
{
	return &links->link[ifindex - 1].message;
}

__u32 link_text_find(const struct link_texts *links, const char *name)
{
	for (__u32 i = 0; i < links->count; i++)
		if (strcmp(links->link[i].message.name, name) == 0)
			return i + 1;
	return 0;
}

__u32 link_text_get(struct link_texts *links, const char *name)
{
	__u32 found = link_text_find(links, name);
	struct link_text *link;

	if (found || !is_name(name) || links->count == LINKS || reserve(links) < 0)
		return found;
	link = &links->link[links->count++];
	memset(link, 0, sizeof(*link));
	link->line = links->line;
	link->message.ifindex = links->count;
	link->message.flags = IFF_UP | IFF_BROADCAST | IFF_MULTICAST;
	link->message.type = ARPHRD_ETHER;
	link->message.mtu = ETH_DATA_LEN;
	link->message.carrier = true;
	strcpy(link->message.name, name);
	return links->count;
}

static int refuse(struct why *why, const char *word, const char *what)
{
	return why_set(why, EINVAL, "'%.60s' %s", word ? word : "(the end of the line)", what);
}

bool link_text_mac(const char *word, __u8 mac[6])
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

static int set_mac(struct link_message *link, const char *word, struct why *why)
{
	__u8 mac[6];

	if (!link_text_mac(word, mac))
		return refuse(why, word, "is not a link address (02:00:00:00:00:01)");
	memcpy(link->mac, mac, 6);
	link->has_mac = true;
	return 0;
}

static int set_number(const char *word, __u32 least, __u32 most, const char *what, __u32 *ret,
		      struct why *why)
{
	__u32 number;

	if (!read_number(word, most, &number) || number < least)
		return refuse(why, word, what);
	*ret = number;
	return 0;
}

static int set_device(struct link_texts *links, const char *word, __u32 *ret, struct why *why)
{
	*ret = word ? link_text_get(links, word) : 0;
	return *ret ? 0 : refuse(why, word, "is not the name of a device");
}

static int set_vlan_protocol(struct link_message *link, const char *word, struct why *why)
{
	if (word && strcasecmp(word, "802.1Q") == 0)
		link->vlan_tpid = ETH_P_8021Q;
	else if (word && strcasecmp(word, "802.1ad") == 0)
		link->vlan_tpid = ETH_P_8021AD;
	else
		return refuse(why, word, "is not a VLAN protocol: 802.1Q or 802.1ad");
	return 0;
}

static int set_kind(struct link_message *link, const char *word, struct why *why)
{
	if (!word || strlen(word) >= sizeof(link->kind))
		return refuse(why, word, "is not a type of link");
	strcpy(link->kind, word);
	if (strcmp(word, "vlan") == 0 && !link->vlan_tpid)
		link->vlan_tpid = ETH_P_8021Q;
	return 0;
}

/* What a word of a link with a value behind it says. 1: it is none of these. */
static int link_pair(struct link_texts *links, __u32 ifindex, const char *word, const char *value,
		     struct why *why)
{
	__u32 number = 0, other;
	int r;

	if (strcmp(word, "address") == 0)
		return set_mac(link_text_message(links, ifindex), value, why);
	if (strcmp(word, "mtu") == 0) {
		links->link[ifindex - 1].sized = true;
		return set_number(value, 68, MTU_MOST, "is not an MTU",
				  &link_text_message(links, ifindex)->mtu, why);
	}
	if (strcmp(word, "type") == 0)
		return set_kind(link_text_message(links, ifindex), value, why);
	if (strcmp(word, "protocol") == 0 || strcmp(word, "proto") == 0)
		return set_vlan_protocol(link_text_message(links, ifindex), value, why);
	if (strcmp(word, "table") == 0)
		return set_number(value, 1, 0xffffffff, "is not the number of a routing table",
				  &link_text_message(links, ifindex)->vrf_table, why);
	if (strcmp(word, "id") == 0) {
		r = set_number(value, 0, 4095, "is not a VLAN id", &number, why);
		link_text_message(links, ifindex)->vlan_id = (__u16)number;
		return r;
	}
	if (strcmp(word, "link") == 0 || strcmp(word, "master") == 0 || strcmp(word, "vrf") == 0) {
		r = set_device(links, value, &other, why); /* may move the links */
		if (r)
			return r;
		if (strcmp(word, "link") == 0)
			link_text_message(links, ifindex)->below = other;
		else
			link_text_message(links, ifindex)->master = other;
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

static int link_words(struct link_texts *links, __u32 ifindex, char *const *words, unsigned int count,
		      unsigned int at, struct why *why)
{
	for (; at < count; at++) {
		const char *word = words[at], *value = at + 1 < count ? words[at + 1] : NULL;
		int r;

		if (strcmp(word, "up") == 0 || strcmp(word, "name") == 0 || strcmp(word, "dev") == 0) {
			at += word[0] != 'u';
			continue;
		}
		if (strcmp(word, "down") == 0) {
			link_text_message(links, ifindex)->flags &= ~IFF_UP;
			continue;
		}
		if (strcmp(word, "peer") == 0) /* what follows is about the other end */
			return 0;
		r = is_idle_pair(word) ? 0 : link_pair(links, ifindex, word, value, why);
		if (r)
			return r < 0 ? r : refuse(why, word, "is not a word of a link");
		at++;
	}
	return 0;
}

/* `[link BELOW] [name|dev] NAME ...` */
int link_text_read(struct link_texts *links, char *const *word, unsigned int count, struct why *why)
{
	unsigned int name = 0;
	__u32 ifindex = 0;
	int r;

	for (unsigned int i = 0; i + 1 < count && name == 0 && strcmp(word[i], "peer"); i++)
		if (strcmp(word[i], "name") == 0 || (i == 0 && strcmp(word[i], "dev") == 0))
			name = i + 1;
	r = set_device(links, name < count ? word[name] : NULL, &ifindex, why);
	if (r)
		return r;
	links->link[ifindex - 1].declared = true;
	return link_words(links, ifindex, word, count, name == 0, why);
}

unsigned int link_text_behind(char *const *word, unsigned int count, unsigned int at, const char *wanted)
{
	for (; at + 1 < count; at++)
		if (strcmp(word[at], wanted) == 0)
			return at + 1;
	return 0;
}

bool link_text_is_shown(char *const *word, unsigned int count)
{
	size_t number = strlen(word[0]), name = count > 2 ? strlen(word[1]) : 0;

	return name > 1 && word[0][number - 1] == ':' && word[1][name - 1] == ':' && word[2][0] == '<' &&
	       strspn(word[0], "0123456789") == number - 1;
}

/* "2: eth0.10@eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master red state UP ..." */
int link_text_shown(struct link_texts *links, char *const *word, unsigned int count, __u32 *ret_ifindex,
		    struct why *why)
{
	char *name = word[1], *flags = word[2], *below;
	unsigned int mtu = link_text_behind(word, count, 2, "mtu");
	unsigned int master = link_text_behind(word, count, 2, "master");
	struct link_message *link;
	__u32 ifindex, other;
	int r;

	name[strlen(name) - 1] = '\0'; /* the colon */
	below = strchr(name, '@');
	if (below)
		*below++ = '\0';
	r = set_device(links, name, &ifindex, why);
	if (r)
		return r;
	*ret_ifindex = ifindex;
	links->link[ifindex - 1].declared = true;
	link_text_message(links, ifindex)->flags &= ~IFF_UP;
	if (below && strncmp(below, "if", 2) != 0 && strcmp(below, "NONE") != 0) {
		r = set_device(links, below, &other, why);
		link_text_message(links, ifindex)->below = other;
	}
	if (!r && mtu)
		r = link_pair(links, ifindex, "mtu", word[mtu], why);
	if (!r && master)
		r = link_pair(links, ifindex, "master", word[master], why);
	if (r)
		return r;
	link = link_text_message(links, ifindex);
	link->carrier = strstr(flags, "NO-CARRIER") == NULL;
	for (char *flag = strtok(flags, "<,>"); flag; flag = strtok(NULL, "<,>")) {
		link->flags |= strcmp(flag, "UP") == 0 ? IFF_UP : 0;
		link->flags |= strcmp(flag, "LOOPBACK") == 0 ? IFF_LOOPBACK : 0;
	}
	return 0;
}

/* The indented lines below that. What they say beside these is about the device, not about forwarding. */
int link_text_detail(struct link_texts *links, __u32 ifindex, char *const *words, unsigned int count,
		     struct why *why)
{
	const char *word = words[0], *value = count > 1 ? words[1] : NULL;
	unsigned int id = link_text_behind(words, count, 1, "id");
	struct link_message *link = link_text_message(links, ifindex);
	int r = 0;

	if (strcmp(word, "link/ether") == 0) {
		r = set_mac(link, value, why);
	} else if (strncmp(word, "link/", 5) == 0) {
		link->type = strcmp(word, "link/loopback") == 0 ? ARPHRD_LOOPBACK : ARPHRD_NONE;
	} else if (strcmp(word, "vlan") == 0 && id) {
		r = set_kind(link, "vlan", why);
		if (!r)
			r = link_pair(links, ifindex, "id", words[id], why);
		if (!r && value && strcmp(value, "protocol") == 0)
			r = set_vlan_protocol(link, count > 2 ? words[2] : NULL, why);
	} else if (strcmp(word, "vrf") == 0 && value && strcmp(value, "table") == 0) {
		r = set_kind(link, "vrf", why);
		if (!r)
			r = link_pair(links, ifindex, "table", count > 2 ? words[2] : NULL, why);
	} else if (strcmp(word, "bridge") == 0 || strcmp(word, "bond") == 0 || strcmp(word, "vxlan") == 0 ||
		   strcmp(word, "macvlan") == 0 || strcmp(word, "macsec") == 0 ||
		   strcmp(word, "ipvlan") == 0) {
		r = set_kind(link, word, why);
	}
	return r;
}

/* A VLAN has the link address of the device below unless it has its own. */
static void inherit(const struct link_texts *links, struct link_message *link)
{
	for (int depth = 0; depth < DEPTH && strcmp(link->kind, "vlan") == 0 && !link->has_mac; depth++) {
		const struct link_message *below = link->below ? link_text_message(links, link->below) : NULL;

		if (!below)
			return;
		if (!below->has_mac && strcmp(below->kind, "vlan") == 0 && below->below &&
		    below->below != link->below)
			below = link_text_message(links, below->below);
		memcpy(link->mac, below->mac, 6);
		link->has_mac = below->has_mac;
		if (!link->has_mac)
			return;
	}
}

/* A VLAN has the MTU of the device below unless it has a smaller one of its own. */
static __u32 mtu_of(const struct link_texts *links, __u32 ifindex, int depth)
{
	const struct link_text *link = &links->link[ifindex - 1];
	const struct link_message *message = &link->message;
	__u32 below;

	if (strcmp(message->kind, "vlan") != 0 || !message->below || !depth)
		return message->mtu;
	below = mtu_of(links, message->below, depth - 1);
	return link->sized && message->mtu < below ? message->mtu : below;
}

static int check_link(const struct link_text *link, struct why *why)
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

int link_texts_end(struct link_texts *links, const struct sysctl_text *sysctls, struct site *site,
		   struct why *why)
{
	int r = 0;

	for (__u32 i = 0; i < links->count && !r; i++)
		inherit(links, &links->link[i].message);
	for (__u32 i = 0; i < links->count && !r; i++)
		r = check_link(&links->link[i], why);
	for (__u32 i = 0; i < links->count && !r; i++)
		links->link[i].message.mtu = mtu_of(links, i + 1, DEPTH);
	for (__u32 i = 0; i < links->count && !r; i++) {
		struct link_message *message = &links->link[i].message;

		message->carrier &= (message->flags & IFF_UP) != 0;
		message->flags |= message->carrier ? IFF_RUNNING | IFF_LOWER_UP : 0;
		message->sysctls = sysctl_text_of(sysctls, message->name, message->mtu);
		r = site_link(site, message) < 0 ? why_set(why, ENOMEM, "out of memory") : 0;
	}
	return r;
}

int link_texts_init(struct link_texts *links)
{
	__u32 loopback;

	*links = (struct link_texts){ 0 };
	loopback = link_text_get(links, "lo");
	if (!loopback)
		return -ENOMEM;
	links->link[loopback - 1].declared = true;
	link_text_message(links, loopback)->flags |= IFF_LOOPBACK;
	link_text_message(links, loopback)->type = ARPHRD_LOOPBACK;
	return 0;
}

void link_texts_free(struct link_texts *links)
{
	free(links->link);
}
