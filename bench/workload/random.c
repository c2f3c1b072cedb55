// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/random.h"

#include <string.h>

__u64 random_mix(__u64 key)
{
	key += 0x9e3779b97f4a7c15;
	key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9;
	key = (key ^ key >> 27) * 0x94d049bb133111eb;
	return key ^ key >> 31;
}

void random_seed(struct random *r, __u64 seed)
{
	for (unsigned int i = 0; i < 4; i++)
		r->state[i] = random_mix(seed + i * 0x9e3779b97f4a7c15);
}

void random_bytes(struct random *r, void *bytes, unsigned int count)
{
	__u8 *to = bytes;

	while (count) {
		__u64 value = random_next(r);
		unsigned int n = count < sizeof(value) ? count : sizeof(value);

		memcpy(to, &value, n);
		to += n;
		count -= n;
	}
}
