// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/page.h"

#include "bench/chart.h"
#include "bench/gallery.h"
#include "bench/option.h"
#include "bench/record.h"
#include "bench/statistics.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_RECORDS 64

struct page {
	FILE *out;
	json_t *records[PAGE_RECORDS];
	unsigned int count;
};

static const char page_head[] =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>penstock bench</title>\n<style>\n"
	":root{--text:#1b1f24;--soft:#5c6670;--page:#f6f8f9;--card:#fff;--line:#dde2e7;--ours:#0b7285;"
	"--generic:#66b8c4;--afxdp:#1864ab;--dpdk:#862e9c;--fiblookup:#e8890c;--lpmtrie:#a0704a;"
	"--kernel:#c92a2a;--testpmd:#d6578b;--l3fwd:#5f8d3a;--nolookup:#868e96;--other:#adb5bd}\n"
	"@media(prefers-color-scheme:dark){:root{--text:#e6e8ea;--soft:#9aa4ae;--page:#101316;--card:#191d22;"
	"--line:#343b43;--ours:#3bc9db;--generic:#2a8a98;--afxdp:#74c0fc;--dpdk:#da77f2;--fiblookup:#ffa94d;"
	"--lpmtrie:#c69c78;--kernel:#ff8787;--testpmd:#faa2c1;--l3fwd:#a9d46b;--nolookup:#909aa4;"
	"--other:#5c6670}}\n"
	"body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page);max-width:1120px;"
	"margin:2em auto;padding:0 1.2em}\n"
	"h1{font-size:1.6em;margin-bottom:0}h2{font-size:1.2em;margin:2em 0 .2em}\n"
	"p.soft,td.soft{color:var(--soft)}p.soft{margin:.2em 0 1em;max-width:75ch}\n"
	".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:16px;"
	"align-items:start}\n"
	"figure{margin:0;padding:14px 16px;background:var(--card);border:1px solid var(--line);"
	"border-radius:8px}svg{display:block;width:100%;height:auto}\n"
	"svg text{font:12px system-ui,sans-serif;fill:var(--text)}"
	"svg text.title{font-weight:600;font-size:13px}\n"
	"line.whisker,line.axis{stroke:var(--text);stroke-width:1}line.grid{stroke:var(--line);"
	"stroke-width:1}line.mark{stroke:var(--kernel);stroke-width:1;stroke-dasharray:4 3}\n"
	"polyline{fill:none;stroke-width:2;stroke-linejoin:round}circle.legend{fill:var(--text)}\n"
	"table{border-collapse:collapse;width:100%;font-size:13px;background:var(--card)}"
	"th,td{text-align:left;padding:2px 10px 2px 6px;border-bottom:1px solid var(--line)}"
	"td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}\n"
	"td.met{color:var(--ours)}td.missed{color:var(--kernel);font-weight:600}"
	"rect.open{stroke-dasharray:4 3}"
	"details{margin:.4em 0}summary{cursor:pointer}\n";

static const char *const page_colours[] = { "ours",   "generic", "afxdp", "dpdk",     "fiblookup", "lpmtrie",
					    "kernel", "testpmd", "l3fwd", "nolookup", "other" };

// The classes of bars, dots and lines; see bench/gallery.c.
static void page_styles(const struct page *page)
{
	for (unsigned int i = 0; i < sizeof(page_colours) / sizeof(page_colours[0]); i++) {
		const char *name = page_colours[i], *front = i ? "c-" : "";

		fprintf(page->out,
			"rect.%s%s,circle.%s%s{fill:var(--%s)}polyline.%s%s,rect.%s%s.open{stroke:var(--%s)}"
			"\n",
			front, name, front, name, name, front, name, front, name, name);
	}
	fputs("</style></head><body>\n<h1>penstock bench</h1>\n", page->out);
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

	fputs("<table><tr><th>figure</th><th "
	      "class=\"number\">median</th>"
	      "<th class=\"number\">from</th><th class=\"number\">to, 95 %</th><th>unit</th><th></th></tr>\n",
	      page->out);
	json_array_foreach(figures, i, entry) if (record_figure(entry, &figure, values))
		page_row(page, &figure);
	fputs("</table>\n", page->out);
}

static const char *page_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "?";
}

// One row for each member of an object; those that are objects, indented.
static void page_facts(const struct page *page, const json_t *object)
{
	const json_t *value;
	const char *name;

	json_object_foreach((json_t *)object, name, value)
	{
		char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

		if (json_is_object(value)) {
			page_facts(page, value);
		} else {
			fputs("<tr><td>", page->out);
			chart_text(page->out, name);
			fputs("</td><td>", page->out);
			chart_text(page->out, text ? text : json_string_value(value));
			fputs("</td></tr>\n", page->out);
		}
		free(text);
	}
}

// What the first record knows of the machine, and what only others know: versions of what did not run there.
static json_t *page_merge_machines(const struct page *page)
{
	json_t *machine = json_copy(json_object_get(page->records[0], "machine"));

	for (unsigned int i = 1; i < page->count; i++) {
		json_t *other = json_object_get(page->records[i], "machine");

		if (json_equal(json_object_get(other, "cpu"), json_object_get(machine, "cpu")) &&
		    json_equal(json_object_get(other, "kernel"), json_object_get(machine, "kernel")))
			json_object_update_missing(machine, other);
	}
	return machine;
}

