// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Links in the words of `ip link`, as they are typed, and of `ip address`, as it prints them, turned into
 * what the kernel would say about them. They are collected until the end, because later lines add to them; a
 * link has its number from where its name is first met.
 */
#pragma once

#include <stdbool.h>
#include <linux/types.h>

#include "host/mirror/link_message.h"
#include "host/why.h"

struct site;
struct sysctl_text;

struct link_text {
	struct link_message message;
	bool declared; /* by a line about links, not only named */
	bool sized;    /* its MTU was given */
	__u32 line;    /* where it was named first */
};

struct link_texts {
	struct link_text *link; /* [ifindex - 1] */
	__u32 count, room;
	__u32 line; /* of the file under way, set by who reads it */
};

/* With the loopback device alone. -ENOMEM. */
int link_texts_init(struct link_texts *links);
void link_texts_free(struct link_texts *links);

/* The number of a link; 0: there is none of that name. */
__u32 link_text_find(const struct link_texts *links, const char *name);
/* The same, and it has one from now on. 0: it cannot be a link, or there is no room. */
__u32 link_text_get(struct link_texts *links, const char *name);
/* Until the next one is named. */
struct link_message *link_text_message(const struct link_texts *links, __u32 ifindex);

/* A link address. False: it is none. */
bool link_text_mac(const char *word, __u8 mac[6]);
/* Position of the word behind this one, from `at` on; 0: it is not there. */
unsigned int link_text_behind(char *const *word, unsigned int count, unsigned int at, const char *wanted);

/* The words of `ip link` behind `add` or `set`. -EINVAL and `why`, which knows nothing of the place. */
int link_text_read(struct link_texts *links, char *const *word, unsigned int count, struct why *why);
/* Is it the first line of a link as `ip address` prints it? */
bool link_text_is_shown(char *const *word, unsigned int count);
/* Reads that line, whose words it changes. */
int link_text_shown(struct link_texts *links, char *const *word, unsigned int count, __u32 *ret_ifindex,
		    struct why *why);
/* The indented lines below that, but for addresses. */
int link_text_detail(struct link_texts *links, __u32 ifindex, char *const *word, unsigned int count,
		     struct why *why);

/* All have been read: tells the site of them, or says what is missing. */
int link_texts_end(struct link_texts *links, const struct sysctl_text *sysctls, struct site *site,
		   struct why *why);
