// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/updates.h"

#include "bench/workload/prefix.h"
#include "bench/workload/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// A plan is made in advance, 8 bytes per update: which route, and its next hop from then on.

#define PLAN_LIVE_MAX 256 // more-specific routes of a mixture that are there at the same time

struct plan_step {
	__u32 route;   // index in table or, from table->count on, in more
	__u32 nexthop; // 0: withdrawn
};

struct plan {
	struct updates updates;
	const struct table *table;
	struct table *more; // routes that are not in table
	struct plan_step *steps;
	size_t count, room, next;
	double rate;
	// While the plan is made:
	struct random random;
	__u32 *current;            // next hop of each route of table
	__u32 live[PLAN_LIVE_MAX]; // indices of routes of more
	unsigned int live_count;
	int error;
};

static const struct table_route *plan_route(const struct plan *plan, __u32 i)
{
	return i < plan->table->count ? &plan->table->routes[i] : &plan->more->routes[i - plan->table->count];
}

static int plan_next(struct updates *updates, struct update *ret_update)
{
	struct plan *plan = (struct plan *)updates;
	const struct plan_step *step = &plan->steps[plan->next];

	if (plan->next == plan->count)
		return 0;
	ret_update->seconds = plan->rate > 0 ? plan->next / plan->rate : 0;
	ret_update->withdraw = !step->nexthop;
	ret_update->route = *plan_route(plan, step->route);
	ret_update->route.nexthop = step->nexthop;
	plan->next++;
	return 1;
}

static void plan_free(struct updates *updates)
{
	struct plan *plan = (struct plan *)updates;

	table_free(plan->more);
	free(plan->current);
	free(plan->steps);
	free(plan);
}

static void plan_step(struct plan *plan, __u32 route, __u32 nexthop)
{
	if (plan->error)
		return;
	if (plan->count == plan->room) {
		size_t room = plan->room ? plan->room * 2 : 4096;
		struct plan_step *steps = reallocarray(plan->steps, room, sizeof(*steps));

		if (!steps) {
			plan->error = -ENOMEM;
			return;
		}
		plan->steps = steps;
		plan->room = room;
	}
	plan->steps[plan->count++] = (struct plan_step){ route, nexthop };
	if (route < plan->table->count)
		plan->current[route] = nexthop;
}

// Goes if it is there, comes back with its own next hop if not.
static void plan_flap(struct plan *plan, __u32 route)
{
	plan_step(plan, route, plan->current[route] ? 0 : plan->table->routes[route].nexthop);
}

// A next hop of 1 to nexthops that is not the present one.
static void plan_change(struct plan *plan, __u32 route, __u32 nexthops)
{
	__u32 current = plan->current[route];
	bool skip = current >= 1 && current <= nexthops;
	__u32 nexthop = 1 + random_below(&plan->random, nexthops - skip);

	plan_step(plan, route, skip && nexthop >= current ? nexthop + 1 : nexthop);
}

static bool plan_is_known(const struct plan *plan, const struct table_route *route)
{
	size_t low = 0, high = plan->table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = table_route_compare(&plan->table->routes[middle], route);

		if (!order)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (unsigned int i = 0; i < plan->live_count; i++)
		if (!table_route_compare(plan_route(plan, plan->live[i]), route))
			return true;
	return false;
}

static void plan_withdraw_live(struct plan *plan)
{
	unsigned int i = random_below(&plan->random, plan->live_count);

	plan_step(plan, plan->live[i], 0);
	plan->live[i] = plan->live[--plan->live_count];
}

// Announces a route 1 to 8 bits longer than one of the table; one that is too long or known is left out.
static void plan_announce_more(struct plan *plan, __u32 nexthops)
{
	struct table_route route = plan->table->routes[random_below(&plan->random, plan->table->count)];
	unsigned int cover = route.len, width = table_width(route.family);
	int r;

	route.len += 1 + random_below(&plan->random, 8);
	if (route.len > width)
		return;
	for (unsigned int bit = cover; bit < route.len; bit++)
		route.addr[bit / 8] |= random_below(&plan->random, 2) << (7 - bit % 8);
	if (plan_is_known(plan, &route))
		return;
	r = table_append(plan->more, &route);
	if (r < 0) {
		plan->error = r;
		return;
	}
	plan->live[plan->live_count] = plan->table->count + plan->more->count - 1;
	plan_step(plan, plan->live[plan->live_count++], 1 + random_below(&plan->random, nexthops));
}

static void plan_mixed_step(struct plan *plan, __u32 nexthops)
{
	__u32 route = random_below(&plan->random, plan->table->count);
	unsigned int kind = random_below(&plan->random, 8);

	if (kind < 4)
		plan_flap(plan, route);
	else if (kind < 6)
		plan_change(plan, route, nexthops);
	else if (plan->live_count == PLAN_LIVE_MAX || (plan->live_count && kind == 6))
		plan_withdraw_live(plan);
	else
		plan_announce_more(plan, nexthops);
}

