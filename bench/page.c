// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/page.h"

#include "bench/chart.h"
#include "bench/record.h"
#include "bench/statistics.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_USAGE   2
#define PAGE_RECORDS 64
#define PAGE_BARS    40
#define PAGE_LINES   16

struct page {
	FILE *out;
	json_t *records[PAGE_RECORDS];
	unsigned int count;
};

// A figure, its name in parts.
struct page_figure {
	struct record_figure figure;
	struct statistics statistics;
	char group[RECORD_NAME]; // all but the subject
	char subject[RECORD_NAME];
};

static const char page_head[] =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>penstock bench</title>\n<style>\n"
	":root{--text:#1b1f24;--soft:#5c6670;--page:#fff;--line:#d5dae0;--ours:#0b7285;--other:#adb5bd}\n"
	"@media(prefers-color-scheme:dark){:root{--text:#e6e8ea;--soft:#9aa4ae;--page:#15181c;--line:#363c44;"
	"--ours:#3bc9db;--other:#5c6670}}\n"
	"body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page);max-width:820px;"
	"margin:2em auto;padding:0 1em}\n"
	"h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em;border-bottom:1px solid var(--line)}\n"
	"p.soft,td.soft{color:var(--soft)}figure{margin:1.2em 0}svg{width:100%;height:auto}\n"
	"svg text{font:12px system-ui,sans-serif;fill:var(--text)}svg "
	"text.title{font-weight:600;font-size:13px}\n"
	"rect.ours,circle.ours{fill:var(--ours)}rect.other,circle.other{fill:var(--other)}\n"
	"polyline{fill:none;stroke-width:2}polyline.ours{stroke:var(--ours)}polyline.other{stroke:var(--"
	"other)}\n"
	"line.whisker,line.axis{stroke:var(--text);stroke-width:1}line.grid{stroke:var(--line);stroke-width:"
	"1}\n"
	"table{border-collapse:collapse;width:100%;font-size:13px}th,td{text-align:left;padding:2px 10px 2px "
	"0;"
	"border-bottom:1px solid "
	"var(--line)}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}\n"
	"</style></head><body>\n<h1>penstock bench</h1>\n";

static bool page_is_ours(const char *subject)
{
	return strncmp(subject, "penstock", 8) == 0 || strncmp(subject, "image", 5) == 0;
}

// Splits "GROUP SUBJECT LAST" at the last word, and at the word in front of it.
static void page_split(const char *name, char *group, char *subject, const char **ret_last)
{
	const char *last = strrchr(name, ' '), *front = last;

	*ret_last = last ? last + 1 : name;
	while (front && front > name && front[-1] != ' ')
		front--;
	snprintf(group, RECORD_NAME, "%.*s", front > name ? (int)(front - name) - 1 : 0, name);
	snprintf(subject, RECORD_NAME, "%.*s", last && front ? (int)(last - front) : 0, front ? front : "");
}

// All figures of a record whose name ends with this word. Returns how many.
static unsigned int page_collect(const json_t *record, const char *wanted, struct page_figure *ret,
				 unsigned int most)
{
	const json_t *figures = json_object_get(record, "figures"), *entry;
	static double values[RECORD_VALUES];
	unsigned int count = 0;
	const char *last;
	size_t i;

	json_array_foreach(figures, i, entry)
	{
		struct page_figure *figure = &ret[count];

		if (count == most || !record_figure(entry, &figure->figure, values))
			continue;
		page_split(figure->figure.name, figure->group, figure->subject, &last);
		if (strcmp(last, wanted) != 0)
			continue;
		figure->statistics = statistics_of(values, figure->figure.count);
		count++;
	}
	return count;
}

// "forward IPv4 1000-routes ", "fib IPv4 1000-routes dependent zipf ": the bench, the family, how many
// routes. Returns how much of the group that is, 0: it is another kind of group.
static int page_scene(const char *group, char bench[8], char family[8], unsigned long *ret_routes)
{
	int end = 0;

	return sscanf(group, "%7s %7s %lu-routes%n", bench, family, ret_routes, &end) == 3 ? end : 0;
}

