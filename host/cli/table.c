// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/cli/table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS   16
#define CELL_SIZE 256

static void cell_text(const json_t *value, char *ret)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		snprintf(ret, CELL_SIZE, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(ret, CELL_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(ret, CELL_SIZE, "%.1f", json_real_value(value));
		break;
	case JSON_TRUE:
		strcpy(ret, "yes");
		break;
	case JSON_FALSE:
		strcpy(ret, "no");
		break;
	default:
		strcpy(ret, "-");
	}
	if (!*ret)
		strcpy(ret, "-");
}

static void print_cell(FILE *to, const char *text, int width, bool right, bool last)
{
	if (right)
		fprintf(to, "%*s", width, text);
	else
		fprintf(to, "%-*s", last ? 0 : width, text);
	fputs(last ? "\n" : "  ", to);
}

void table_print(FILE *to, const struct table_column *columns, json_t *rows)
{
	int width[COLUMNS] = { 0 }, count = 0;
	bool right[COLUMNS] = { false };
	char text[CELL_SIZE];
	json_t *row;
	size_t index;

	if (!json_array_size(rows))
		return;
	for (; columns[count].title && count < COLUMNS; count++)
		width[count] = (int)strlen(columns[count].title);
	json_array_foreach(rows, index, row)
	{
		for (int i = 0; i < count; i++) {
			json_t *value = json_object_get(row, columns[i].key);

			cell_text(value, text);
			right[i] = right[i] || json_is_number(value);
			if ((int)strlen(text) > width[i])
				width[i] = (int)strlen(text);
		}
	}
	for (int i = 0; i < count; i++)
		print_cell(to, columns[i].title, width[i], right[i], i == count - 1);
	json_array_foreach(rows, index, row)
	{
		for (int i = 0; i < count; i++) {
			cell_text(json_object_get(row, columns[i].key), text);
			print_cell(to, text, width[i], right[i], i == count - 1);
		}
	}
}
