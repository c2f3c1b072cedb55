// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Ports of one card share its tables, as far as the kernel says which card they are on. Each port has its own
 * instance of the program, with its number and its counters.
 */
#include "host/engine/offload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <linux/capability.h>

#include "host/engine/offload_card.h"
#include "host/engine/offload_probe.h"
#include "host/loop.h"

#define CARDS 16

struct offload {
	const struct engine_context *context;
	int seen_fd; /* threads of cards write to it when something changed */
	struct offload_card *cards[CARDS];
	unsigned int count;
	struct offload_card *of_port[IMAGE_PORTS]; /* the last that had the number; NULL: none */
};

static void card_changed(void *arg, __u32 ifindex)
{
	struct offload *offload = arg;

	offload->context->changed(offload->context->arg, ifindex);
}

static void seen(void *arg, uint32_t events)
{
	struct offload *offload = arg;
	__u64 times;

	(void)!read(offload->seen_fd, &times, sizeof(times));
	for (unsigned int i = 0; i < offload->count; i++)
		offload_card_each(offload->cards[i], card_changed, offload);
}

static int open_offload(const struct engine_context *context, void **ret, struct why *why)
{
	struct offload *offload = calloc(1, sizeof(*offload));
	int error;

	if (!offload)
		return why_set(why, ENOMEM, "out of memory");
	offload->context = context;
	offload->seen_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = offload->seen_fd < 0 ? -errno : 0;
	if (error)
		goto free_offload;
	error = loop_fd_add(context->loop, offload->seen_fd, EPOLLIN, seen, offload);
	if (error)
		goto close_fd;
	*ret = offload;
	return 0;
close_fd:
	close(offload->seen_fd);
free_offload:
	free(offload);
	return why_set(why, -error, "cannot watch cards: %s", strerror(-error));
}

static void close_offload(void *engine)
{
	struct offload *offload = engine;

	for (unsigned int i = 0; i < offload->count; i++)
		offload_card_free(offload->cards[i]);
	loop_fd_remove(offload->context->loop, offload->seen_fd);
	close(offload->seen_fd);
	free(offload);
}

/* The card that the port is on; ports of which nobody says it are cards of their own. */
static int card_of(struct offload *offload, const struct engine_port *port, struct offload_card **ret,
		   struct why *why)
{
	struct ethtool_facts facts;
	const char *name = port->name;
	int error;

	if (ethtool_read(port->name, &facts) == 0 && facts.bus[0])
		name = facts.bus;
	for (unsigned int i = 0; i < offload->count; i++)
		if (strcmp(offload_card_name(offload->cards[i]), name) == 0) {
			*ret = offload->cards[i];
			return 0;
		}
	if (offload->count == CARDS)
		return why_set(why, ENOSPC, "there were more than %d cards; restart penstock", CARDS);
	error = offload_card_new(offload->context, &offload_device, name, offload->seen_fd, ret);
	if (error < 0)
		return why_set(why, -error, "cannot serve another card: %s", strerror(-error));
	offload->cards[offload->count++] = *ret;
	return 0;
}

static int attach(void *engine, const struct engine_port *port, struct why *why)
{
	struct offload *offload = engine;
	struct offload_card *card;
	int error = card_of(offload, port, &card, why);

	if (error < 0)
		return error;
	error = offload_card_add(card, port);
	if (error < 0)
		return why_set(why, -error, "out of memory");
	offload->of_port[port->id] = card;
	return 0;
}

static void detach(void *engine, const struct engine_port *port)
{
	struct offload *offload = engine;

	if (offload->of_port[port->id])
		offload_card_drop(offload->of_port[port->id], port);
}

/* Other ports send by what is behind the card. */
static int start(void *engine, const struct engine_port *port, struct why *why)
{
	return 0;
}

static void stop(void *engine, const struct engine_port *port)
{
}

static int state(void *engine, const struct engine_port *port, const struct capability *now,
		 struct engine_state *ret)
{
	struct offload *offload = engine;
	struct offload_card *card = offload->of_port[port->id];

	return card ? offload_card_state(card, port, ret) : -ENOENT;
}

static int counters(void *engine, __u16 port, struct image_counters *ret)
{
	struct offload *offload = engine;

	memset(ret, 0, sizeof(*ret));
	for (unsigned int i = 0; i < offload->count; i++)
		offload_card_counters(offload->cards[i], port, ret);
	return 0;
}

static unsigned int facts(void *engine, const struct engine_port *port, struct engine_fact *ret)
{
	struct offload *offload = engine;

	struct offload_card *card = offload->of_port[port->id];

	return card ? offload_card_facts(card, port, ret) : 0;
}

const struct engine_ops engine_offload = {
	.name = "offload",
	.place = ENGINE_PLACE_CARD,
	.rights = 1ull << CAP_SYS_ADMIN, /* the kernel makes maps of devices for nobody else */
	.effect = "what goes out where it came in never reaches the host; the rest as behind the card",
	.probe = offload_probe,
	.open = open_offload,
	.close = close_offload,
	.attach = attach,
	.detach = detach,
	.start = start,
	.stop = stop,
	.state = state,
	.counters = counters,
	.facts = facts,
};
