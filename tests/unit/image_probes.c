// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/unit/image_probes.h"

static __u32 number_of(__u32 state)
{
	return state >> 1;
}

static bool in_flight(__u32 state)
{
	return state & 1;
}

void image_probe_init(struct image_probe *probe, __u16 answer)
{
	atomic_store(&probe->answer[0], answer);
	atomic_store(&probe->state, 0);
}

void image_probe_begin(struct image_probe *probe, __u16 answer)
{
	__u32 number = number_of(atomic_load(&probe->state)) + 1;

	atomic_store(&probe->answer[number % PROBE_HISTORY], answer);
	atomic_store(&probe->state, number << 1 | 1);
}

void image_probe_end(struct image_probe *probe)
{
	atomic_store(&probe->state, atomic_load(&probe->state) & ~1u);
}

__u16 image_probe_newest(const struct image_probe *probe)
{
	return atomic_load(&probe->answer[number_of(atomic_load(&probe->state)) % PROBE_HISTORY]);
}

__u32 image_probe_look(const struct image_probe *probe)
{
	return atomic_load(&probe->state);
}

enum image_probe_verdict image_probe_judge(const struct image_probe *probe, __u32 look, __u16 answer)
{
	__u32 now = atomic_load(&probe->state);
	/* While a change is in flight, the answer before it is right too. */
	__u32 first = number_of(look) - (in_flight(look) && number_of(look));
	bool found = false;

	if (number_of(now) - first >= PROBE_HISTORY - 1)
		return PROBE_FORGOTTEN;
	for (__u32 number = first; number <= number_of(now); number++)
		found = found || atomic_load(&probe->answer[number % PROBE_HISTORY]) == answer;
	if (found)
		return PROBE_RIGHT;
	/* The writer may have come round while we looked. */
	now = atomic_load(&probe->state);
	return number_of(now) - first >= PROBE_HISTORY - 1 ? PROBE_FORGOTTEN : PROBE_WRONG;
}
