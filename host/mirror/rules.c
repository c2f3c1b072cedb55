// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/mirror/rules.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/queue.h>
#include <sys/socket.h>

struct entry {
	TAILQ_ENTRY(entry) link;
	struct rule_message rule;
	enum rules_effect effect;
	bool seen;
};

TAILQ_HEAD(entry_list, entry);

struct family {
	struct entry_list list; /* by priority, equal ones in the order of their coming */
	bool absent, unknown;   /* unknown: a rule could not be kept */
	/* from judge() */
	bool punts, l3mdev, by_device;
};

struct rules {
	struct family family[2];
	struct fib_prefix *told; /* overrides in force */
	__u32 told_count;
};

static struct family *family_of(struct rules *rules, __u8 family)
{
	return &rules->family[family == AF_INET6];
}

static bool same_rule(const struct rule_message *a, const struct rule_message *b)
{
	return !memcmp(&a->family, &b->family, sizeof(*a) - offsetof(struct rule_message, family));
}

static struct entry *find(const struct family *family, const struct rule_message *rule)
{
	struct entry *entry;

	TAILQ_FOREACH (entry, &family->list, link)
		if (same_rule(&entry->rule, rule))
			return entry;
	return NULL;
}

static void insert(struct family *family, struct entry *new)
{
	struct entry *entry;

	TAILQ_FOREACH (entry, &family->list, link) {
		if (entry->rule.priority > new->rule.priority) {
			TAILQ_INSERT_BEFORE(entry, new, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&family->list, new, link);
}

/* Matches every packet, and looks a table up without conditions. */
static bool is_plain(const struct rule_message *rule)
{
	return rule->action == FR_ACT_TO_TBL && !rule->source_length && !rule->destination_length &&
	       !rule->input[0] && !rule->output[0] && !rule->narrow && !rule->invert && !rule->suppress;
}

static bool is_main(const struct rule_message *rule)
{
	return is_plain(rule) && !rule->l3mdev && rule->table == RT_TABLE_MAIN;
}

/* Of a rule that comes before `lookup main`. */
static enum rules_effect effect_of(const struct rule_message *rule)
{
	if (is_plain(rule) && (rule->l3mdev || rule->table == RT_TABLE_LOCAL))
		return RULES_NOTHING; /* what is in the local table goes to the kernel, whenever that looks
					 there */
	if (rule->action == FR_ACT_NOP)
		return RULES_NOTHING;
	if (rule->invert)
		return RULES_FAMILY;
	if (!strcmp(rule->input, "lo"))
		return RULES_NOTHING; /* packets of this host */
	if (rule->destination_length)
		return RULES_PREFIX;
	return rule->input[0] || rule->output[0] ? RULES_INTERFACE : RULES_FAMILY;
}

static void judge(struct family *family)
{
	struct entry *entry;
	bool behind = false;

	family->l3mdev = family->by_device = false;
	family->punts = family->unknown;
	TAILQ_FOREACH (entry, &family->list, link) {
		const struct rule_message *rule = &entry->rule;

		behind |= is_main(rule);
		entry->effect = behind ? RULES_NOTHING : effect_of(rule);
		family->l3mdev |= !behind && is_plain(rule) && rule->l3mdev;
		family->by_device |= !behind && (rule->input[0] || entry->effect == RULES_INTERFACE);
		family->punts |= entry->effect == RULES_FAMILY;
	}
	/* Without `lookup main` nothing that we look up there is what the kernel finds. */
	family->punts |= !behind;
	if (family->absent) {
		family->punts = family->by_device = false;
		family->l3mdev = true;
	}
}

static bool by_link(const struct rule_message *rule, const struct link *link, const struct link *master)
{
	if (!strcmp(rule->input, link->name))
		return true;
	/* The name of a VRF stands for what belongs to it, as input and as output. */
	return master && (!strcmp(rule->input, master->name) || !strcmp(rule->output, master->name));
}

static bool family_punts_link(const struct family *family, const struct links *links, const struct link *link)
{
	const struct link *master = link->master ? links_find(links, link->master) : NULL;
	const struct entry *entry;

	if (links_table(links, link) != RT_TABLE_MAIN && !family->l3mdev)
		return true;
	TAILQ_FOREACH (entry, &family->list, link)
		if (entry->effect == RULES_INTERFACE && by_link(&entry->rule, link, master))
			return true;
	return false;
}

/* --- overrides --- */

struct wanted {
	struct fib_prefix *prefix;
	__u32 count;
	int error;
};

static void want(struct wanted *wanted, const struct fib_prefix *prefix)
{
	struct fib_prefix *larger = realloc(wanted->prefix, (wanted->count + 1) * sizeof(*larger));

	if (!larger) {
		wanted->error = -ENOMEM;
		return;
	}
	wanted->prefix = larger;
	larger[wanted->count++] = *prefix;
}

static void want_of_family(const struct family *family, __u8 number, struct wanted *wanted)
{
	struct fib_prefix all = { .family = number };
	const struct entry *entry;

	if (family->punts)
		want(wanted, &all);
	TAILQ_FOREACH (entry, &family->list, link) {
		struct fib_prefix prefix = { .family = number, .length = entry->rule.destination_length };

		if (entry->effect != RULES_PREFIX)
			continue;
		memcpy(prefix.address, entry->rule.destination, sizeof(prefix.address));
		want(wanted, &prefix);
	}
}

static bool among(const struct fib_prefix *prefix, const struct fib_prefix *list, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		if (!memcmp(prefix, &list[i], sizeof(*prefix)))
			return true;
	return false;
}

int rules_new(struct rules **ret)
{
	struct rules *rules = calloc(1, sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	for (int f = 0; f < 2; f++) {
		TAILQ_INIT(&rules->family[f].list);
		judge(&rules->family[f]);
	}
	*ret = rules;
	return 0;
}

void rules_free(struct rules *rules)
{
	struct entry *entry;

	if (!rules)
		return;
	for (int f = 0; f < 2; f++) {
		while ((entry = TAILQ_FIRST(&rules->family[f].list))) {
			TAILQ_REMOVE(&rules->family[f].list, entry, link);
			free(entry);
		}
	}
	free(rules->told);
	free(rules);
}

int rules_apply(struct rules *rules, const struct rule_message *message)
{
	struct family *family = family_of(rules, message->family);
	struct entry *entry = find(family, message);
	int r = 0;

	if (message->deleted && entry) {
		TAILQ_REMOVE(&family->list, entry, link);
		free(entry);
	} else if (!message->deleted && entry) {
		entry->seen = true;
	} else if (!message->deleted) {
		entry = calloc(1, sizeof(*entry));
		if (entry) {
			entry->rule = *message;
			entry->seen = true;
			insert(family, entry);
		} else {
			family->unknown = true;
			r = -ENOMEM;
		}
	}
	judge(family);
	return r;
}

void rules_sync_begin(struct rules *rules, __u8 family)
{
	struct entry *entry;

	TAILQ_FOREACH (entry, &family_of(rules, family)->list, link)
		entry->seen = false;
	family_of(rules, family)->absent = false;
	family_of(rules, family)->unknown = false;
}

void rules_sync_end(struct rules *rules, __u8 number)
{
	struct family *family = family_of(rules, number);
	struct entry *entry, *next;

	for (entry = TAILQ_FIRST(&family->list); entry; entry = next) {
		next = TAILQ_NEXT(entry, link);
		if (entry->seen)
			continue;
		TAILQ_REMOVE(&family->list, entry, link);
		free(entry);
	}
	judge(family);
}

void rules_absent(struct rules *rules, __u8 family)
{
	family_of(rules, family)->absent = true;
	judge(family_of(rules, family));
}

int rules_publish(struct rules *rules, struct rib *rib)
{
	struct wanted wanted = { 0 };

	want_of_family(&rules->family[0], AF_INET, &wanted);
	want_of_family(&rules->family[1], AF_INET6, &wanted);
	for (__u32 i = 0; i < wanted.count; i++)
		if (!among(&wanted.prefix[i], rules->told, rules->told_count) && !wanted.error)
			wanted.error = rib_override(rib, &wanted.prefix[i], REASON_POLICY_RULE);
	for (__u32 i = 0; i < rules->told_count && !wanted.error; i++)
		if (!among(&rules->told[i], wanted.prefix, wanted.count))
			rib_override_remove(rib, &rules->told[i]);
	if (wanted.error) { /* more punts than it should: never wrong */
		free(wanted.prefix);
		return wanted.error;
	}
	free(rules->told);
	rules->told = wanted.prefix;
	rules->told_count = wanted.count;
	return 0;
}

bool rules_punt(const struct rules *rules, const struct links *links, const struct link *link)
{
	if (rules->family[0].by_device && links_checks_source(links, link))
		return true;
	return family_punts_link(&rules->family[0], links, link) ||
	       family_punts_link(&rules->family[1], links, link);
}

const char *rules_effect_name(enum rules_effect effect)
{
	switch (effect) {
	case RULES_NOTHING:
		return "none";
	case RULES_PREFIX:
		return "prefix";
	case RULES_INTERFACE:
		return "interface";
	case RULES_FAMILY:
		return "all";
	}
	return "?";
}

void rules_each(const struct rules *rules, __u8 family,
		bool (*each)(void *arg, const struct rule_message *rule, enum rules_effect effect), void *arg)
{
	const struct entry *entry;

	TAILQ_FOREACH (entry, &rules->family[family == AF_INET6].list, link)
		if (!each(arg, &entry->rule, entry->effect))
			return;
}

__u32 rules_count(const struct rules *rules, __u32 *ret_all)
{
	const struct entry *entry;
	__u32 punting = 0, all = 0;

	for (int f = 0; f < 2; f++) {
		TAILQ_FOREACH (entry, &rules->family[f].list, link) {
			all++;
			punting += entry->effect != RULES_NOTHING;
		}
	}
	if (ret_all)
		*ret_all = all;
	return punting;
}
