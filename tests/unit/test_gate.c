// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* A port between made-up engines that fail when they are told to, on a clock that the test moves. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "host/changes.h"
#include "host/gate.h"
#include "tests/unit/fib_fixture.h"

#define IFINDEX 3
#define SECOND  1000

static struct fixture fixture;
static struct gate gate;
static struct gate_place place;
static struct platform platform = { .release = "6.18.0", .version = 61800, .cpus = 2, .features = true };
static uint64_t now = 1000;
static struct capability seen; // what anybody sees who looks at the port
static bool pinned;            // the last daemon left a link of number 0

// --- the engines ---

struct fake {
	unsigned int attempts, attached; // attached: 1 or 0
	int error;                       // of the next attempts; 0: they succeed
	bool deaf;                       // others may not send to the port
	unsigned int refused_starts;     // that are still to come
	unsigned int starts;
	__u64 counted; // packets for the port's number, ever
	__u16 queues;  // of its state; of a card: what it was told when it was attached
};

static struct fake best, second, card;
static bool has_card;

static void probe(const struct platform *with, const struct capability *port, struct probe *ret)
{
	probe_yes(ret, "made up");
}

static void probe_card(const struct platform *with, const struct capability *port, struct probe *ret)
{
	probe_yes(ret, "made up");
	ret->possible = has_card;
	ret->alien = !has_card;
}

static int open_fake(const struct engine_context *context, void **ret, struct why *why)
{
	return 0;
}

static int attach(void *engine, const struct engine_port *port, struct why *why)
{
	struct fake *fake = engine;

	fake->attempts++;
	if (fake->error)
		return why_set(why, -fake->error, "refused: %s", strerror(-fake->error));
	cr_expect_eq(best.attached + second.attached, 0);
	fake->attached = 1;
	return 0;
}

static int attach_card(void *engine, const struct engine_port *port, struct why *why)
{
	card.attempts++;
	cr_expect_eq(card.attached, 0);
	cr_expect_eq(best.attached + second.attached, 1, "behind it there is somebody");
	card.attached = 1;
	card.queues = port->queues;
	return 0;
}

static void detach(void *engine, const struct engine_port *port)
{
	struct fake *fake = engine;

	cr_expect_eq(fake->attached, 1);
	fake->attached = 0;
}

static int start(void *engine, const struct engine_port *port, struct why *why)
{
	struct fake *fake = engine;

	if (fake->refused_starts) {
		fake->refused_starts--;
		return why_set(why, ENOMEM, "not now");
	}
	fake->starts++;
	return 0;
}

static void stop(void *engine, const struct engine_port *port)
{
}

static int state(void *engine, const struct engine_port *port, const struct capability *facts,
		 struct engine_state *ret)
{
	struct fake *fake = engine;

	*ret = (struct engine_state){ .attached = fake->attached && facts->ifindex == port->ifindex,
				      .able.possible = !fake->deaf,
				      .queues = fake->queues };
	return 0;
}

static int counters(void *engine, __u16 port, struct image_counters *ret)
{
	struct fake *fake = engine;

	memset(ret, 0, sizeof(*ret));
	ret->reason[REASON_FORWARDED].packets = fake->counted;
	return 0;
}

static const struct engine_ops best_ops = {
	.name = "native",
	.probe = probe,
	.open = open_fake,
	.attach = attach,
	.detach = detach,
	.start = start,
	.stop = stop,
	.state = state,
	.counters = counters,
};
static const struct engine_ops second_ops = {
	.name = "generic",
	.probe = probe,
	.open = open_fake,
	.attach = attach,
	.detach = detach,
	.start = start,
	.stop = stop,
	.state = state,
	.counters = counters,
};
static const struct engine_ops card_ops = {
	.name = "offload",
	.place = ENGINE_PLACE_CARD,
	.probe = probe_card,
	.open = open_fake,
	.attach = attach_card,
	.detach = detach,
	.start = start,
	.stop = stop,
	.state = state,
	.counters = counters,
};
const struct engine_ops *const engine_list[] = { &card_ops, &best_ops, &second_ops, NULL };

static int engine(void *arg, const struct engine_ops *ops, void **ret, struct why *why)
{
	*ret = ops == &card_ops ? &card : ops == &best_ops ? &best : &second;
	return 0;
}

// --- what stands in for the kernel ---

uint64_t __wrap_loop_now(void);
int __wrap_capability_read(const char *interface, struct xdp_features *features, struct capability *ret);
unsigned int __wrap_if_nametoindex(const char *name);
void __wrap_grace_wait_kernel(void);
int __wrap_pins_link_get(struct pins *pins, __u32 ifindex, __u16 *ret_port);

uint64_t __wrap_loop_now(void)
{
	return now;
}

