// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A router written down in the words of ip(8), one statement to a line, # begins a comment:
 *
 *   link add eth0 address 02:00:00:00:00:01 mtu 9000          a port; `ip`, `add` and `set` may be left out
 *   link add link eth0 name eth0.10 type vlan id 10
 *   link add red type vrf table 100
 *   link set eth0.10 master red
 *   addr add 192.0.2.1/24 dev eth0                            brings the routes that Linux adds for it
 *   route add 198.51.100.0/24 via 192.0.2.2
 *   neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev eth0
 *   nexthop add id 1 via 192.0.2.2 dev eth0
 *   net.ipv4.conf.eth0.rp_filter = 1                          as sysctl(8) prints it
 *
 * What `ip -d address`, `ip route show table all`, `ip neighbour` and `ip nexthop` print is understood too,
 * one after the other in one file, and so are tables of "PREFIX ID" lines, where the id is that of a next
 * hop. Files may be packed with xz or gzip. Everything forwards unless a sysctl says otherwise.
 */
#pragma once

#include "host/why.h"

struct site;
struct site_text;

/* Begins to fill a site that is empty. -ENOMEM. */
int site_text_new(struct site *site, struct site_text **ret);
/* NULL is fine. */
void site_text_free(struct site_text *text);
/* Reads a file ("-": standard input). Negative errno; `why` names the line. */
int site_text_read(struct site_text *text, const char *path, struct why *why);
/* Nothing more follows: hands over the links, and what hangs on them. */
int site_text_end(struct site_text *text, struct why *why);
