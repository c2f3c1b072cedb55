// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/mirror_bed.h"

#include "bench/destination.h"
#include "bench/netns.h"
#include "bench/workload/prefix.h"
#include "bench/workload/random.h"
#include "bench/workload/table_generate.h"

#include <err.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MIRROR_BED_SEED    1
// From the prefixes that are set aside for benchmarks: in no table.
#define MIRROR_BED_MARK    "198.18.0.1/32"
#define MIRROR_BED_WAIT_MS 60000
#define MIRROR_BED_HURRY   (-15)
// Set in the next hop of a flapping route while destinations are drawn.
#define MIRROR_BED_FLAPS   0x800000u
#define MIRROR_BED_DRAWN   (2 * MIRROR_BED_DESTINATIONS)

static bool mirror_bed_flaps_route(size_t index)
{
	return random_mix(index) % MIRROR_BED_FLAPPING == 0;
}

static int mirror_bed_make_tables(struct mirror_bed *bed, size_t routes4, size_t routes6)
{
	struct table_generate_options options = TABLE_GENERATE_FULL;
	size_t i;
	int err;

	options.ipv4 = routes4;
	options.ipv6 = routes6;
	err = table_generate(&options, &bed->routes);
	if (err < 0)
		return err;
	bed->flapping = table_new();
	if (!bed->flapping)
		return -ENOMEM;
	for (i = 0; err >= 0 && i < bed->routes->count; i++)
		if (mirror_bed_flaps_route(i))
			err = table_append(bed->flapping, &bed->routes->routes[i]);
	return err;
}

static int mirror_bed_set_destinations(struct mirror_bed *bed, __u8 family, const struct destination *drawn)
{
	struct generate_destination *to = bed->destinations[family == AF_INET6];
	struct table_route mark;
	unsigned int i, count = 0;

	prefix_parse(MIRROR_BED_MARK, &mark);
	memset(to, 0, sizeof(bed->destinations[0]));
	if (family == AF_INET)
		memcpy(to[count++].address, mark.addr, sizeof(mark.addr)); // at gateway 0
	for (i = 0; i < MIRROR_BED_DRAWN && count < MIRROR_BED_DESTINATIONS; i++) {
		if (drawn[i].nexthop & MIRROR_BED_FLAPS)
			continue;
		memcpy(to[count].address, drawn[i].address, sizeof(to[count].address));
		to[count++].gateway = lane_gateway(drawn[i].nexthop);
	}
	if (count < MIRROR_BED_DESTINATIONS)
		return -ENOENT;
	generate_set_destinations(bed->generate, family, to, MIRROR_BED_DESTINATIONS);
	return 0;
}

static int mirror_bed_draw(struct mirror_bed *bed, struct table *all, __u8 family)
{
	struct destination *drawn = calloc(MIRROR_BED_DRAWN, sizeof(*drawn));
	struct table *table = NULL;
	struct random random;
	int err = -ENOMEM;

	random_seed(&random, MIRROR_BED_SEED);
	if (drawn)
		err = table_select(all, family, &table);
	if (err >= 0)
		err = destination_draw(table, &random, drawn, MIRROR_BED_DRAWN);
	if (err >= 0)
		err = mirror_bed_set_destinations(bed, family, drawn);
	table_free(table);
	free(drawn);
	return err;
}

static int mirror_bed_draw_all(struct mirror_bed *bed)
{
	struct table *all = bed->routes;
	size_t i;
	int err;

	for (i = 0; i < all->count; i++)
		if (mirror_bed_flaps_route(i))
			all->routes[i].nexthop |= MIRROR_BED_FLAPS;
	err = mirror_bed_draw(bed, all, AF_INET);
	if (err >= 0)
		err = mirror_bed_draw(bed, all, AF_INET6);
	for (i = 0; i < all->count; i++)
		all->routes[i].nexthop &= ~MIRROR_BED_FLAPS;
	return err;
}