int __wrap_capability_read(const char *interface, struct xdp_features *features, struct capability *ret)
{
	*ret = seen;
	return seen.ifindex ? 0 : -ENODEV;
}

unsigned int __wrap_if_nametoindex(const char *name)
{
	return seen.ifindex;
}

void __wrap_grace_wait_kernel(void)
{
}

int __wrap_pins_link_get(struct pins *pins, __u32 ifindex, __u16 *ret_port)
{
	*ret_port = 0;
	return pinned ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -ENOENT;
}

static void set_up(void)
{
	char name[] = "eth0";
	struct config_port port = { .interface = name, .mode = CONFIG_MODE_AUTO };
	struct fib_interface interface = fixture_ethernet(IFINDEX);
	struct why why;

	fixture_new(&fixture, NULL);
	fixture_set(&fixture, &interface);
	place = (struct gate_place){ .platform = &platform, .fib = fixture.fib, .engine = engine };
	cr_assert_eq(changes_open("/nowhere/at/all", &place.changes, &why), 0);
	seen = (struct capability){ .name = "eth0",
				    .ifindex = IFINDEX,
				    .type = ARPHRD_ETHER,
				    .up = true,
				    .carrier = true,
				    .mtu = 1500,
				    .lower_namespace = -1 };
	gate_init(&gate, &port);
}

static void tear_down(void)
{
	gate_release(&gate, &place);
	cr_expect_eq(best.attached + second.attached + card.attached, 0);
	changes_close(place.changes);
	fixture_free(&fixture);
}

TestSuite(gate, .init = set_up, .fini = tear_down);

// A second goes by, somebody looks, and the port is reviewed.
static void second_later(void)
{
	now += SECOND;
	fixture_settle(&fixture);
	gate_plan_now(&gate, &place);
	(void)gate_review(&gate, &place, true);
}

static void seconds_later(unsigned int seconds)
{
	while (seconds--)
		second_later();
}

Test(gate, the_best_engine_is_taken_and_kept)
{
	seconds_later(100);
	cr_expect_str_eq(gate_mode(&gate), "native");
	cr_expect_eq(best.attempts, 1);
	cr_expect_eq(best.starts, 1);
	cr_expect_eq(second.attempts, 0);
}

// 30 seconds, then twice as long each time; it runs in the next best meanwhile.
Test(gate, an_engine_that_failed_is_tried_again_by_itself)
{
	best.error = -ENOMEM;
	second_later();
	cr_expect_str_eq(gate_mode(&gate), "generic");
	cr_expect_eq(best.attempts, 1);
	seconds_later(29);
	cr_expect_eq(best.attempts, 1);
	seconds_later(2);
	cr_expect_eq(best.attempts, 2);
	cr_expect_str_eq(gate_mode(&gate), "generic");
	seconds_later(58);
	cr_expect_eq(best.attempts, 2);
	best.error = 0;
	seconds_later(4);
	cr_expect_eq(best.attempts, 3);
	cr_expect_str_eq(gate_mode(&gate), "native");
	seconds_later(4000);
	cr_expect_eq(best.attempts, 3);
	cr_expect_eq(second.attempts, 2);
}

Test(gate, what_fails_for_good_is_tried_every_hour)
{
	best.error = -EOPNOTSUPP;
	seconds_later(30 * 255); // 30 s * (1 + 2 + 4 ... + 64) are over
	cr_expect(best.attempts >= 8 && best.attempts <= 10, "%u attempts", best.attempts);
	unsigned int before = best.attempts;
	seconds_later(10 * 3610);
	cr_expect(best.attempts - before >= 9 && best.attempts - before <= 11, "%u attempts",
		  best.attempts - before);
	cr_expect_str_eq(gate_mode(&gate), "generic");
}

Test(gate, where_no_engine_works_all_are_tried_again)
{
	best.error = second.error = -EOPNOTSUPP;
	second_later();
	cr_expect_eq(gate.state, GATE_KERNEL);
	cr_expect_eq(best.attempts, 1);
	cr_expect_eq(second.attempts, 1);
	seconds_later(28);
	cr_expect_eq(best.attempts, 1);
	best.error = 0;
	seconds_later(3);
	cr_expect_str_eq(gate_mode(&gate), "native");
}

Test(gate, a_person_need_not_wait_and_starts_anew)
{
	best.error = -ENOMEM;
	seconds_later(100); // it would be tried after two more minutes
	cr_expect_eq(best.attempts, 3);
	gate_forgive(&gate);
	seconds_later(1);
	cr_expect_eq(best.attempts, 4);
	seconds_later(31);
	cr_expect_eq(best.attempts, 5);
}

Test(gate, other_settings_lead_to_another_try)
{
	best.error = -EINVAL;
	seconds_later(10);
	cr_expect_eq(best.attempts, 1);
	best.error = 0;
	seen.mtu = 1400;
	second_later();
	cr_expect_str_eq(gate_mode(&gate), "native");
}

