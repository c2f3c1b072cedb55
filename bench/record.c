// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/record.h"

#include "bench/machine.h"
#include "bench/statistics.h"

#include <err.h>
#include <errno.h>
#include <string.h>

static const char *const record_betters[] = { [RECORD_MORE] = "more", [RECORD_LESS] = "less" };

json_t *record_new(const char *bench)
{
	struct machine machine;

	machine_read(&machine);
	return json_pack("{s:s, s:i, s:s, s:o, s:[]}", "bench", bench, "version", RECORD_VERSION, "penstock",
			 PENSTOCK_VERSION, "machine", machine_json(&machine), "figures");
}

json_t *record_add(json_t *record, const struct record_figure *figure)
{
	struct statistics statistics = statistics_of(figure->values, figure->count);
	json_t *values = json_array(), *entry;

	for (unsigned int i = 0; i < figure->count; i++)
		json_array_append_new(values, json_real(figure->values[i]));
	entry = json_pack("{s:s, s:s, s:s, s:b, s:f, s:f, s:f, s:o}", "name", figure->name, "unit",
			  figure->unit, "better", record_betters[figure->better], "relative",
			  figure->relative, "median", statistics.median, "low", statistics.low, "high",
			  statistics.high, "values", values);
	return json_array_append_new(json_object_get(record, "figures"), entry) < 0 ? NULL : entry;
}

int record_print(FILE *out, json_t *record)
{
	int err;

	if (!record)
		return -ENOMEM;
	err = json_dumpf(record, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) < 0 || fputc('\n', out) == EOF
		      ? -EIO
		      : 0;
	json_decref(record);
	return err;
}

int record_end(const char *bench, int err)
{
	if (err >= 0 && fflush(stdout) != EOF && !ferror(stdout))
		return 0;
	warnx("bench %s: cannot write the results", bench);
	return -EIO;
}

static int record_refuse(const char *path, json_t *record, const char *why)
{
	warnx("bench: %s is not the result of a bench: %s", path, why);
	json_decref(record);
	return -EBADMSG;
}

int record_read(const char *path, json_t **ret_record)
{
	json_error_t error;
	json_t *record;

	if (strcmp(path, "-") == 0) {
		record = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
	} else {
		FILE *file = fopen(path, "re");

		if (!file) {
			int err = -errno;

			warn("bench: cannot read %s", path);
			return err;
		}
		record = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
		fclose(file);
	}
	if (!record) {
		warnx("bench: %s, line %d: %s", path, error.line, error.text);
		return -EBADMSG;
	}
	if (!json_is_array(json_object_get(record, "figures")))
		return record_refuse(path, record, "it has no figures");
	if (json_integer_value(json_object_get(record, "version")) != RECORD_VERSION)
		return record_refuse(path, record, "it is of another version");
	*ret_record = record;
	return 0;
}

bool record_figure(const json_t *entry, struct record_figure *ret_figure, double values[RECORD_VALUES])
{
	const json_t *array = json_object_get(entry, "values");
	const char *better = json_string_value(json_object_get(entry, "better"));
	size_t count = json_array_size(array);

	ret_figure->name = json_string_value(json_object_get(entry, "name"));
	ret_figure->unit = json_string_value(json_object_get(entry, "unit"));
	if (!ret_figure->name || !ret_figure->unit || !better || !count || count > RECORD_VALUES)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!json_is_number(json_array_get(array, i)))
			return false;
		values[i] = json_number_value(json_array_get(array, i));
	}
	ret_figure->better = strcmp(better, record_betters[RECORD_LESS]) == 0 ? RECORD_LESS : RECORD_MORE;
	ret_figure->relative = json_is_true(json_object_get(entry, "relative"));
	ret_figure->values = values;
	ret_figure->count = count;
	return true;
}

const json_t *record_find(const json_t *record, const char *name)
{
	const json_t *figures = json_object_get(record, "figures"), *entry;
	size_t i;

	json_array_foreach(figures, i, entry)
	{
		const char *other = json_string_value(json_object_get(entry, "name"));

		if (other && strcmp(other, name) == 0)
			return entry;
	}
	return NULL;
}
