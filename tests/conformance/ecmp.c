// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Equal-cost paths, end to end: from the fib's calls to the frames that leave. Shares follow the weights
 * within 5 %, a flow keeps its path whatever its packets look like, fragments go by addresses only, and when
 * a member goes no flow but its own moves.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

#include "bench/workload/random.h"
#include "tests/conformance/runner.h"
#include "tests/conformance/world_fib.h"
#include "tests/oracle/draft.h"

#define PORTS   4
#define MEMBERS 64
#define FLOWS   300000
#define SEED    20261130
#define NOBODY  0xff

struct scene {
	struct world *world;
	struct world_fib *tables;
	void *runner;
	__u32 leaf, count;
	struct fib_path path[MEMBERS];
	__u8 family;
	int failures;
};

static void fail(struct scene *scene, const char *what, double is, double wanted)
{
	printf("IPv%u, %u members: %s: %g, wanted %g\n", scene->family == AF_INET ? 4 : 6, scene->count, what,
	       is, wanted);
	scene->failures++;
}

// Port p has the neighbours that members p, p + PORTS, ... stand for; the last byte of a link address is the
// member.
static struct world *draw_world(void)
{
	struct world *world = world_new();

	for (__u32 port = 0; port < PORTS; port++) {
		struct world_interface *interface = world_add_interface(world);

		for (__u32 member = port; member < MEMBERS; member += PORTS) {
			struct world_neighbour neighbour = { .ifindex = interface->ifindex,
							     .family = AF_INET6,
							     .address = { 0xfe, 0x80, [15] = member + 1 },
							     .mac = { 2, 0, 0, 0, 0, member },
							     .resolved = true };

			world_add_neighbour(world, &neighbour);
		}
	}
	world_add_interface(world); // where packets come in
	return world;
}

static struct fib_leaf_spec spec_of(struct scene *scene)
{
	return (struct fib_leaf_spec){ .family = scene->family,
				       .path_count = scene->count,
				       .path = scene->path };
}

static void set_paths(struct scene *scene, __u32 count, __u32 weights)
{
	memset(scene->path, 0, sizeof(scene->path));
	scene->count = count;
	for (__u32 i = 0; i < count; i++)
		scene->path[i] = (struct fib_path){ .ifindex = WORLD_FIRST_IFINDEX + i % PORTS,
						    .family = AF_INET6,
						    .gateway = { 0xfe, 0x80, [15] = i + 1 },
						    .weight = 1 + i % weights };
}

static bool route_all(struct scene *scene)
{
	struct fib_leaf_spec spec = spec_of(scene);
	struct fib_prefix all = { .family = scene->family };

	return fib_leaf_new(scene->tables->fib, &spec, &scene->leaf) == 0 &&
	       fib_route_set(scene->tables->fib, RT_TABLE_MAIN, &all, scene->leaf, false) == 0;
}

static void draft_flow(struct scene *scene, __u32 flow, struct draft *draft)
{
	struct random random;

	random_seed(&random, flow);
	draft_start(draft, scene->family);
	memcpy(draft->destination_mac, scene->world->interface[PORTS].mac, 6);
	random_bytes(&random, draft->source, 16);
	random_bytes(&random, draft->destination, 16);
	draft->source[0] = draft->destination[0] = scene->family == AF_INET ? 20 : 0x20;
	draft->protocol = flow % 2 ? 6 : 17;
	draft->source_port = random_next(&random);
	draft->destination_port = random_next(&random);
}

// The member that a packet goes to.
static __u8 member_of(struct scene *scene, const struct draft *draft)
{
	static struct runner_outcome outcome;
	__u8 frame[DRAFT_FRAME];
	__u32 length = draft_write(draft, frame);

	if (runner_user.run(scene->runner, scene->tables->port[PORTS], frame, length, &outcome) < 0 ||
	    outcome.action != ACTION_FORWARD)
		return NOBODY;
	return outcome.frame[5];
}

static void ask_flows(struct scene *scene, __u8 *ret_member)
{
	for (__u32 flow = 0; flow < FLOWS; flow++) {
		struct draft draft;

		draft_flow(scene, flow, &draft);
		ret_member[flow] = member_of(scene, &draft);
	}
}

