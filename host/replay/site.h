// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A router to replay packets through: its tables in plain memory, filled once and then left alone. What goes
 * in are the messages that the kernel would have sent (host/mirror/), and they take the same way into the fib
 * as those of the running kernel. Nothing here needs privileges or touches the kernel.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/link_message.h"
#include "host/mirror/neighbour_message.h"
#include "host/mirror/route_message.h"
#include "host/mirror/rule_message.h"
#include "host/why.h"

struct fib;
struct image_store;
struct link;
struct site;

#define SITE_NO_PORT 0xffff

/* -ENOMEM. */
int site_new(struct site **ret);
/* NULL is fine. */
void site_free(struct site *site);

/* Links first, then their addresses, then the rest in any order. -ENOMEM; -ENOSPC: a table is full, packets
 * that would need the entry go to the kernel. */
int site_link(struct site *site, const struct link_message *message);
int site_netconf(struct site *site, const struct netconf_message *message);
void site_all_redirects(struct site *site, bool on);
int site_address(struct site *site, const struct address_message *message);
int site_nexthop(struct site *site, const struct nexthop_message *message);
/* Whether a route of a family can name it. -ENOENT: there is none; -EAFNOSUPPORT: IPv6 by an IPv4 gateway. */
int site_nexthop_fits(const struct site *site, __u32 id, __u8 family);
int site_route(struct site *site, const struct route_message *message);
int site_neighbour(struct site *site, const struct neighbour_message *message);
int site_rule(struct site *site, const struct rule_message *message);
/* The router has no policy rules beyond the usual ones. */
void site_no_rules(struct site *site);

/* All is in: makes every Ethernet device that can be one a port, and lets packets flow. */
int site_open(struct site *site, struct why *why);

const struct image_store *site_store(const struct site *site);
const struct fib *site_fib(const struct site *site);
/* NULL: no such link. */
const struct link *site_link_named(const struct site *site, const char *name);
const struct link *site_link_of(const struct site *site, __u32 ifindex);
/* The routing table of packets that come in by a link. */
__u32 site_table(const struct site *site, const struct link *link);
/* The name of the VRF with this routing table, NULL if there is none. */
const char *site_vrf(const struct site *site, __u32 table);

/* Ports are numbered from 0. SITE_NO_PORT: the link is none. */
__u16 site_port(const struct site *site, const struct link *link);
__u16 site_ports(const struct site *site);
const char *site_port_name(const struct site *site, __u16 port);
