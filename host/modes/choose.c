// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/choose.h"

#include <stdio.h>
#include <string.h>

#include "host/engine/engine.h"
#include "host/modes/advice.h"
#include "host/modes/tags.h"

#define CHOOSE_GAIN 1.2 /* times as much as the first in the order, to be taken in its stead */

/* Returns what is to be filled in. */
static struct probe *add_option(struct decision *decision, const char *mode, const struct engine_ops *engine)
{
	struct choose_option *option = &decision->option[decision->count++];

	*option = (struct choose_option){ .mode = mode, .engine = engine };
	return &option->probe;
}

/* The attempt has the last word: no table and no driver tells all. */
static void probe_failures(const struct engine_ops *engine, const struct capability *port, struct probe *ret)
{
	size_t length = strlen(engine->name);

	for (int i = 0; i < CAPABILITY_FAILED; i++) {
		const char *failed = port->failed[i];

		if (strncmp(failed, engine->name, length) != 0 || strncmp(failed + length, ": ", 2) != 0)
			continue;
		probe_no(ret, "it was tried, and failed: %.150s", failed + length + 2);
		probe_fix(ret, "penstock reload tries again");
	}
}

static void probe_engine(const struct engine_ops *engine, const struct platform *platform,
			 const struct capability *port, struct probe *ret)
{
	__u64 missing = platform_rights_missing(platform, engine->rights);
	bool asked;

	engine->probe(platform, port, ret);
	asked = ret->asked;
	if (missing && !ret->alien) {
		probe_no(ret, "%s is missing", platform_right_name(missing));
		probe_fix(ret, "a restart of penstock that asks for %s, as root", engine->name);
	} else if (ret->possible) {
		probe_failures(engine, port, ret);
	}
	ret->asked = asked;
}

/* Engines that bring devices of their own serve these, and may say how a card that the kernel does not have
 * becomes one. */
static bool is_for(const struct engine_ops *engine, const struct capability *port)
{
	if (!engine->bring)
		return !port->device[0];
	return port->device[0] || (!port->ifindex && port->pci.address[0]);
}

static void list_options(const struct engine_ops *const *engines, const struct platform *platform,
			 const struct capability *port, const char *wish, struct decision *decision)
{
	struct probe *probe;

	for (; *engines && decision->count < CHOOSE_OPTIONS - 1; engines++) {
		if (!is_for(*engines, port))
			continue;
		probe = add_option(decision, (*engines)->name, *engines);
		probe_engine(*engines, platform, port, probe);
		if (probe->alien && strcmp(wish, (*engines)->name) != 0)
			memset(&decision->option[--decision->count], 0, sizeof(decision->option[0]));
	}
	probe = add_option(decision, CHOOSE_KERNEL, NULL);
	if (port->device[0])
		probe_yes(probe, "Linux forwards all frames, by the interface that stands for the device");
	else if (port->ifindex)
		probe_yes(probe, "Linux forwards as ever");
	else if (port->pci.address[0])
		probe_no(probe, "the kernel has no interface for it");
	else
		probe_no(probe, "there is no such interface");
}

static unsigned int find_mode(const struct decision *decision, const char *mode)
{
	unsigned int i = 0;

	while (i < decision->count && strcmp(decision->option[i].mode, mode) != 0)
		i++;
	return i;
}

static void choose_best(struct decision *decision)
{
	unsigned int best = 0, better;

	while (best < decision->count - 1 &&
	       (!decision->option[best].probe.possible || decision->option[best].probe.asked))
		best++;
	decision->chosen = best;
	for (better = best; better > 0 && (decision->option[better - 1].probe.possible ||
					   decision->option[better - 1].probe.asked);
	     better--)
		; /* what is better but not taken unless asked for explains nothing */
	if (better == 0)
		snprintf(decision->reason, sizeof(decision->reason), "the best there is: %.180s",
			 decision->option[best].probe.reason);
	else
		snprintf(decision->reason, sizeof(decision->reason), "%s is not possible: %.160s",
			 decision->option[better - 1].mode, decision->option[better - 1].probe.reason);
}

static __u32 measured(const struct platform *platform, const struct capability *port,
		      const struct choose_option *option)
{
	return option->engine && option->engine->measured ? option->engine->measured(platform, port) : 0;
}

/* The first that the order passes over unless it is asked for, and that was measured; NULL: there is none. A
 * daemon that decided against it has given up the rights for it, and goes on to say why. */
static const struct choose_option *rival(const struct platform *platform, const struct capability *port,
					 const struct decision *decision)
{
	for (unsigned int i = 0; i < decision->count; i++) {
		const struct choose_option *option = &decision->option[i];

		if (option->probe.asked && measured(platform, port, option))
			return option;
	}
	return NULL;
}