static void page_title(const char *group, char title[RECORD_NAME])
{
	char bench[8], family[8];
	unsigned long routes;
	int end = page_scene(group, bench, family, &routes);

	if (end && routes >= 1000000)
		snprintf(title, RECORD_NAME, "%s, %lu,%03lu,%03lu routes%s", family, routes / 1000000,
			 routes / 1000 % 1000, routes % 1000, group + end);
	else if (end && routes >= 1000)
		snprintf(title, RECORD_NAME, "%s, %lu,%03lu routes%s", family, routes / 1000, routes % 1000,
			 group + end);
	else if (end)
		snprintf(title, RECORD_NAME, "%s, %lu route%s%s", family, routes, routes == 1 ? "" : "s",
			 group + end);
	else
		snprintf(title, RECORD_NAME, "%s", group);
}

// A chart for each group: its subjects side by side.
static void page_bars(const struct page *page, const json_t *record, const char *wanted, double scale,
		      const char *unit)
{
	static struct page_figure figures[4 * PAGE_BARS];
	unsigned int count = page_collect(record, wanted, figures, 4 * PAGE_BARS);
	struct chart_bar bars[PAGE_BARS];
	char title[RECORD_NAME];
	bool *drawn = calloc(count + 1, sizeof(*drawn));

	for (unsigned int first = 0; drawn && first < count; first++) {
		unsigned int in_group = 0;

		for (unsigned int i = first; i < count && in_group < PAGE_BARS; i++) {
			const struct page_figure *figure = &figures[i];

			if (drawn[i] || strcmp(figure->group, figures[first].group) != 0)
				continue;
			drawn[i] = true;
			bars[in_group++] =
				(struct chart_bar){ figure->subject, figure->statistics.median * scale,
						    figure->statistics.low * scale,
						    figure->statistics.high * scale,
						    page_is_ours(figure->subject) };
		}
		page_title(figures[first].group, title);
		if (in_group)
			chart_bars(page->out, title, unit, bars, in_group);
	}
	free(drawn);
}

static void page_add_point(struct chart_line *lines, unsigned int *count, const struct page_figure *figure,
			   double x)
{
	struct chart_line *line = lines;
	unsigned int at;

	while (line < lines + *count && strcmp(line->label, figure->subject) != 0)
		line++;
	if (line == lines + PAGE_LINES)
		return;
	if (line == lines + *count) {
		*line = (struct chart_line){ .label = figure->subject,
					     .ours = page_is_ours(figure->subject) };
		++*count;
	}
	if (line->count == CHART_POINTS)
		return;
	for (at = line->count++; at > 0 && line->x[at - 1] > x; at--) {
		line->x[at] = line->x[at - 1];
		line->y[at] = line->y[at - 1];
	}
	line->x[at] = x;
	line->y[at] = figure->statistics.median / 1e6;
}

// Rates over the number of routes, from all records together.
static void page_scaling(const struct page *page, const char *family)
{
	static struct page_figure figures[PAGE_RECORDS][PAGE_BARS];
	struct chart_line lines[PAGE_LINES];
	unsigned int count = 0;
	char title[64], bench[8], of[8];
	unsigned long routes;

	for (unsigned int i = 0; i < page->count; i++) {
		unsigned int in_record = page_collect(page->records[i], "rate", figures[i], PAGE_BARS);

		for (unsigned int k = 0; k < in_record; k++)
			if (page_scene(figures[i][k].group, bench, of, &routes) && strcmp(of, family) == 0)
				page_add_point(lines, &count, &figures[i][k], routes);
	}
	if (!count || lines[0].count < 2)
		return;
	snprintf(title, sizeof(title), "%s: packets a second by number of routes", family);
	chart_lines(page->out, title, "routes", "Mpps", lines, count);
}

static void page_row(const struct page *page, const struct record_figure *figure)
{
	struct statistics statistics = statistics_of(figure->values, figure->count);

	fputs("<tr><td>", page->out);
	chart_text(page->out, figure->name);
	fprintf(page->out,
		"</td><td class=\"number\">%.5g</td><td class=\"number\">%.5g</td><td "
		"class=\"number\">%.5g</td>"
		"<td>",
		statistics.median, statistics.low, statistics.high);
	chart_text(page->out, figure->unit);
	fprintf(page->out, "</td><td class=\"soft\">%s</td></tr>\n",
		figure->relative ? "" : "moves with the machine");
}

