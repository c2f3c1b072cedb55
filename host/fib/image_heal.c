// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/fib/image_heal.h"

/* What punts is tried again after at least this time, and so many times the time that it took. */
#define HEAL_NANOSECONDS 10000000
#define HEAL_REST        8
#define HEAL_TRIES       3 /* that pages becoming free are worth, without room becoming more */

static struct image_room look_at_room(const struct image_memory *memory)
{
	struct image_memory_usage usage;
	struct image_room room;

	for (int array = 0; array < IMAGE_ARRAYS; array++) {
		image_memory_usage(memory, array, &usage);
		room.used[array] = usage.used;
		room.held[array] = usage.held;
	}
	return room;
}

static bool less_used(const struct image_room *now, const struct image_room *before)
{
	bool less = false;

	for (int array = 0; array < IMAGE_ARRAYS; array++)
		less |= now->used[array] < before->used[array];
	return less;
}

static bool less_held(const struct image_room *now, const struct image_room *before)
{
	bool less = false;

	for (int array = 0; array < IMAGE_ARRAYS; array++)
		less |= now->held[array] < before->held[array];
	return less;
}

/* A try has ended, and what it took and gave back itself is out of limbo. What came free meanwhile counts as
 * new. */
static void end_try(struct image_heal *heal, const struct image_memory *memory)
{
	struct image_room now = look_at_room(memory);

	heal->trying = false;
	if (less_used(&now, &heal->room))
		heal->tries = 0;
	else
		heal->room = now;
}

int image_heal_init(struct image_heal *heal)
{
	*heal = (struct image_heal){ 0 };
	return image_queue_init(&heal->punted);
}

void image_heal_release(struct image_heal *heal)
{
	image_queue_release(&heal->punted);
}

bool image_heal_wanted(const struct image_heal *heal, const struct image_memory *memory)
{
	struct image_room now;

	if (!heal->punted.count || heal->trying || !heal->tries)
		return heal->punted.count;
	now = look_at_room(memory);
	return less_used(&now, &heal->room) || (less_held(&now, &heal->room) && heal->tries < HEAL_TRIES);
}

bool image_heal_due(struct image_heal *heal, const struct image_memory *memory, __u64 time)
{
	struct image_room now;

	if (heal->trying && image_memory_newest(memory))
		return false;
	if (heal->trying)
		end_try(heal, memory);
	if (!heal->rest)
		heal->rest = time + HEAL_NANOSECONDS + HEAL_REST * heal->spent;
	if (!image_heal_wanted(heal, memory) || time < heal->rest)
		return false;
	now = look_at_room(memory);
	if (less_used(&now, &heal->room))
		heal->tries = 0;
	heal->tries++;
	heal->trying = true;
	heal->room = now;
	heal->spent = 0;
	heal->rest = 0;
	return true;
}
