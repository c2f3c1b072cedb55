// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/replay/pcapng.h"

#include <byteswap.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host/replay/capture.h"

#define SECTION   0x0a0d0d0au
#define INTERFACE 1u
#define PACKET    2u /* obsolete */
#define SIMPLE    3u
#define ENHANCED  6u

#define ORDER      0x1a2b3c4du
#define BLOCK_MOST (16u << 20)
#define NAME       64
#define INTERFACES 65536
#define ETHERNET   1
#define NANO       1000000000ull

enum { OPTION_END = 0, OPTION_NAME = 2, OPTION_FLAGS = 2, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14 };

struct interface {
	char name[NAME];
	__u16 type;
	__u32 snap;
	__u8 resolution; /* power of 10, or of 2 with the highest bit */
	__s64 offset;    /* seconds */
};

struct pcapng {
	FILE *file;
	const char *path;
	__u64 at, begin; /* bytes read, and where the block began */
	bool swapped;
	struct interface *interface;
	__u32 interfaces, room;
	__u32 first; /* of the section */
	__u8 *body;
	__u32 body_room;
	__u64 packets;
};

/* A part of a block that has not been read yet. */
struct part {
	const __u8 *at;
	__u32 left;
};

static __u16 get16(const struct pcapng *pcapng, const __u8 *at)
{
	__u16 value;

	memcpy(&value, at, 2);
	return pcapng->swapped ? bswap_16(value) : value;
}

static __u32 get32(const struct pcapng *pcapng, const __u8 *at)
{
	__u32 value;

	memcpy(&value, at, 4);
	return pcapng->swapped ? bswap_32(value) : value;
}

static int broken(const struct pcapng *pcapng, struct why *why, const char *what)
{
	return why_set(why, EBADMSG, "%s: the block at byte %llu, behind packet %llu, %s", pcapng->path,
		       (unsigned long long)pcapng->begin, (unsigned long long)pcapng->packets, what);
}

/* 1, or 0 where the file ends before the first byte. */
static int read_bytes(struct pcapng *pcapng, void *to, size_t count, struct why *why)
{
	size_t got = fread(to, 1, count, pcapng->file);

	pcapng->at += got;
	if (got == count)
		return 1;
	if (ferror(pcapng->file))
		return why_set(why, EIO, "%s: cannot be read: %s", pcapng->path, strerror(errno));
	return got ? broken(pcapng, why, "is cut off: the file ends inside it") : 0;
}

/* The rest of a block, where more must come. */
static int read_more(struct pcapng *pcapng, void *to, size_t count, struct why *why)
{
	int r = read_bytes(pcapng, to, count, why);

	return r == 0 && count ? broken(pcapng, why, "is cut off: the file ends inside it") : r < 0 ? r : 0;
}

static int reserve_body(struct pcapng *pcapng, __u32 length, struct why *why)
{
	__u8 *larger;

	if (length <= pcapng->body_room)
		return 0;
	larger = realloc(pcapng->body, length);
	if (!larger)
		return why_set(why, ENOMEM, "%s: out of memory for a block of %u bytes", pcapng->path,
			       length);
	pcapng->body = larger;
	pcapng->body_room = length;
	return 0;
}

/* The byte order of a section is told by its header, before anything else in it can be understood. */
static int read_order(struct pcapng *pcapng, __u8 order[4], struct why *why)
{
	int r = read_more(pcapng, order, 4, why);

	if (r)
		return r;
	pcapng->swapped = false;
	if (get32(pcapng, order) == ORDER)
		return 0;
	pcapng->swapped = true;
	return get32(pcapng, order) == ORDER ? 0 : broken(pcapng, why, "is no section header of pcapng");
}

