// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "offload/lint/line_sizes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_line(const void *a, const void *b)
{
	const struct line_size *left = a, *right = b;
	int file = strcmp(left->place.file, right->place.file);

	if (left->function != right->function)
		return left->function->first < right->function->first ? -1 : 1;
	if (file)
		return file;
	return left->place.line < right->place.line ? -1 : left->place.line > right->place.line;
}

static int by_size(const void *a, const void *b)
{
	const struct line_size *left = a, *right = b;

	if (left->function == right->function && left->card != right->card)
		return left->card > right->card ? -1 : 1;
	return by_line(a, b);
}

/* Makes one of those of the same line; returns how many are left. */
static size_t join(struct line_size *lines, size_t count)
{
	size_t last = 0;

	for (size_t i = 1; i < count; i++) {
		if (by_line(&lines[last], &lines[i])) {
			lines[++last] = lines[i];
			continue;
		}
		lines[last].bpf += lines[i].bpf;
		lines[last].card += lines[i].card;
	}
	return count ? last + 1 : 0;
}

int line_sizes(const struct object *object, const struct lint_program *program, struct line_size **ret,
	       size_t *ret_count)
{
	struct line_size *lines = calloc(object->instruction_count, sizeof(*lines));
	size_t count = 0;

	if (!lines)
		return -ENOMEM;
	for (uint32_t at = 0; at < object->instruction_count; at++)
		if (program->sizes[at])
			lines[count++] =
				(struct line_size){ object_function_of(object, at), object_place(object, at),
						    1, program->sizes[at] };
	qsort(lines, count, sizeof(*lines), by_line);
	count = join(lines, count);
	qsort(lines, count, sizeof(*lines), by_size);
	*ret = lines;
	*ret_count = count;
	return 0;
}