static int mirror_bed_open_inject(struct mirror_bed *bed)
{
	unsigned int gateway, six;
	int home, err;

	for (gateway = 0; gateway < LANE_GATEWAYS; gateway++) {
		for (six = 0; six < 2; six++) {
			bed->hops[six][gateway].ifindex = bed->topology.subject.r1.ifindex;
			lane_gateway_address(gateway, six ? AF_INET6 : AF_INET,
					     bed->hops[six][gateway].gateway);
		}
	}
	err = netns_enter(bed->topology.subject.r0.netns, &home);
	if (err < 0)
		return err;
	err = inject_open(&bed->inject);
	netns_leave(home);
	return err;
}

static const struct inject_hop *mirror_bed_hop(const struct mirror_bed *bed, const struct table_route *route)
{
	return &bed->hops[route->family == AF_INET6][lane_gateway(route->nexthop)];
}

static int mirror_bed_put_mark(struct mirror_bed *bed)
{
	struct table_route mark;

	prefix_parse(MIRROR_BED_MARK, &mark);
	return inject_route(bed->inject, INJECT_REPLACE, &mark, &bed->hops[0][bed->marked]);
}

// Reads the number behind a name in a file of the kernel, in its unit; -1 when it is not there.
static double mirror_bed_proc_kb(pid_t pid, const char *name)
{
	char path[64], line[256];
	double value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtod(line + strlen(name), NULL);
	fclose(file);
	return value;
}

int mirror_bed_open(struct mirror_bed *bed, size_t routes4, size_t routes6)
{
	int err;

	err = topology_open_for("bench mirror", NULL, &bed->topology);
	if (err < 0)
		return err;
	err = generate_open(&bed->topology, &bed->generate);
	if (err >= 0) {
		generate_expect_gateways(bed->generate, true);
		err = probe_open(&bed->topology, bed->generate, &bed->probe);
	}
	if (err >= 0)
		err = mirror_bed_open_inject(bed);
	if (err >= 0)
		err = mirror_bed_make_tables(bed, routes4, routes6);
	if (err >= 0)
		err = mirror_bed_draw_all(bed);
	if (err < 0) {
		warnx("bench mirror: cannot set up the test bed: %s", strerror(-err));
		mirror_bed_close(bed);
	}
	return err;
}

void mirror_bed_close(struct mirror_bed *bed)
{
	daemon_stop(bed->daemon);
	table_free(bed->routes);
	table_free(bed->flapping);
	inject_close(bed->inject);
	probe_close(bed->probe);
	generate_close(bed->generate);
	topology_close(&bed->topology);
}

int mirror_bed_load(struct mirror_bed *bed)
{
	const struct table *table = bed->routes;
	size_t i;
	int err = 0;

	for (i = 0; err >= 0 && i < table->count; i++) {
		err = inject_route(bed->inject, INJECT_REPLACE, &table->routes[i],
				   mirror_bed_hop(bed, &table->routes[i]));
		if (*bed->stop)
			return -EINTR;
	}
	if (err >= 0)
		err = mirror_bed_put_mark(bed);
	return err < 0 ? err : mirror_bed_flush(bed);
}

int mirror_bed_flaps(const struct mirror_bed *bed, size_t count, struct mirror_updates *ret_updates)
{
	const struct updates_options options = { .seed = MIRROR_BED_SEED, .count = count };
	struct update *list = calloc(count + 2 * bed->flapping->count, sizeof(*list));
	struct updates *updates;
	size_t made = 0;
	int err;

	if (!list)
		return -ENOMEM;
	err = updates_flaps(bed->flapping, &options, 1.0, &updates);
	if (err < 0) {
		free(list);
		return err;
	}
	while (made < count + 2 * bed->flapping->count && updates_next(updates, &list[made]) == 1)
		made++;
	updates_free(updates);
	*ret_updates = (struct mirror_updates){ list, made };
	return 0;
}