// It runs, but others cannot send to it yet: that step alone is tried again.
Test(gate, a_part_that_failed_is_tried_every_time)
{
	best.refused_starts = 3;
	seconds_later(3);
	cr_expect_str_eq(gate_mode(&gate), "native");
	cr_expect_not(gate.started);
	seconds_later(1);
	cr_expect(gate.started && gate.egress.possible);
	cr_expect_eq(best.attempts, 1);
}

// The kernel was too busy to tell: what was, holds.
Test(gate, nothing_happens_where_nobody_could_look)
{
	struct gate_sight sight = { .error = -EAGAIN };

	second_later();
	cr_assert_str_eq(gate_mode(&gate), "native");
	gate_plan(&gate, &place, &sight);
	cr_expect_not(gate_review(&gate, &place, true));
	cr_expect_str_eq(gate_mode(&gate), "native");
	sight.error = -ENODEV;
	gate_plan(&gate, &place, &sight);
	cr_expect(gate_review(&gate, &place, true));
	cr_expect_eq(gate.state, GATE_ABSENT);
}

static __u64 counted(void)
{
	gate_sample(&gate);
	return gate_packets(&gate, ACTION_FORWARD);
}

Test(gate, counters_go_on_over_modes_and_start_anew_with_a_number_of_another_port)
{
	struct why why;

	best.counted = 1000; // by a port that had the number before
	second.counted = 50;
	seconds_later(2);
	cr_expect_eq(counted(), 0);
	best.counted += 7;
	cr_expect_eq(counted(), 7);
	best.counted += 1; // not sampled
	cr_assert_eq(gate_switch(&gate, "generic", &place, &why), 0);
	cr_expect_eq(counted(), 8);
	second.counted += 2;
	cr_expect_eq(counted(), 10);
	cr_assert_eq(gate_switch(&gate, "native", &place, &why), 0);
	best.counted += 100;
	cr_expect_eq(counted(), 110);
}

Test(gate, counters_of_the_last_daemon_are_its_own)
{
	pinned = true;
	best.counted = 1000;
	seconds_later(2);
	cr_expect_eq(counted(), 1000);
	best.counted += 7;
	cr_expect_eq(counted(), 1007);
}

static unsigned int comings;

static void coming(void *arg, const struct gate *to, const struct engine_ops *ops)
{
	cr_expect_eq(to, &gate);
	cr_expect_eq(best.attached + second.attached, 0);
	comings++;
}

Test(gate, a_pause_lasts_until_the_next_review)
{
	struct why why;

	fixture_route(&fixture, RT_TABLE_MAIN, "10.0.0.0/8", IFINDEX, "192.0.2.1");
	fixture_neighbour(&fixture, IFINDEX, "192.0.2.1", 9);
	place.coming = coming;
	cr_expect_not(gate_pause_egress(&gate, &place));
	seconds_later(2);
	cr_expect_eq(comings, 1);
	cr_expect_eq(fixture_ask(&fixture, RT_TABLE_MAIN, "10.1.1.1"), 9);
	cr_expect(gate_pause_egress(&gate, &place));
	fixture_settle(&fixture);
	cr_expect_eq(fixture_ask(&fixture, RT_TABLE_MAIN, "10.1.1.1"), -REASON_EGRESS_UNABLE);
	second_later();
	fixture_settle(&fixture);
	cr_expect_eq(fixture_ask(&fixture, RT_TABLE_MAIN, "10.1.1.1"), 9);
	cr_expect_eq(best.starts, 1);
	cr_assert_eq(gate_switch(&gate, "generic", &place, &why), 0);
	cr_expect_eq(comings, 2);
}

// The card is told how many queues the engine behind it reads, and told anew when that is another number.
Test(gate, a_card_knows_the_queues_of_what_is_behind_it)
{
	struct why why;

	has_card = true;
	best.queues = 4;
	seconds_later(10);
	cr_expect_str_eq(gate_mode(&gate), "offload");
	cr_expect_eq(card.queues, 4);
	cr_expect_eq(card.attempts, 1);
	best.queues = 6;
	seconds_later(10);
	cr_expect_str_eq(gate_mode(&gate), "offload");
	cr_expect_eq(card.queues, 6);
	cr_expect_eq(card.attempts, 2);
	cr_expect_eq(best.attempts, 1, "it goes on all the while");
	cr_assert_eq(gate_switch(&gate, "kernel", &place, &why), 0);
	cr_expect_eq(card.attached, 0);
	best.error = -EINVAL;
	cr_assert_eq(gate_switch(&gate, "auto", &place, &why), 0);
	cr_expect(card.attached && second.attached);
	cr_expect_eq(card.queues, 0);
}