static void page_table(const struct page *page, const json_t *record)
{
	const json_t *figures = json_object_get(record, "figures"), *entry;
	static double values[RECORD_VALUES];
	struct record_figure figure;
	size_t i;

	fputs("<details><summary>All figures</summary><table><tr><th>figure</th><th "
	      "class=\"number\">median</th>"
	      "<th class=\"number\">from</th><th class=\"number\">to, 95 %</th><th>unit</th><th></th></tr>\n",
	      page->out);
	json_array_foreach(figures, i, entry) if (record_figure(entry, &figure, values))
		page_row(page, &figure);
	fputs("</table></details>\n", page->out);
}

static const char *page_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "?";
}

static void page_machine(const struct page *page)
{
	const json_t *machine = json_object_get(page->records[0], "machine"), *value;
	const char *name;

	fputs("<p>", page->out);
	chart_text(page->out, page_string(machine, "cpu"));
	fprintf(page->out, ", %d CPUs, ", (int)json_integer_value(json_object_get(machine, "cpus")));
	chart_text(page->out, page_string(machine, "kernel"));
	fputs("; penstock ", page->out);
	chart_text(page->out, page_string(page->records[0], "penstock"));
	fputs(".</p>\n<p class=\"soft\">Measured between network namespaces on one machine: generator, "
	      "router and sink "
	      "share its CPUs. Compare the rows with each other, not with a NIC. Whiskers are 95 % intervals "
	      "of the "
	      "median.</p>\n<details><summary>Mitigations of CPU vulnerabilities</summary><table>\n",
	      page->out);
	json_object_foreach(json_object_get(machine, "mitigations"), name, value)
	{
		fputs("<tr><td>", page->out);
		chart_text(page->out, name);
		fputs("</td><td>", page->out);
		chart_text(page->out, json_string_value(value) ? json_string_value(value) : "?");
		fputs("</td></tr>\n", page->out);
	}
	fputs("</table></details>\n", page->out);
}

static void page_record(const struct page *page, const json_t *record)
{
	fputs("<h2>", page->out);
	chart_text(page->out, page_string(record, "bench"));
	fputs("</h2>\n", page->out);
	page_bars(page, record, "rate", 1e-6, "Mpps");
	page_bars(page, record, "ns", 1, "ns");
	page_table(page, record);
}

static int page_write(struct page *page, const char *path)
{
	int err = 0;

	page->out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (!page->out) {
		err = -errno;
		warn("bench page: cannot write %s", path);
		return err;
	}
	fputs(page_head, page->out);
	page_machine(page);
	page_scaling(page, "IPv4");
	page_scaling(page, "IPv6");
	for (unsigned int i = 0; i < page->count; i++)
		page_record(page, page->records[i]);
	fputs("</body></html>\n", page->out);
	if (fflush(page->out) == EOF || ferror(page->out)) {
		err = -EIO;
		warnx("bench page: cannot write %s", path);
	}
	if (page->out != stdout)
		fclose(page->out);
	return err;
}

static int page_help(int status)
{
	fprintf(status ? stderr : stdout,
		"Usage: penstock bench page -o PAGE.html RESULT.json...\n"
		"Makes one HTML page of what `penstock bench ... --json` wrote; - is stdout.\n");
	return status;
}

int bench_page(int argc, char **argv)
{
	static const struct option options[] = { { "output", required_argument, NULL, 'o' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	struct page page = { 0 };
	const char *path = NULL;
	int option, err = 0;

	optind = 0;
	while ((option = getopt_long(argc, argv, "o:h", options, NULL)) >= 0) {
		if (option != 'o')
			return page_help(option == 'h' ? EXIT_SUCCESS : PAGE_USAGE);
		path = optarg;
	}
	if (!path || optind == argc || argc - optind > PAGE_RECORDS)
		return page_help(PAGE_USAGE);
	for (; err >= 0 && optind < argc; optind++) {
		err = record_read(argv[optind], &page.records[page.count]);
		page.count += err >= 0;
	}
	if (err >= 0)
		err = page_write(&page, path) < 0 ? -EIO : 0;
	else
		err = -EINVAL;
	while (page.count)
		json_decref(page.records[--page.count]);
	return err == -EINVAL ? PAGE_USAGE : err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
