// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/afxdp_cooling.h"

#include "xdp/image.h"

#define FIRST_OWNER AFXDP_OWNERS(IMAGE_PORTS *STEERING_QUEUES)

_Static_assert(FIRST_OWNER + AFXDP_COOLING_PLACES <= 65536, "owners are numbers of 16 bits");

bool afxdp_cooling_take(struct afxdp_cooling *cooling, struct afxdp_frames *frames, __u16 receive_owner,
			__u16 send_owner, __u64 now)
{
	for (int place = 0; place < AFXDP_COOLING_PLACES; place++) {
		if (cooling->until[place])
			continue;
		cooling->until[place] = now + AFXDP_COOLING_MS;
		afxdp_frames_move(frames, receive_owner, FIRST_OWNER + place);
		afxdp_frames_move(frames, send_owner, FIRST_OWNER + place);
		return true;
	}
	return false;
}

void afxdp_cooling_end(struct afxdp_cooling *cooling, struct afxdp_frames *frames, __u64 now)
{
	for (int place = 0; place < AFXDP_COOLING_PLACES; place++) {
		if (!cooling->until[place] || cooling->until[place] > now)
			continue;
		afxdp_frames_reclaim(frames, FIRST_OWNER + place);
		cooling->until[place] = 0;
	}
}

__u32 afxdp_cooling_count(const struct afxdp_cooling *cooling, const struct afxdp_frames *frames)
{
	__u32 count = 0;

	for (int place = 0; place < AFXDP_COOLING_PLACES; place++)
		if (cooling->until[place])
			count += afxdp_frames_owned(frames, FIRST_OWNER + place);
	return count;
}