/* Reads a block whole. 1, or 0 at the end of the file. */
static int read_block(struct pcapng *pcapng, __u32 *ret_type, struct part *ret_body, struct why *why)
{
	__u8 head[8], order[4] = { 0 };
	__u32 length, taken = 0;
	bool section;
	int r;

	pcapng->begin = pcapng->at;
	r = read_bytes(pcapng, head, sizeof(head), why);
	if (r <= 0)
		return r;
	section = get32(pcapng, head) == SECTION; /* the same in both orders */
	if (section) {
		r = read_order(pcapng, order, why);
		if (r)
			return r;
		taken = 4;
	} else if (pcapng->begin == 0) {
		return broken(pcapng, why, "is no section header of pcapng");
	}
	*ret_type = get32(pcapng, head);
	length = get32(pcapng, head + 4);
	if (length < 12 + (section ? 16u : 0) || length % 4 || length > BLOCK_MOST)
		return broken(pcapng, why, "has an impossible length");
	r = reserve_body(pcapng, length, why);
	if (r)
		return r;
	memcpy(pcapng->body, order, taken);
	r = read_more(pcapng, pcapng->body + taken, length - 8 - taken, why);
	if (r)
		return r;
	if (get32(pcapng, pcapng->body + length - 12) != length)
		return broken(pcapng, why, "does not end with the length that it begins with");
	*ret_body = (struct part){ pcapng->body, length - 12 };
	return 1;
}

/* The next option; false: there are no more. */
static bool next_option(const struct pcapng *pcapng, struct part *options, __u16 *ret_code, struct part *ret)
{
	__u16 length;

	if (options->left < 4)
		return false;
	*ret_code = get16(pcapng, options->at);
	length = get16(pcapng, options->at + 2);
	if (*ret_code == OPTION_END || length > options->left - 4)
		return false;
	*ret = (struct part){ options->at + 4, length };
	length = (length + 3) & ~3;
	length = length < options->left - 4 ? length : options->left - 4;
	options->at += 4 + length;
	options->left -= 4 + length;
	return true;
}

static int reserve_interface(struct pcapng *pcapng, struct why *why)
{
	__u32 room = pcapng->room ? 2 * pcapng->room : 16;
	struct interface *larger;

	if (pcapng->interfaces == INTERFACES)
		return broken(pcapng, why, "is one interface too many");
	if (pcapng->interfaces < pcapng->room)
		return 0;
	larger = realloc(pcapng->interface, room * sizeof(*larger));
	if (!larger)
		return why_set(why, ENOMEM, "%s: out of memory", pcapng->path);
	pcapng->interface = larger;
	pcapng->room = room;
	return 0;
}

static void take_option(const struct pcapng *pcapng, struct interface *interface, __u16 code,
			const struct part *value)
{
	__u32 length = value->left < NAME - 1 ? value->left : NAME - 1;
	__u64 offset;

	if (code == OPTION_NAME) {
		memcpy(interface->name, value->at, length);
		interface->name[length] = '\0';
	} else if (code == OPTION_RESOLUTION && value->left >= 1) {
		interface->resolution = value->at[0];
	} else if (code == OPTION_OFFSET && value->left >= 8) {
		memcpy(&offset, value->at, 8);
		interface->offset = (__s64)(pcapng->swapped ? bswap_64(offset) : offset);
	}
}

static int take_interface(struct pcapng *pcapng, struct part body, struct why *why)
{
	struct interface *interface;
	struct part value;
	__u16 code;
	int r;

	if (body.left < 8)
		return broken(pcapng, why, "is too short to describe an interface");
	r = reserve_interface(pcapng, why);
	if (r)
		return r;
	interface = &pcapng->interface[pcapng->interfaces++];
	memset(interface, 0, sizeof(*interface));
	interface->type = get16(pcapng, body.at);
	interface->snap = get32(pcapng, body.at + 4);
	interface->resolution = 6;
	body = (struct part){ body.at + 8, body.left - 8 };
	while (next_option(pcapng, &body, &code, &value))
		take_option(pcapng, interface, code, &value);
	return 0;
}

/* Ticks to nanoseconds. What no clock shows wraps. */
static __u64 to_ns(const struct interface *interface, __u64 ticks)
{
	unsigned int power = interface->resolution & 0x7f;
	unsigned __int128 ns = ticks;
	__u64 unit = 1;

	if (interface->resolution & 0x80) {
		ns = power < 64 ? ns * NANO >> power : 0;
	} else if (power <= 9) {
		for (; power < 9; power++)
			ns *= 10;
	} else {
		for (; power > 9 && unit < 10000000000000000000ull; power--)
			unit *= 10;
		ns = power > 9 ? 0 : ns / unit;
	}
	return (__u64)ns + (__u64)interface->offset * NANO;
}

