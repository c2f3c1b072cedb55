// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/oracle/draft.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/if_ether.h>

static void put16(__u8 *at, __u16 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put32(__u8 *at, __u32 value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static __u32 sum_words(const __u8 *at, __u32 length)
{
	__u32 sum = 0;

	for (__u32 i = 0; i + 1 < length; i += 2)
		sum += at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static __u32 option_bytes(const struct draft *draft)
{
	return (draft->option_count + 3) & ~3u;
}

static __u32 header_length(const struct draft *draft)
{
	return draft->family == AF_INET ? 20 + option_bytes(draft) : 40 + draft->chain_count;
}

// The id that makes the header's checksum this one: ones' complement arithmetic, where 0xffff - x is -x.
static __u16 id_for_checksum(const __u8 *header, __u32 length, __u16 checksum)
{
	__u32 others = sum_words(header, length); // id and checksum are still zero
	__u32 wanted = 0xffff - checksum;

	return (wanted + 0xffff - others) % 0xffff;
}

static void write_ipv4(const struct draft *draft, __u8 *ip)
{
	__u32 length = header_length(draft);

	memset(ip, 0, length);
	ip[0] = draft->version << 4 |
		((draft->header_words < 0 ? (int)length / 4 : draft->header_words) & 0xf);
	ip[1] = draft->tos;
	put16(ip + 2, draft_ip_length(draft) + draft->length_error);
	put16(ip + 6, draft->fragment);
	ip[8] = draft->ttl;
	ip[9] = draft->protocol;
	memcpy(ip + 12, draft->source, 4);
	memcpy(ip + 16, draft->destination, 4);
	memcpy(ip + 20, draft->option, draft->option_count);
	put16(ip + 4,
	      draft->checksum_edge < 0 ? draft->id : id_for_checksum(ip, length, draft->checksum_edge));
	put16(ip + 10, ~sum_words(ip, length));
	if (draft->checksum_edge == 0xffff && ip[10] == 0 && ip[11] == 0)
		put16(ip + 10, 0xffff); // the other zero
	if (draft->checksum >= 0)
		put16(ip + 10, draft->checksum);
}

static void write_ipv6(const struct draft *draft, __u8 *ip)
{
	put32(ip, (__u32)draft->version << 28 | draft->tos << 20 | (draft->label & 0xfffff));
	put16(ip + 4, draft_ip_length(draft) - 40 + draft->length_error);
	ip[6] = draft->chain_count ? draft->chain_first : draft->protocol;
	ip[7] = draft->ttl;
	memcpy(ip + 8, draft->source, 16);
	memcpy(ip + 24, draft->destination, 16);
	memcpy(ip + 40, draft->chain, draft->chain_count);
}

// The first bytes of UDP, TCP or ICMP, then the mark, then a pattern.
static void write_payload(const struct draft *draft, __u8 *at)
{
	__u8 head[32] = { 0 };
	__u32 length = 8;

	for (__u32 i = 0; i < draft->payload; i++)
		at[i] = i * 7 + draft->mark;
	put16(head, draft->source_port);
	put16(head + 2, draft->destination_port);
	if (draft->protocol == IPPROTO_TCP) {
		put32(head + 4, draft->mark * 2654435761u); // sequence number: nothing to merge
		head[12] = 0x50;
		head[13] = 0x10;
		length = 20;
	} else if (draft->protocol == IPPROTO_UDP) {
		put16(head + 4, draft->payload);
	} else if (draft->protocol == IPPROTO_ICMP || draft->protocol == IPPROTO_ICMPV6) {
		put16(head, draft->protocol == IPPROTO_ICMP ? 0x0800 : 0x8000);
	}
	memcpy(head + length, &draft->mark, sizeof(draft->mark));
	length += sizeof(draft->mark);
	memcpy(at, head, length < draft->payload ? length : draft->payload);
}

void draft_start(struct draft *draft, __u8 family)
{
	memset(draft, 0, sizeof(*draft));
	draft->family = family;
	draft->version = family == AF_INET ? 4 : 6;
	draft->ethertype = family == AF_INET ? ETH_P_IP : ETH_P_IPV6;
	draft->ttl = 64;
	draft->protocol = IPPROTO_UDP;
	draft->header_words = -1;
	draft->checksum = -1;
	draft->checksum_edge = -1;
	draft->payload = 26;
}

__u32 draft_ip_length(const struct draft *draft)
{
	return header_length(draft) + draft->payload;
}

void draft_set_ip_length(struct draft *draft, __u32 length)
{
	if (length >= header_length(draft) && length <= DRAFT_FRAME - 64)
		draft->payload = length - header_length(draft);
}

__u32 draft_write(const struct draft *draft, __u8 ret_frame[DRAFT_FRAME])
{
	__u32 at = 12;

	memcpy(ret_frame, draft->destination_mac, 6);
	memcpy(ret_frame + 6, draft->source_mac, 6);
	for (__u32 i = 0; i < draft->tag_count; i++, at += 4) {
		put16(ret_frame + at, draft->tag[i].tpid);
		put16(ret_frame + at + 2, draft->tag[i].tci);
	}
	put16(ret_frame + at, draft->ethertype);
	at += 2;
	if (draft->family == AF_INET)
		write_ipv4(draft, ret_frame + at);
	else
		write_ipv6(draft, ret_frame + at);
	at += header_length(draft);
	write_payload(draft, ret_frame + at);
	at += draft->payload;
	memset(ret_frame + at, draft->trailer_byte, draft->trailer);
	at += draft->trailer;
	return draft->cut && draft->cut < at ? draft->cut : at;
}
