// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <stdlib.h>

#include "host/engine/afxdp_cooling.h"

#define FRAMES        4096
#define RECEIVE_OWNER 1
#define SEND_OWNER    2
#define NOW           5000 /* ms */

static struct afxdp_frames *frames;
static struct afxdp_cooling cooling;
static struct afxdp_cache cache;

static void set_up(void)
{
	cr_assert_eq(afxdp_frames_new(FRAMES, &frames), 0);
}

static void tear_down(void)
{
	afxdp_frames_free(frames);
}

TestSuite(afxdp_frames, .init = set_up, .fini = tear_down);

/* What a socket does whose numbers these are. */
static void hold(__u16 owner, __u32 count)
{
	while (count--) {
		cr_assert_eq(afxdp_cache_ready(&cache, frames, 1), 1);
		frames->owner[cache.frame[--cache.count]] = owner;
	}
}

/* Every frame of the pool is free and there once. */
static void check_pool(__u32 count)
{
	bool seen[FRAMES] = { false };

	afxdp_cache_spill(&cache, frames, AFXDP_CACHE);
	cr_assert_eq(frames->free_count, count);
	for (__u32 i = 0; i < count; i++) {
		cr_assert_eq(frames->owner[frames->free[i]], AFXDP_FREE, "frame %u has an owner",
			     frames->free[i]);
		cr_assert(!seen[frames->free[i]], "frame %u is there twice", frames->free[i]);
		seen[frames->free[i]] = true;
	}
}

/* The queue of a closed socket has another one, with the same numbers, while the frames of the first cool. */
Test(afxdp_frames, a_socket_follows_another_on_its_queue)
{
	hold(RECEIVE_OWNER, 1000);
	hold(SEND_OWNER, 20);
	cr_assert(afxdp_cooling_take(&cooling, frames, RECEIVE_OWNER, SEND_OWNER, NOW));
	hold(RECEIVE_OWNER, 700);
	hold(SEND_OWNER, 10);
	cr_assert_eq(afxdp_cooling_count(&cooling, frames), 1020);
	afxdp_cooling_end(&cooling, frames, NOW + AFXDP_COOLING_MS - 1);
	cr_assert_eq(afxdp_cooling_count(&cooling, frames), 1020, "too early");
	check_pool(FRAMES - 1730);
	afxdp_cooling_end(&cooling, frames, NOW + AFXDP_COOLING_MS);
	cr_assert_eq(afxdp_cooling_count(&cooling, frames), 0);
	cr_assert_eq(afxdp_frames_owned(frames, RECEIVE_OWNER), 700);
	cr_assert_eq(afxdp_frames_owned(frames, SEND_OWNER), 10);
	check_pool(FRAMES - 710);
}

Test(afxdp_frames, places_are_taken_and_come_back)
{
	for (__u32 i = 0; i < AFXDP_COOLING_PLACES; i++) {
		hold(RECEIVE_OWNER, i + 1);
		cr_assert(afxdp_cooling_take(&cooling, frames, RECEIVE_OWNER, SEND_OWNER, NOW + i));
	}
	hold(RECEIVE_OWNER, 5);
	cr_assert(!afxdp_cooling_take(&cooling, frames, RECEIVE_OWNER, SEND_OWNER, NOW));
	cr_assert_eq(afxdp_frames_owned(frames, RECEIVE_OWNER), 5, "who has no place keeps them");
	afxdp_cooling_end(&cooling, frames, NOW + AFXDP_COOLING_MS);
	cr_assert_eq(afxdp_cooling_count(&cooling, frames),
		     AFXDP_COOLING_PLACES * (AFXDP_COOLING_PLACES + 1) / 2 - 1, "not just the first");
	cr_assert(afxdp_cooling_take(&cooling, frames, RECEIVE_OWNER, SEND_OWNER, NOW));
	afxdp_cooling_end(&cooling, frames, NOW + 2 * AFXDP_COOLING_MS);
	check_pool(FRAMES);
}