int mirror_bed_inject(struct mirror_bed *bed, const struct mirror_updates *updates, size_t first, size_t end)
{
	const struct update *update;
	size_t i;
	int err = 0;

	for (i = first; err >= 0 && i < end; i++) {
		update = &updates->updates[i];
		if (update->withdraw)
			err = inject_route(bed->inject, INJECT_DELETE, &update->route, NULL);
		else
			err = inject_route(bed->inject, INJECT_ADD, &update->route,
					   mirror_bed_hop(bed, &update->route));
		if (*bed->stop)
			return -EINTR;
	}
	return err;
}

int mirror_bed_flush(struct mirror_bed *bed)
{
	struct inject_refusals refusals;
	int err = inject_flush(bed->inject, &refusals);

	if (err < 0 || !refusals.count)
		return err;
	warnx("bench mirror: the kernel refused %llu changes: %s", refusals.count, strerror(-refusals.error));
	return refusals.error;
}

int mirror_bed_mark(struct mirror_bed *bed)
{
	int err;

	bed->marked = !bed->marked;
	err = mirror_bed_put_mark(bed);
	return err < 0 ? err : mirror_bed_flush(bed);
}

int mirror_bed_mark_is_seen(struct mirror_bed *bed)
{
	enum probe_fate fate;
	int err = probe_ask(bed->probe, AF_INET, bed->destinations[0][0].address, 0, &fate);

	if (err < 0)
		return err;
	return fate == (bed->marked ? PROBE_WRONG : PROBE_RIGHT);
}

int mirror_bed_wait_mark(struct mirror_bed *bed)
{
	double end = mirror_bed_now_ms() + MIRROR_BED_WAIT_MS;
	int seen;

	while ((seen = mirror_bed_mark_is_seen(bed)) == 0) {
		if (*bed->stop)
			return -EINTR;
		if (mirror_bed_now_ms() > end)
			return -ETIMEDOUT;
		mirror_bed_sleep_ms(0.2);
	}
	return seen < 0 ? seen : 0;
}

int mirror_bed_usage(const struct mirror_bed *bed, struct mirror_usage *ret_usage)
{
	pid_t pid = daemon_pid(bed->daemon);
	struct timespec cpu;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &cpu) < 0)
		return -ESRCH;
	ret_usage->cpu_ms = cpu.tv_sec * 1e3 + cpu.tv_nsec / 1e6;
	ret_usage->resident_mb = mirror_bed_proc_kb(pid, "VmRSS:") * 1024 / 1e6;
	ret_usage->peak_mb = mirror_bed_proc_kb(pid, "VmHWM:") * 1024 / 1e6;
	return 0;
}

double mirror_bed_number(const struct mirror_bed *bed, const char *name)
{
	json_t *status, *value;
	double number = -1;

	if (daemon_status(bed->daemon, &status) < 0)
		return -1;
	value = json_object_get(json_object_get(status, "mirror"), name);
	if (json_is_boolean(value))
		number = json_is_true(value);
	else if (json_is_number(value))
		number = json_number_value(value);
	json_decref(status);
	return number;
}

int mirror_bed_hurry(void)
{
	int nice = getpriority(PRIO_PROCESS, gettid());

	setpriority(PRIO_PROCESS, gettid(), MIRROR_BED_HURRY); // without it the figures are only noisier
	return nice;
}

void mirror_bed_relax(int nice)
{
	setpriority(PRIO_PROCESS, gettid(), nice);
}

double mirror_bed_own_cpu_ms(void)
{
	struct timespec cpu;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	return cpu.tv_sec * 1e3 + cpu.tv_nsec / 1e6;
}

double mirror_bed_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

void mirror_bed_sleep_ms(double ms)
{
	const struct timespec pause = { .tv_sec = (time_t)(ms / 1e3), .tv_nsec = fmod(ms, 1e3) * 1e6 };

	nanosleep(&pause, NULL);
}