// Within 5 % and what chance adds.
static void check_shares(struct scene *scene, const __u8 *member)
{
	__u32 total[256] = { 0 }, weights = 0;

	for (__u32 flow = 0; flow < FLOWS; flow++)
		total[member[flow]]++;
	if (total[NOBODY])
		fail(scene, "flows that nobody takes", total[NOBODY], 0);
	for (__u32 i = 0; i < scene->count; i++)
		weights += scene->path[i].weight;
	for (__u32 i = 0; i < scene->count; i++) {
		double wanted = (double)FLOWS * scene->path[i].weight / weights;

		if (fabs(total[i] - wanted) > 0.05 * wanted + 4 * sqrt(wanted))
			fail(scene, "flows of a member", total[i], wanted);
	}
}

// Other lengths, TTLs, ids and marks change nothing; all fragments between two hosts go one way.
static void check_affinity(struct scene *scene, const __u8 *member)
{
	for (__u32 flow = 0; flow < FLOWS; flow += 97) {
		struct draft draft, first;

		draft_flow(scene, flow, &draft);
		first = draft;
		draft.ttl = 2 + flow % 200;
		draft.id = flow;
		draft.tos = flow;
		draft.payload = 30 + flow % 1000;
		draft.mark = flow;
		if (member_of(scene, &draft) != member[flow])
			fail(scene, "another packet of a flow took another path", flow, flow);
		if (scene->family != AF_INET)
			continue;
		draft.fragment = 0x2000;
		first.fragment = 0x0010;
		first.source_port ^= 1;
		first.protocol ^= 1;
		if (member_of(scene, &draft) != member_of(scene, &first))
			fail(scene, "two fragments took two paths", flow, flow);
	}
}

// Flows of members that `gone` names must have moved to others, all others must have stayed.
static void check_moves(struct scene *scene, const char *what, const __u8 *before, const __u8 *after,
			bool (*gone)(__u8 member))
{
	__u32 strayed = 0, stuck = 0;

	for (__u32 flow = 0; flow < FLOWS; flow++) {
		strayed += !gone(before[flow]) && after[flow] != before[flow];
		stuck += after[flow] == NOBODY || gone(after[flow]);
	}
	if (strayed || stuck) {
		printf("%s: ", what);
		fail(scene, "flows that moved without need, or did not move", strayed + stuck, 0);
	}
}

static bool on_port_1(__u8 member)
{
	return member % PORTS == 1;
}

static bool is_0(__u8 member)
{
	return member == 0;
}

static bool is_none(__u8 member)
{
	return false;
}

static void set_port_1(struct scene *scene, bool up)
{
	scene->world->interface[1].up = up;
	world_fib_interface(scene->tables, &scene->world->interface[1]);
	world_fib_settle(scene->tables);
}

static void check_group(struct scene *scene, __u32 count, __u32 weights)
{
	static __u8 before[FLOWS], after[FLOWS];
	struct fib_leaf_spec spec;

	set_paths(scene, count, weights);
	if (!route_all(scene)) {
		fail(scene, "no route", 0, 1);
		return;
	}
	world_fib_settle(scene->tables);
	ask_flows(scene, before);
	check_shares(scene, before);
	check_affinity(scene, before);
	set_port_1(scene, false);
	ask_flows(scene, after);
	check_moves(scene, "a link goes down", before, after, on_port_1);
	set_port_1(scene, true);
	ask_flows(scene, after);
	check_moves(scene, "it comes back", before, after, is_none);
	spec = spec_of(scene);
	spec.path++;
	spec.path_count--;
	if (fib_leaf_change(scene->tables->fib, scene->leaf, &spec) < 0)
		fail(scene, "the group cannot lose a member", 0, 1);
	world_fib_settle(scene->tables);
	ask_flows(scene, after);
	check_moves(scene, "a member is taken out", before, after, is_0);
	fib_leaf_put(scene->tables->fib, scene->leaf);
}

int main(void)
{
	static const __u32 counts[] = { 2, 3, 8, 16, 64 };
	const struct fib_limits limits = { .node_chunks = 1 << 16, .run_cells = 1 << 20 };
	struct scene scene = { .world = draw_world() };

	if (world_fib_new(scene.world, SEED, &limits, false, &scene.tables) < 0 ||
	    runner_user.open(scene.tables->store, scene.tables->ports, &scene.runner) < 0) {
		fprintf(stderr, "cannot load the world\n");
		return 1;
	}
	for (int i = 0; i < 2 * 5; i++) {
		scene.family = i % 2 ? AF_INET6 : AF_INET;
		check_group(&scene, counts[i / 2], 1);
		check_group(&scene, counts[i / 2], 5);
	}
	runner_user.close(scene.runner);
	world_fib_free(scene.tables);
	world_free(scene.world);
	printf("%d failures\n", scene.failures);
	return scene.failures > 0;
}