// Puts the table back as it was.
static void plan_restore(struct plan *plan)
{
	while (plan->live_count && !plan->error)
		plan_withdraw_live(plan);
	for (size_t i = 0; i < plan->table->count; i++)
		if (plan->current[i] != plan->table->routes[i].nexthop)
			plan_step(plan, i, plan->table->routes[i].nexthop);
}

static struct plan *plan_new(const struct table *table, const struct updates_options *options)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	plan->updates = (struct updates){ plan_next, plan_free };
	plan->table = table;
	plan->rate = options->rate;
	random_seed(&plan->random, options->seed);
	plan->more = table_new();
	plan->current = calloc(table->count, sizeof(*plan->current));
	if (!plan->more || !plan->current) {
		plan_free(&plan->updates);
		return NULL;
	}
	for (size_t i = 0; i < table->count; i++)
		plan->current[i] = table->routes[i].nexthop;
	return plan;
}

static int plan_start(const struct table *table, const struct updates_options *options, bool valid,
		      struct plan **ret_plan)
{
	if (!valid || options->rate < 0)
		return -EINVAL;
	if (!table->count)
		return -ENOENT;
	*ret_plan = plan_new(table, options);
	return *ret_plan ? 0 : -ENOMEM;
}

static int plan_finish(struct plan *plan, struct updates **ret_updates)
{
	int r = plan->error;

	if (r < 0) {
		plan_free(&plan->updates);
		return r;
	}
	free(plan->current);
	plan->current = NULL;
	*ret_updates = &plan->updates;
	return 0;
}

// Returns the indices 0 to count-1 in random order.
static __u32 *plan_shuffle(struct plan *plan, size_t count)
{
	__u32 *order = calloc(count, sizeof(*order));

	if (!order) {
		plan->error = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		size_t j = random_below(&plan->random, i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	return order;
}

int updates_flaps(const struct table *table, const struct updates_options *options, double share,
		  struct updates **ret_updates)
{
	struct plan *plan;
	__u32 *order;
	size_t flapping;
	int r = plan_start(table, options, share > 0 && share <= 1, &plan);

	if (r < 0)
		return r;
	flapping = table->count * share < 1 ? 1 : table->count * share;
	order = plan_shuffle(plan, table->count);
	for (size_t i = 0; i < options->count && !plan->error; i++)
		plan_flap(plan, order[random_below(&plan->random, flapping)]);
	plan_restore(plan);
	free(order);
	return plan_finish(plan, ret_updates);
}

struct plan_session {
	__u64 rank;
	__u32 route;
};

static int plan_session_compare(const void *left, const void *right)
{
	const struct plan_session *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->route < b->route ? -1 : a->route > b->route;
}

// All routes, in the order of a random rank of their next hops.
static struct plan_session *plan_sessions(struct plan *plan)
{
	struct plan_session *sessions = calloc(plan->table->count, sizeof(*sessions));
	__u64 salt = random_next(&plan->random);

	if (!sessions) {
		plan->error = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < plan->table->count; i++)
		sessions[i] = (struct plan_session){ random_mix(salt + plan->table->routes[i].nexthop), i };
	qsort(sessions, plan->table->count, sizeof(*sessions), plan_session_compare);
	return sessions;
}

int updates_session_loss(const struct table *table, const struct updates_options *options,
			 struct updates **ret_updates)
{
	size_t count = options->count < table->count ? options->count : table->count;
	struct plan_session *sessions;
	struct plan *plan;
	int r = plan_start(table, options, true, &plan);

	if (r < 0)
		return r;
	sessions = plan_sessions(plan);
	for (unsigned int back = 0; back < 2; back++)
		for (size_t i = 0; i < count && !plan->error; i++)
			plan_flap(plan, sessions[i].route);
	free(sessions);
	return plan_finish(plan, ret_updates);
}

int updates_nexthop_change(const struct table *table, const struct updates_options *options, __u32 nexthops,
			   struct updates **ret_updates)
{
	struct plan *plan;
	int r = plan_start(table, options, nexthops >= 2 && nexthops <= TABLE_NEXTHOP_MAX, &plan);

	if (r < 0)
		return r;
	for (size_t i = 0; i < table->count && !plan->error; i++)
		plan_change(plan, i, nexthops);
	plan_restore(plan);
	return plan_finish(plan, ret_updates);
}

int updates_mixture(const struct table *table, const struct updates_options *options, __u32 nexthops,
		    struct updates **ret_updates)
{
	struct plan *plan;
	int r = plan_start(table, options, nexthops >= 2 && nexthops <= TABLE_NEXTHOP_MAX, &plan);

	if (r < 0)
		return r;
	for (size_t i = 0; i < options->count && !plan->error; i++)
		plan_mixed_step(plan, nexthops);
	plan_restore(plan);
	return plan_finish(plan, ret_updates);
}
