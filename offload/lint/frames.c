// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/frames.h"

#include <errno.h>
#include <stdlib.h>

#define ALIGN  64 /* bytes, of frames */
#define SLOT   8  /* bytes that the kernel hands out at least */
#define RETURN 4  /* bytes of a return address, */
#define KEPT   32 /* and of r6 to r9 */

struct frames {
	const struct judge *judge;
	const uint8_t *reached;
	uint8_t mask;
	uint32_t *known; /* of each function, with what it calls, + 1; 0: not known yet */
};

static uint32_t rounded(uint32_t bytes, uint32_t to)
{
	return (bytes + to - 1) / to * to;
}

/* Functions nest as deep as STATE_FRAMES at most, or that is a finding. */
static uint32_t deepest(const struct frames *frames, const struct object_function *function, uint32_t depth)
{
	const struct object *object = frames->judge->object;
	uint32_t *known = &frames->known[function - object->functions];
	uint32_t most = 0, called;

	if (*known || depth == STATE_FRAMES)
		return *known ? *known - 1 : 0;
	*known = 1; /* it would not end where functions call each other in a circle that no path closes */
	for (uint32_t i = function->first; i < function->first + function->count; i++) {
		uint32_t below;

		if (!(frames->reached[i] & frames->mask) || !object_calls(object, i, &called))
			continue;
		below = deepest(frames, object_function_of(object, called), depth + 1);
		if (below > most)
			most = below;
	}
	most += rounded(frames_size(frames->judge, function, depth > 0), ALIGN);
	*known = most + 1;
	return most;
}

uint32_t frames_size(const struct judge *judge, const struct object_function *function, bool called)
{
	uint32_t size = rounded(judge->stack[function - judge->object->functions], SLOT);

	if (called)
		size += RETURN + (object_keeps_registers(judge->object, function) ? KEPT : 0);
	return size;
}

int64_t frames_deepest(const struct judge *judge, const struct object_function *program,
		       const uint8_t *reached, uint8_t mask)
{
	struct frames frames = { .judge = judge, .reached = reached, .mask = mask };
	uint32_t most;

	frames.known = calloc(judge->object->function_count, sizeof(*frames.known));
	if (!frames.known)
		return -ENOMEM;
	most = deepest(&frames, program, 0);
	free(frames.known);
	return most;
}
