// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/decode.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define HEX_LIMIT 256

static __u16 get16(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static void print_mac(FILE *out, const __u8 *mac)
{
	fprintf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void print_payload(FILE *out, __u8 protocol, const __u8 *at, __u32 left)
{
	bool icmp = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;

	if (icmp && left >= 2)
		fprintf(out, " ICMP type %u code %u", at[0], at[1]);
	else if ((protocol == IPPROTO_UDP || protocol == IPPROTO_TCP) && left >= 4)
		fprintf(out, " %s %u > %u", protocol == IPPROTO_UDP ? "UDP" : "TCP", get16(at),
			get16(at + 2));
	else
		fprintf(out, " protocol %u", protocol);
}

static void print_addresses(FILE *out, int family, const __u8 *source, const __u8 *destination)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	fprintf(out, "%s > %s", inet_ntop(family, source, from, sizeof(from)),
		inet_ntop(family, destination, to, sizeof(to)));
}

static void print_ipv4(FILE *out, const __u8 *ip, __u32 left)
{
	__u32 header = (ip[0] & 0xf) * 4;

	if (left < 20) {
		fprintf(out, "IPv4, %u bytes of it", left);
		return;
	}
	fprintf(out, "IPv4 ");
	print_addresses(out, AF_INET, ip + 12, ip + 16);
	fprintf(out,
		" version %u header %u tos %02x length %u (of %u) id %04x fragment %04x ttl %u checksum %04x",
		ip[0] >> 4, header, ip[1], get16(ip + 2), left, get16(ip + 4), get16(ip + 6), ip[8],
		get16(ip + 10));
	if (header >= 20 && header < left)
		print_payload(out, ip[9], ip + header, left - header);
}

static void print_ipv6(FILE *out, const __u8 *ip, __u32 left)
{
	if (left < 40) {
		fprintf(out, "IPv6, %u bytes of it", left);
		return;
	}
	fprintf(out, "IPv6 ");
	print_addresses(out, AF_INET6, ip + 8, ip + 24);
	fprintf(out, " version %u payload %u (of %u) hop limit %u", ip[0] >> 4, get16(ip + 4), left - 40,
		ip[7]);
	print_payload(out, ip[6], ip + 40, left - 40);
}

static void print_headers(FILE *out, const __u8 *frame, __u32 length)
{
	__u32 at = 12;
	__u16 type;

	if (length < 14) {
		fprintf(out, "%u bytes", length);
		return;
	}
	print_mac(out, frame + 6);
	fprintf(out, " > ");
	print_mac(out, frame);
	for (type = get16(frame + at); (type == 0x8100 || type == 0x88a8) && at + 6 <= length;
	     type = get16(frame + at)) {
		fprintf(out, " %s %u", type == 0x8100 ? "vlan" : "s-vlan", get16(frame + at + 2) & 0xfff);
		at += 4;
	}
	at += 2;
	fprintf(out, " ");
	if (type == 0x0800 && at < length)
		print_ipv4(out, frame + at, length - at);
	else if (type == 0x86dd && at < length)
		print_ipv6(out, frame + at, length - at);
	else
		fprintf(out, "ethertype %04x", type);
}

void decode_print(FILE *out, const char *title, const __u8 *frame, __u32 length)
{
	fprintf(out, "  %s: %u bytes, ", title, length);
	print_headers(out, frame, length);
	for (__u32 i = 0; i < length && i < HEX_LIMIT; i++)
		fprintf(out, "%s%02x", i % 32 == 0 ? "\n      " : i % 4 == 0 ? " " : "", frame[i]);
	fprintf(out, "%s\n", length > HEX_LIMIT ? " ..." : "");
}