// Where it was measured: over ports of the machine, or not.
static void page_places(const struct page *page)
{
	bool between = false;

	for (unsigned int i = 0; i < page->count; i++) {
		const json_t *ports = json_object_get(page->records[i], "ports");

		between |= !ports;
		if (!ports)
			continue;
		fputs("Measured from port ", page->out);
		chart_text(page->out, page_string(ports, "tx"));
		fputs(" to port ", page->out);
		chart_text(page->out, page_string(ports, "rx"));
		fputs(" of the machine, through ", page->out);
		if (json_is_string(json_object_get(ports, "dut")))
			chart_text(page->out, page_string(ports, "dut"));
		else
			fputs("a router that is another machine", page->out);
		fputs(". ", page->out);
	}
	if (between)
		fputs("Measured between network namespaces on one machine: generator, router and sink share "
		      "its CPUs. Compare the rows with each other, not with a NIC. ",
		      page->out);
}

static void page_machine(const struct page *page)
{
	json_t *machine = page_merge_machines(page);

	fputs("<p>", page->out);
	chart_text(page->out, page_string(machine, "cpu"));
	fprintf(page->out, ", %d CPUs, ", (int)json_integer_value(json_object_get(machine, "cpus")));
	chart_text(page->out, page_string(machine, "kernel"));
	fputs("; penstock ", page->out);
	chart_text(page->out, page_string(page->records[0], "penstock"));
	fputs(".</p>\n<p class=\"soft\">", page->out);
	page_places(page);
	fputs("Whiskers are 95 % intervals of the median.</p>\n<details><summary>The machine: mitigations, "
	      "governor, versions</summary><table>\n",
	      page->out);
	page_facts(page, machine);
	fputs("</table></details>\n", page->out);
	json_decref(machine);
}

static void page_goal(const struct page *page, const json_t *goal)
{
	const json_t *value = json_object_get(goal, "value");
	bool pass = json_is_true(json_object_get(goal, "pass"));

	fputs("<tr><td>", page->out);
	chart_text(page->out, page_string(goal, "name"));
	if (json_is_number(value))
		fprintf(page->out, "</td><td class=\"number\">%.4g</td>", json_number_value(value));
	else
		fputs("</td><td class=\"number\">&ndash;</td>", page->out);
	fputs("<td class=\"soft\">", page->out);
	chart_text(page->out, page_string(goal, "sense"));
	fprintf(page->out, "</td><td class=\"number\">%.4g</td><td class=\"%s\">%s</td></tr>\n",
		json_number_value(json_object_get(goal, "goal")), pass ? "met" : "missed",
		!json_is_number(value) ? "not measured"
		: pass                 ? "met"
				       : "missed");
}

// What `bench goals --keep` judged.
static void page_goals(const struct page *page, const json_t *record)
{
	const json_t *goals = json_object_get(record, "goals"), *goal;
	size_t i, met = 0;

	if (!json_is_array(goals))
		return;
	json_array_foreach(goals, i, goal) met += json_is_true(json_object_get(goal, "pass"));
	fprintf(page->out,
		"<h2>Goals: %zu of %zu met</h2>\n<details><summary>Each of them</summary><table>\n", met,
		json_array_size(goals));
	json_array_foreach(goals, i, goal) page_goal(page, goal);
	fputs("</table></details>\n", page->out);
}

static void page_record(const struct page *page, const json_t *record)
{
	if (!json_array_size(json_object_get(record, "figures")))
		return;
	fputs("<details><summary>bench ", page->out);
	chart_text(page->out, page_string(record, "bench"));
	fputs("</summary>\n", page->out);
	page_table(page, record);
	fputs("</details>\n", page->out);
}

static int page_charts(const struct page *page)
{
	struct gallery *gallery = gallery_new(page->out);

	if (!gallery)
		return -ENOMEM;
	for (unsigned int i = 0; i < page->count; i++)
		gallery_add(gallery, page->records[i]);
	gallery_write(gallery);
	gallery_free(gallery);
	return 0;
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
	page_styles(page);
	page_machine(page);
	for (unsigned int i = 0; i < page->count; i++)
		page_goals(page, page->records[i]);
	err = page_charts(page);
	fputs("<h2>All figures</h2>\n", page->out);
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

int bench_page(int argc, char **argv)
{
	struct page page = { 0 };
	const char *path = NULL;
	const struct option_line lines[] = {
		{ "output", "PAGE.html", "where it goes; - is stdout", .text = &path, .letter = 'o' },
		{ 0 },
	};
	const struct option_set set = {
		.bench = "page",
		.usage = "-o PAGE.html RESULT.json...",
		.about = "Makes one HTML page of what `penstock bench ... --json` wrote.\n",
		.lines = lines,
		.arguments = PAGE_RECORDS,
	};
	int err = option_parse(&set, argc, argv);

	if (err > 0)
		return EXIT_SUCCESS;
	if (err == 0 && (!path || optind == argc))
		warnx("bench page: want -o PAGE.html and results; see --help");
	if (err < 0 || !path || optind == argc)
		return OPTION_USAGE;
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
	return err == -EINVAL ? OPTION_USAGE : err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