static int check_packet(struct pcapng *pcapng, __u32 id, const struct part *data, __u32 captured,
			const struct interface **ret, struct why *why)
{
	const struct interface *interface;

	pcapng->packets++;
	if (id >= pcapng->interfaces - pcapng->first)
		return broken(pcapng, why, "holds a packet of an interface that is not described");
	interface = &pcapng->interface[pcapng->first + id];
	if (captured > data->left)
		return broken(pcapng, why, "is shorter than its packet");
	if (interface->type != ETHERNET)
		return why_set(why, EPROTONOSUPPORT,
			       "%s: interface %u '%s' has link type %u, not Ethernet (1); capture on one "
			       "interface, not on 'any'",
			       pcapng->path, pcapng->first + id, interface->name, interface->type);
	*ret = interface;
	return 0;
}

static bool is_outbound(const struct pcapng *pcapng, struct part options)
{
	struct part value;
	__u16 code;

	while (next_option(pcapng, &options, &code, &value))
		if (code == OPTION_FLAGS && value.left >= 4)
			return (get32(pcapng, value.at) & 3) == 2;
	return false;
}

/* An enhanced packet, or an obsolete one, which differs in how it names the interface. */
static int take_packet(struct pcapng *pcapng, __u32 type, struct part body, struct capture_packet *ret,
		       struct why *why)
{
	const struct interface *interface;
	struct part options;
	__u32 id, padded;
	int r;

	if (body.left < 20)
		return broken(pcapng, why, "is too short to hold a packet");
	id = type == PACKET ? get16(pcapng, body.at) : get32(pcapng, body.at);
	ret->captured = get32(pcapng, body.at + 12);
	ret->length = get32(pcapng, body.at + 16);
	ret->bytes = body.at + 20;
	ret->interface = pcapng->first + id;
	options = (struct part){ body.at + 20, body.left - 20 };
	r = check_packet(pcapng, id, &options, ret->captured, &interface, why);
	if (r)
		return r;
	ret->time = to_ns(interface, (__u64)get32(pcapng, body.at + 4) << 32 | get32(pcapng, body.at + 8));
	padded = (ret->captured + 3) & ~3u;
	padded = padded < options.left ? padded : options.left;
	ret->outbound = is_outbound(pcapng, (struct part){ options.at + padded, options.left - padded });
	return 1;
}

static int take_simple(struct pcapng *pcapng, struct part body, struct capture_packet *ret, struct why *why)
{
	const struct interface *interface;
	int r;

	if (body.left < 4)
		return broken(pcapng, why, "is too short to hold a packet");
	ret->length = get32(pcapng, body.at);
	body = (struct part){ body.at + 4, body.left - 4 };
	r = check_packet(pcapng, 0, &body, 0, &interface, why);
	if (r)
		return r;
	ret->captured = ret->length < body.left ? ret->length : body.left;
	if (interface->snap && ret->captured > interface->snap)
		ret->captured = interface->snap;
	ret->bytes = body.at;
	ret->interface = pcapng->first;
	return 1;
}

int pcapng_new(FILE *file, const char *path, struct pcapng **ret)
{
	struct pcapng *pcapng = calloc(1, sizeof(*pcapng));

	if (!pcapng)
		return -ENOMEM;
	pcapng->file = file;
	pcapng->path = path;
	*ret = pcapng;
	return 0;
}

void pcapng_free(struct pcapng *pcapng)
{
	if (!pcapng)
		return;
	free(pcapng->interface);
	free(pcapng->body);
	free(pcapng);
}

int pcapng_next(struct pcapng *pcapng, struct capture_packet *ret, struct why *why)
{
	struct part body;
	__u32 type = 0;
	int r;

	memset(ret, 0, sizeof(*ret));
	while ((r = read_block(pcapng, &type, &body, why)) > 0) {
		if (type == SECTION)
			pcapng->first = pcapng->interfaces;
		else if (type == INTERFACE)
			r = take_interface(pcapng, body, why);
		else if (type == ENHANCED || type == PACKET)
			return take_packet(pcapng, type, body, ret, why);
		else if (type == SIMPLE)
			return take_simple(pcapng, body, ret, why);
		if (r < 0)
			return r;
	}
	return r;
}

const char *pcapng_interface(const struct pcapng *pcapng, __u32 interface)
{
	return interface < pcapng->interfaces ? pcapng->interface[interface].name : "";
}
