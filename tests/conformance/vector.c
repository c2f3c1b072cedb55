// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "tests/conformance/vector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xdp/verdict.h"

#define SPACE " \t\n"

struct vector_file {
	FILE *stream;
	char path[256];
	int line;
	char next[64]; // name of the case whose line has been read already
};

// Where bytes go.
struct part {
	__u8 *frame;
	__u32 *length;
};

static const char *const reasons[REASON_MAX] = {
#define X(number, name, action, string, text) [number] = string,
	REASONS(X)
#undef X
};

static int complain(const struct vector_file *file, const char *what, const char *word)
{
	fprintf(stderr, "%s:%d: %s: %s\n", file->path, file->line, what, word ? word : "nothing");
	return -EINVAL;
}

// A byte, or a byte and how often.
static int read_bytes(const struct vector_file *file, const struct part *part, const char *word)
{
	char *end;
	unsigned long byte = strtoul(word, &end, 16), times = 1;

	if (end != word + 2 || (*end && *end != '*'))
		return complain(file, "a byte is wanted, not", word);
	if (*end)
		times = strtoul(end + 1, NULL, 10);
	if (!part->frame || *part->length + times > VECTOR_FRAME)
		return complain(file, "no room here for bytes", word);
	memset(part->frame + *part->length, byte, times);
	*part->length += times;
	return 0;
}

static int read_reason(const struct vector_file *file, struct vector *vector, __u8 action)
{
	const char *word = strtok(NULL, SPACE);

	vector->action = action;
	for (int reason = 0; reason < REASON_MAX && word; reason++)
		if (reasons[reason] && strcmp(reasons[reason], word) == 0) {
			vector->reason = reason;
			return 0;
		}
	return complain(file, "no such reason", word);
}

static int read_name(const struct vector_file *file, char *ret_name, size_t size)
{
	const char *word = strtok(NULL, SPACE);

	if (!word || strlen(word) >= size)
		return complain(file, "a name is wanted, not", word);
	strcpy(ret_name, word);
	return 0;
}

static int read_word(struct vector_file *file, struct vector *vector, struct part *part, const char *word)
{
	if (strcmp(word, "in") == 0) {
		*part = (struct part){ vector->in_frame, &vector->in_length };
		return read_name(file, vector->in, sizeof(vector->in));
	}
	if (strcmp(word, "out") == 0) {
		*part = (struct part){ vector->out_frame, &vector->out_length };
		vector->action = ACTION_FORWARD;
		vector->reason = REASON_FORWARDED;
		return read_name(file, vector->out, sizeof(vector->out));
	}
	if (strcmp(word, "punt") == 0 || strcmp(word, "drop") == 0) {
		*part = (struct part){ 0 };
		return read_reason(file, vector, word[0] == 'p' ? ACTION_PUNT : ACTION_DROP);
	}
	return read_bytes(file, part, word);
}

struct vector_file *vector_open(const char *path)
{
	struct vector_file *file = calloc(1, sizeof(*file));

	if (file)
		file->stream = fopen(path, "r");
	if (!file || !file->stream) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		free(file);
		return NULL;
	}
	snprintf(file->path, sizeof(file->path), "%s", path);
	return file;
}

void vector_close(struct vector_file *file)
{
	fclose(file->stream);
	free(file);
}

int vector_next(struct vector_file *file, struct vector *ret_vector)
{
	struct part part = { 0 };
	char line[512];

	memset(ret_vector, 0, sizeof(*ret_vector));
	ret_vector->reason = REASON_MAX; // nothing has been said yet
	strcpy(ret_vector->name, file->next);
	file->next[0] = '\0';
	while (fgets(line, sizeof(line), file->stream)) {
		file->line++;
		line[strcspn(line, "#")] = '\0';
		for (char *word = strtok(line, SPACE); word; word = strtok(NULL, SPACE)) {
			bool begins = strcmp(word, "case") == 0;
			char *name = begins && ret_vector->name[0] ? file->next : ret_vector->name;
			int error = begins ? read_name(file, name, sizeof(file->next))
					   : read_word(file, ret_vector, &part, word);

			if (error)
				return error;
		}
		if (file->next[0])
			break;
	}
	if (!ret_vector->name[0])
		return 0;
	if (!ret_vector->in_length || ret_vector->reason == REASON_MAX)
		return complain(file, "incomplete case", ret_vector->name);
	return 1;
}