/*
 * What the order passes over may be the better one all the same, where a port has one queue: then its packets
 * keep one CPU busy, and an engine with threads of its own another. That is what was measured. With several
 * queues all CPUs are busy in any case, and what costs less is better.
 */
static void calibrate(const struct platform *platform, const struct capability *port,
		      struct decision *decision)
{
	const struct choose_option *best = &decision->option[decision->chosen];
	const struct choose_option *other = rival(platform, port, decision);
	__u32 ours = measured(platform, port, best), theirs;
	char before[sizeof(decision->reason)];

	if (!ours || !other || port->ethtool.rx_queues > 1)
		return;
	theirs = measured(platform, port, other);
	memcpy(before, decision->reason, sizeof(before));
	if (other->probe.possible && theirs >= ours * CHOOSE_GAIN) {
		probe_yes(&decision->option[other - decision->option].probe,
			  "faster here than %s, though not as a rule", best->mode);
		decision->chosen = other - decision->option;
		snprintf(decision->reason, sizeof(decision->reason),
			 "measured over veth here: %.3f million packets a second, in mode %s %.3f",
			 theirs / 1e6, best->mode, ours / 1e6);
	} else {
		snprintf(decision->reason, sizeof(decision->reason),
			 "%.100s; measured over veth here: %.3f million packets a second, in mode %s %.3f",
			 before, ours / 1e6, other->mode, theirs / 1e6);
	}
}

static void choose_wish(struct decision *decision, const char *wish)
{
	unsigned int index = find_mode(decision, wish);

	if (index < decision->count && decision->option[index].probe.possible) {
		decision->chosen = index;
		snprintf(decision->reason, sizeof(decision->reason), "as configured");
		return;
	}
	decision->refused = true;
	decision->chosen = decision->count - 1;
	if (index == decision->count)
		snprintf(decision->reason, sizeof(decision->reason), "this port has no mode '%s'", wish);
	else
		snprintf(decision->reason, sizeof(decision->reason), "%s was asked for, but %.160s", wish,
			 decision->option[index].probe.reason);
}

/* The best engine of the host that nobody need ask for. */
static const struct engine_ops *best_behind(const struct decision *decision)
{
	for (unsigned int i = 0; i < decision->count - 1; i++) {
		const struct choose_option *option = &decision->option[i];

		if (option->probe.possible && !option->probe.asked &&
		    option->engine->place != ENGINE_PLACE_CARD)
			return option->engine;
	}
	return NULL;
}

/* A card hands what it does not forward to an engine of the host, the best that is possible. */
static void list_tiers(struct decision *decision)
{
	const struct choose_option *chosen = &decision->option[decision->chosen];

	decision->tier[decision->tiers++] = chosen->mode;
	decision->host = chosen->engine;
	if (chosen->engine && chosen->engine->place == ENGINE_PLACE_CARD) {
		decision->card = chosen->engine;
		decision->host = best_behind(decision);
		if (decision->host)
			decision->tier[decision->tiers++] = decision->host->name;
	}
	if (chosen->engine)
		decision->tier[decision->tiers++] = CHOOSE_KERNEL;
	decision->effect = chosen->engine ? chosen->engine->effect : NULL;
}

static void list_notes(const struct platform *platform, const struct capability *port,
		       struct decision *decision)
{
	struct findings findings = { decision->note, CHOOSE_NOTES, 0 };

	if (!decision->option[decision->chosen].engine)
		return;
	advice_port(platform, port, &findings);
	decision->notes = finding_listed(&findings);
}

void choose(const struct engine_ops *const *engines, const struct platform *platform,
	    const struct capability *port, const char *wish, bool native_peers, struct decision *ret)
{
	memset(ret, 0, sizeof(*ret));
	list_options(engines, platform, port, wish, ret);
	if (strcmp(wish, "auto") == 0) {
		choose_best(ret);
		calibrate(platform, port, ret);
	} else {
		choose_wish(ret, wish);
	}
	if (port->device[0])
		probe_yes(&ret->egress.able, "the engine sends what comes to its interface");
	else
		egress_probe(platform, port, native_peers, &ret->egress);
	list_tiers(ret);
	if (!port->device[0])
		list_notes(platform, port, ret);
	if (!ret->option[ret->chosen].engine)
		return;
	if (ethtool_hides_received(&port->ethtool) && !tags_doubtful(port))
		snprintf(ret->change, sizeof(ret->change),
			 "rxvlan off, so that VLAN tags stay in the frames");
	else if (tags_doubtful(port) && port->stack.vlans && port->peer_hides_tags && port->lower_name[0])
		snprintf(ret->change, sizeof(ret->change),
			 "txvlan of %s off, so that VLAN tags stay in the frames", port->lower_name);
}
