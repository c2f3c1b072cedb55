// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * After the header: the size of a record, then for each section a name, a count and so many records, in the
 * order of instructions. Few places are asked for, so that each is searched from the beginning.
 */
#include "offload/lint/lines.h"

#include <string.h>

/* As in the kernel's documentation of BTF; no header of the system has them. */
struct header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t header_size;
	uint32_t functions_offset, functions_size;
	uint32_t lines_offset, lines_size;
};

struct section_header {
	uint32_t name, count;
};

struct record {
	uint32_t offset, file, text, line_column;
};

static uint32_t word_at(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static struct lines_place place_of(const struct types *types, const struct record *record)
{
	const char *text = types_string(types, record->text);

	return (struct lines_place){ .file = types_string(types, record->file),
				     .text = text + strspn(text, " \t"),
				     .line = record->line_column >> 10,
				     .column = record->line_column & 0x3ff };
}

static void search(const struct lines *lines, const uint8_t *records, uint32_t count, uint32_t each,
		   uint32_t offset, struct lines_place *place)
{
	for (uint32_t i = 0; i < count; i++) {
		struct record record;

		memcpy(&record, records + (size_t)i * each, sizeof(record));
		if (record.offset > offset)
			break;
		*place = place_of(lines->types, &record);
	}
}

void lines_open(const struct types *types, const uint8_t *bytes, size_t size, struct lines *ret)
{
	struct header header;

	*ret = (struct lines){ .types = types };
	if (!bytes || size < sizeof(header))
		return;
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != BTF_MAGIC || header.header_size < sizeof(header) || header.header_size > size)
		return;
	size -= header.header_size;
	if (header.lines_offset > size || header.lines_size > size - header.lines_offset)
		return;
	ret->records = bytes + header.header_size + header.lines_offset;
	ret->size = header.lines_size;
}

struct lines_place lines_find(const struct lines *lines, const char *section, uint32_t offset)
{
	struct lines_place place = { .file = "", .text = "" };
	const uint8_t *at = lines->records;
	size_t left = lines->size;
	uint32_t each = left >= sizeof(each) ? word_at(at) : 0;

	if (each < sizeof(struct record))
		return place;
	at += sizeof(each);
	left -= sizeof(each);
	while (left >= sizeof(struct section_header)) {
		struct section_header header;

		memcpy(&header, at, sizeof(header));
		at += sizeof(header);
		left -= sizeof(header);
		if (header.count > left / each)
			break;
		if (strcmp(types_string(lines->types, header.name), section) == 0)
			search(lines, at, header.count, each, offset, &place);
		at += (size_t)header.count * each;
		left -= (size_t)header.count * each;
	}
	return place;
}
