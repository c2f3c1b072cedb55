// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/canonical.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include "bench/workload/random.h"

#define ICMP_UNREACHABLE   3
#define ICMP_REDIRECT      5
#define ICMP_TIME_EXCEEDED 11

#define ICMP6_UNREACHABLE   1
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_REDIRECT      137

#define REDIRECTS_COUNTED   1
#define UNREACHABLE_COUNTED 3

// Open addressing, never deleted from, doubled when half full.
struct tally {
	__u64 key;
	__u32 count;
};

struct canonical {
	const struct world *world;
	struct tally *tally;
	__u32 used, room;
};

static __u16 get16(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static __u64 hash_bytes(__u64 hash, const __u8 *at, __u32 count)
{
	while (count--)
		hash = (hash ^ *at++) * 1099511628211u;
	return hash;
}

static struct tally *slot(struct tally *tally, __u32 room, __u64 key)
{
	__u32 i = random_mix(key) & (room - 1);

	while (tally[i].count && tally[i].key != key)
		i = (i + 1) & (room - 1);
	return &tally[i];
}

static bool grow(struct canonical *canonical)
{
	__u32 room = canonical->room ? canonical->room * 2 : 1024;
	struct tally *larger = calloc(room, sizeof(*larger));

	if (!larger)
		return false;
	for (__u32 i = 0; i < canonical->room; i++)
		if (canonical->tally[i].count)
			*slot(larger, room, canonical->tally[i].key) = canonical->tally[i];
	free(canonical->tally);
	canonical->tally = larger;
	canonical->room = room;
	return true;
}

// Counts one more; how many it makes.
static __u32 count(struct canonical *canonical, __u64 key)
{
	struct tally *tally;

	if (canonical->used * 2 >= canonical->room && !grow(canonical))
		abort();
	tally = slot(canonical->tally, canonical->room, key);
	canonical->used += !tally->count;
	tally->key = key;
	return ++tally->count;
}

static void count_all(struct canonical *canonical, __u64 key, __u32 times)
{
	while (times--)
		count(canonical, key);
}

// Finds the IP header and how much of the frame is IP; 0: not IP, or not sound.
static __u32 find_ip(const __u8 *frame, __u32 length, __u8 *ret_family, __u32 *ret_ip_length)
{
	__u32 at = 12, left, ip_length;
	__u16 type = 0;

	while (at + 6 <= length) {
		type = get16(frame + at);
		if (type != 0x8100 && type != 0x88a8)
			break;
		at += 4;
	}
	at += 2;
	left = at < length ? length - at : 0;
	if (type == 0x0800 && left >= 20)
		ip_length = get16(frame + at + 2);
	else if (type == 0x86dd && left >= 40)
		ip_length = 40 + get16(frame + at + 4);
	else
		return 0;
	*ret_family = type == 0x0800 ? AF_INET : AF_INET6;
	*ret_ip_length = ip_length < left ? ip_length : left;
	return *ret_ip_length >= (type == 0x0800 ? 20 : 40) ? at : 0;
}

// Takes the time out of an IPv4 header. True: there was some, and the checksum went with it.
static bool clear_time_stamps(__u8 *ip, __u32 ip_length)
{
	__u32 end = (ip[0] & 0xf) * 4, at = 20;
	bool any = false;

	while (at < end && end <= ip_length && ip[at] != IPOPT_END) {
		__u32 size = ip[at] == IPOPT_NOP ? 1 : at + 1 < end ? ip[at + 1] : 0;

		if (size == 0 || at + size > end)
			break;
		if (ip[at] == IPOPT_TIMESTAMP && size > 4) {
			memset(ip + at + 4, 0, size - 4);
			any = true;
		}
		at += size;
	}
	if (any)
		memset(ip + 10, 0, 2);
	return any;
}

// Whether an ICMP message of ours counts.
static bool icmp4_counts(struct canonical *canonical, const __u8 *ip, __u32 header)
{
	__u8 type = ip[header], code = ip[header + 1];
	__u64 key = hash_bytes(type << 8 | code, ip + 16, 4), errors = hash_bytes(0, ip + 16, 4);

	if (type == ICMP_TIME_EXCEEDED && code == 1)
		return false;
	if (type == ICMP_UNREACHABLE && code == 1 && canonical->world->odd)
		return false;
	if (type == ICMP_REDIRECT) {
		count_all(canonical, errors, UNREACHABLE_COUNTED); // it uses up what errors live on
		return count(canonical, key) <= REDIRECTS_COUNTED;
	}
	if (type == ICMP_UNREACHABLE && (code == 0 || code == 1 || code == 13))
		return count(canonical, errors) <= UNREACHABLE_COUNTED;
	return true;
}

static bool icmp6_counts(struct canonical *canonical, const __u8 *ip, __u32 ip_length)
{
	__u8 type = ip[40], code = ip[41];

	if (type == ICMP6_TIME_EXCEEDED && code == 1)
		return false;
	if (type == ICMP6_UNREACHABLE && code == 3 && canonical->world->odd)
		return false;
	if (type == ICMP6_REDIRECT) // limited by the destination of the packet, which the redirect names
		return ip_length < 80 || count(canonical, hash_bytes(type, ip + 64, 16)) <= REDIRECTS_COUNTED;
	return !((type >= 130 && type <= 136) || type == 143);
}

static bool ipv4_counts(struct canonical *canonical, __u8 *ip, __u32 ip_length)
{
	__u32 header = (ip[0] & 0xf) * 4, quoted = header + 8;

	clear_time_stamps(ip, ip_length);
	if (!canonical->world->odd && !world_is_own(canonical->world, AF_INET, ip + 12))
		return ip[9] != IPPROTO_IGMP || memcmp(ip + 12, "\0\0\0\0", 4) != 0;
	memset(ip + 4, 0, 2);
	memset(ip + 10, 0, 2);
	if (ip[9] == IPPROTO_IGMP)
		return false;
	if (ip[9] == IPPROTO_ICMP && quoted + 20 <= ip_length &&
	    clear_time_stamps(ip + quoted, ip_length - quoted))
		memset(ip + header + 2, 0, 2);
	return ip[9] != IPPROTO_ICMP || header + 2 > ip_length || icmp4_counts(canonical, ip, header);
}

static bool ipv6_counts(struct canonical *canonical, const __u8 *ip, __u32 ip_length)
{
	bool link_local = ip[8] == 0xfe && (ip[9] & 0xc0) == 0x80;
	const __u8 unspecified[16] = { 0 };

	if (!link_local && memcmp(ip + 8, unspecified, 16) != 0 && !canonical->world->odd &&
	    !world_is_own(canonical->world, AF_INET6, ip + 8))
		return true;
	if (ip[6] == IPPROTO_HOPOPTS) // MLD
		return false;
	return ip[6] != IPPROTO_ICMPV6 || ip_length < 42 || icmp6_counts(canonical, ip, ip_length);
}

struct canonical *canonical_new(const struct world *world)
{
	struct canonical *canonical = calloc(1, sizeof(*canonical));

	if (canonical)
		canonical->world = world;
	return canonical;
}

void canonical_free(struct canonical *canonical)
{
	if (!canonical)
		return;
	free(canonical->tally);
	free(canonical);
}

bool canonical_frame(struct canonical *canonical, struct capture_frame *frame, bool forwarded)
{
	__u32 ip_length, at;
	__u8 family;

	if (frame->length >= 14 && get16(frame->bytes + 12) == 0x0806)
		return false;
	at = find_ip(frame->bytes, frame->length, &family, &ip_length);
	if (!at)
		return true;
	if (frame->length <= 60 + (at - 14)) // 4 more for each tag
		frame->length = at + ip_length;
	if (forwarded)
		return true;
	if (family == AF_INET)
		return ipv4_counts(canonical, frame->bytes + at, ip_length);
	return ipv6_counts(canonical, frame->bytes + at, ip_length);
}

__u64 canonical_key(const __u8 *frame, __u32 length)
{
	__u32 ip_length, at;
	__u64 hash = 14695981039346656037u;
	__u8 family;

	at = find_ip(frame, length, &family, &ip_length);
	if (!at)
		return 0;
	if (family == AF_INET) {
		hash = hash_bytes(hash, frame + at, 8);
		hash = hash_bytes(hash, frame + at + 9, 1);
		hash = hash_bytes(hash, frame + at + 12, ip_length - 12);
	} else {
		hash = hash_bytes(hash, frame + at, 7);
		hash = hash_bytes(hash, frame + at + 8, ip_length - 8);
	}
	return hash ? hash : 1;
}
