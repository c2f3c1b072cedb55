// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// A figure's name is "BENCH FAMILY N-routes SCENE... SUBJECT WHAT": "forward IPv4 1-routes penstock rate",
// "modes IPv4 1-routes leaf 64-bytes penstock latency-at-50% p99". Charts are made of figures with the same
// WHAT; those that differ in nothing but the subject stand in one chart.

#include "bench/gallery.h"

#include "bench/chart.h"
#include "bench/statistics.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define GALLERY_FIGURES 4096
#define GALLERY_RECORDS 64
#define GALLERY_BARS    64
#define GALLERY_LINES   16
#define GALLERY_POINTS  1024
#define GALLERY_SIZES   4
#define GALLERY_LATENCY " latency-at-"
#define GALLERY_WORD    48
#define GALLERY_OPEN    "-at-least"

struct gallery_figure {
	char bench[GALLERY_WORD], family[GALLERY_WORD];
	unsigned long routes;
	char scene[RECORD_NAME]; // what else stands in front of the subject
	char subject[RECORD_NAME], what[GALLERY_WORD];
	bool open; // it is at least that
	struct statistics statistics;
};

struct gallery {
	FILE *out;
	struct gallery_figure *figures;
	unsigned int count;
	const json_t *records[GALLERY_RECORDS];
	unsigned int record_count;
};

// Colours of the page's style by the subject's name; what is not here is c-other.
static const struct {
	const char *subject, *class;
} gallery_colours[] = {
	{ "penstock", "ours" },        { "penstock-generic", "c-generic" }, { "penstock-afxdp", "c-afxdp" },
	{ "penstock-dpdk", "c-dpdk" }, { "fiblookup", "c-fiblookup" },      { "lpmtrie", "c-lpmtrie" },
	{ "kernel", "c-kernel" },      { "testpmd-afxdp", "c-testpmd" },    { "l3fwd", "c-l3fwd" },
	{ "l3fwd-afxdp", "c-l3fwd" },  { "nolookup", "c-nolookup" },
};

#define GALLERY_COLOURS (sizeof(gallery_colours) / sizeof(gallery_colours[0]))

static const char *gallery_class(const char *subject)
{
	for (unsigned int i = 0; i < GALLERY_COLOURS; i++)
		if (strcmp(gallery_colours[i].subject, subject) == 0)
			return gallery_colours[i].class;
	return strncmp(subject, "image", 5) == 0 ? "ours" : "c-other";
}

// --- figures ---

// Splits the last word off a text.
static void gallery_split_last(char *text, char *last, size_t size)
{
	char *space = strrchr(text, ' ');

	snprintf(last, size, "%.*s", (int)size - 1, space ? space + 1 : text);
	*(space ? space : text) = 0;
}

static void gallery_parse(const char *name, struct gallery_figure *figure)
{
	char rest[RECORD_NAME], *latency, *open;
	int end = 0;

	snprintf(rest, sizeof(rest), "%s", name);
	latency = strstr(rest, GALLERY_LATENCY);
	if (latency) {
		snprintf(figure->what, sizeof(figure->what), "%.*s", GALLERY_WORD - 1, latency + 1);
		*latency = 0;
	} else {
		gallery_split_last(rest, figure->what, sizeof(figure->what));
	}
	open = strstr(figure->what, GALLERY_OPEN);
	figure->open = open;
	if (open)
		*open = 0;
	gallery_split_last(rest, figure->subject, sizeof(figure->subject));
	if (sscanf(rest, "%47s %47s %lu-routes%n", figure->bench, figure->family, &figure->routes, &end) !=
		    3 ||
	    !end) {
		snprintf(figure->bench, sizeof(figure->bench), "%.*s", (int)strcspn(rest, " "), rest);
		*figure->family = 0;
		figure->routes = 0;
		end = strcspn(rest, " ");
	}
	snprintf(figure->scene, sizeof(figure->scene), "%s", rest + end + strspn(rest + end, " "));
	if (strncmp(figure->subject, "IPv", 3) == 0) { // "program penstock IPv4 ns"
		snprintf(rest, sizeof(rest), "%s", figure->subject);
		snprintf(figure->subject, sizeof(figure->subject), "%s", figure->scene);
		snprintf(figure->scene, sizeof(figure->scene), "%s", rest);
	}
}

void gallery_add(struct gallery *gallery, const json_t *record)
{
	const json_t *figures = json_object_get(record, "figures"), *entry;
	static double values[RECORD_VALUES];
	struct record_figure figure;
	size_t i;

	if (gallery->record_count < GALLERY_RECORDS)
		gallery->records[gallery->record_count++] = record;
	json_array_foreach(figures, i, entry)
	{
		struct gallery_figure *mine = &gallery->figures[gallery->count];

		if (gallery->count == GALLERY_FIGURES || !record_figure(entry, &figure, values))
			continue;
		gallery_parse(figure.name, mine);
		mine->statistics = statistics_of(values, figure.count);
		gallery->count++;
	}
}

static bool gallery_is(const struct gallery_figure *figure, const char *bench, const char *what)
{
	return strcmp(figure->bench, bench) == 0 && strcmp(figure->what, what) == 0;
}

// Do two figures stand in one chart?
static bool gallery_together(const struct gallery_figure *one, const struct gallery_figure *other)
{
	return strcmp(one->bench, other->bench) == 0 && strcmp(one->what, other->what) == 0 &&
	       strcmp(one->family, other->family) == 0 && one->routes == other->routes &&
	       strcmp(one->scene, other->scene) == 0;
}

// Has a figure of the same chart come before? Then the chart is drawn.
static bool gallery_is_first(const struct gallery *gallery, unsigned int index,
			     bool (*together)(const struct gallery_figure *, const struct gallery_figure *))
{
	for (unsigned int i = 0; i < index; i++)
		if (together(&gallery->figures[i], &gallery->figures[index]))
			return false;
	return true;
}

static void gallery_title(const struct gallery_figure *figure, bool scene, char title[RECORD_NAME])
{
	const char *gap = scene && *figure->scene ? ", " : "", *more = scene ? figure->scene : "";
	unsigned long routes = figure->routes;

	if (!routes)
		snprintf(title, RECORD_NAME, "%.40s%s%.100s", figure->bench, gap, more);
	else if (routes >= 1000000)
		snprintf(title, RECORD_NAME, "%.20s, %lu,%03lu,%03lu routes%s%.100s", figure->family,
			 routes / 1000000, routes / 1000 % 1000, routes % 1000, gap, more);
	else if (routes >= 1000)
		snprintf(title, RECORD_NAME, "%.20s, %lu,%03lu routes%s%.100s", figure->family, routes / 1000,
			 routes % 1000, gap, more);
	else
		snprintf(title, RECORD_NAME, "%.20s, %lu route%s%s%.100s", figure->family, routes,
			 routes == 1 ? "" : "s", gap, more);
}

static void gallery_heading(const struct gallery *gallery, bool *done, const char *title, const char *text)
{
	if (*done)
		return;
	*done = true;
	fprintf(gallery->out, "<h2>%s</h2>\n<p class=\"soft\">%s</p>\n<div class=\"grid\">\n", title, text);
}

static void gallery_end(const struct gallery *gallery, bool done)
{
	if (done)
		fputs("</div>\n", gallery->out);
}

static struct chart_bar gallery_bar(const struct gallery_figure *figure, double scale)
{
	return (struct chart_bar){ figure->subject,
				   gallery_class(figure->subject),
				   figure->statistics.median * scale,
				   figure->statistics.low * scale,
				   figure->statistics.high * scale,
				   0,
				   figure->open };
}

// A chart for each scene: its subjects one below the other.
static void gallery_bars(const struct gallery *gallery, const char *bench, const char *what, double scale,
			 const char *unit, bool *done, const char *heading, const char *text)
{
	struct chart_bar bars[GALLERY_BARS];
	char title[RECORD_NAME];

	for (unsigned int first = 0; first < gallery->count; first++) {
		unsigned int count = 0;

		if (!gallery_is(&gallery->figures[first], bench, what) ||
		    !gallery_is_first(gallery, first, gallery_together))
			continue;
		for (unsigned int i = first; i < gallery->count && count < GALLERY_BARS; i++)
			if (gallery_together(&gallery->figures[first], &gallery->figures[i]))
				bars[count++] = gallery_bar(&gallery->figures[i], scale);
		gallery_heading(gallery, done, heading, text);
		gallery_title(&gallery->figures[first], true, title);
		chart_bars(gallery->out, title, unit, bars, count, NULL);
	}
}

// --- rates by mode and size ---

// The last word of a scene of `bench modes` is the size.
static const char *gallery_size(const struct gallery_figure *figure)
{
	const char *space = strrchr(figure->scene, ' ');

	return space ? space + 1 : figure->scene;
}

static bool gallery_but_for_size(const struct gallery_figure *one, const struct gallery_figure *other)
{
	size_t front = gallery_size(one) - one->scene;

	return strcmp(one->bench, other->bench) == 0 && strcmp(one->what, other->what) == 0 &&
	       strcmp(one->family, other->family) == 0 && one->routes == other->routes &&
	       front == (size_t)(gallery_size(other) - other->scene) &&
	       strncmp(one->scene, other->scene, front) == 0;
}

static unsigned int gallery_sizes(const struct gallery *gallery, unsigned int first,
				  const char *sizes[GALLERY_SIZES + 1])
{
	unsigned int count = 0, k;

	for (unsigned int i = first; i < gallery->count && count < GALLERY_SIZES; i++) {
		if (!gallery_but_for_size(&gallery->figures[first], &gallery->figures[i]))
			continue;
		for (k = 0; k < count && strcmp(sizes[k], gallery_size(&gallery->figures[i])) != 0; k++)
			;
		if (k == count)
			sizes[count++] = gallery_size(&gallery->figures[i]);
	}
	sizes[count] = NULL;
	return count;
}

// The subject of figure `first` with each size, one bar each: the same figure may be in several records.
static unsigned int gallery_size_bars(const struct gallery *gallery, unsigned int first,
				      const char *const *sizes, struct chart_bar *bars)
{
	const struct gallery_figure *mine = &gallery->figures[first];
	unsigned int count = 0;

	for (unsigned int size = 0; sizes[size]; size++)
		for (unsigned int i = 0; i < gallery->count; i++) {
			const struct gallery_figure *figure = &gallery->figures[i];

			if (!gallery_but_for_size(mine, figure) ||
			    strcmp(mine->subject, figure->subject) != 0 ||
			    strcmp(gallery_size(figure), sizes[size]) != 0)
				continue;
			bars[count] = gallery_bar(figure, 1e-6);
			bars[count].label = count ? "" : figure->subject;
			bars[count++].shade = size;
			break;
		}
	return count;
}

static void gallery_mode_chart(const struct gallery *gallery, unsigned int first)
{
	const char *sizes[GALLERY_SIZES + 1], *drawn[GALLERY_BARS];
	struct chart_bar bars[GALLERY_BARS];
	unsigned int count = 0, subjects = 0, k;
	struct gallery_figure head = gallery->figures[first];
	char title[RECORD_NAME];

	gallery_sizes(gallery, first, sizes);
	for (unsigned int i = first; i < gallery->count && count + GALLERY_SIZES <= GALLERY_BARS; i++) {
		const struct gallery_figure *figure = &gallery->figures[i];

		if (!gallery_but_for_size(&gallery->figures[first], figure))
			continue;
		for (k = 0; k < subjects && strcmp(drawn[k], figure->subject) != 0; k++)
			;
		if (k < subjects)
			continue;
		drawn[subjects++] = figure->subject;
		count += gallery_size_bars(gallery, i, sizes, bars + count);
	}
	head.scene[gallery_size(&head) - head.scene] = 0;
	if (*head.scene)
		head.scene[strlen(head.scene) - 1] = 0;
	gallery_title(&head, true, title);
	chart_bars(gallery->out, title, "Mpps", bars, count, sizes);
}

static void gallery_modes(const struct gallery *gallery)
{
	bool done = false;

	for (unsigned int i = 0; i < gallery->count; i++) {
		if (!gallery_is(&gallery->figures[i], "modes", "PDR") ||
		    !gallery_is_first(gallery, i, gallery_but_for_size))
			continue;
		gallery_heading(gallery, &done, "What each mode takes, by size of the frames",
				"Packets a second with no more than 0.5 % loss (PDR), offered by one CPU and "
				"forwarded by what is left of the machine. Hollow bars with a > in front of "
				"the number: "
				"what the sender can do at all; the mode takes that, and more.");
		gallery_mode_chart(gallery, i);
	}
	gallery_end(gallery, done);
}

// --- lines ---

// Points of one chart, by subject.
struct gallery_lines {
	struct chart_line lines[GALLERY_LINES];
	double x[GALLERY_LINES][GALLERY_POINTS], y[GALLERY_LINES][GALLERY_POINTS];
	unsigned int count;
};

static void gallery_add_point(struct gallery_lines *lines, const char *subject, double x, double y)
{
	unsigned int line, at;

	for (line = 0; line < lines->count && strcmp(lines->lines[line].label, subject) != 0; line++)
		;
	if (line == GALLERY_LINES)
		return;
	if (line == lines->count)
		lines->lines[lines->count++] = (struct chart_line){ .label = subject,
								    .class = gallery_class(subject),
								    .x = lines->x[line],
								    .y = lines->y[line] };
	if (lines->lines[line].count == GALLERY_POINTS)
		return;
	for (at = lines->lines[line].count++; at > 0 && lines->x[line][at - 1] > x; at--) {
		lines->x[line][at] = lines->x[line][at - 1];
		lines->y[line][at] = lines->y[line][at - 1];
	}
	lines->x[line][at] = x;
	lines->y[line][at] = y;
}

static void gallery_latency_chart(const struct gallery *gallery, struct gallery_lines *lines,
				  unsigned int first)
{
	static const char *const loads[] = { "lowest", "10 %", "50 %", "90 %", NULL };
	static const char *const names[] = { "latency-at-0% p99", "latency-at-10% p99", "latency-at-50% p99",
					     "latency-at-90% p99" };
	struct gallery_figure head = gallery->figures[first];
	char title[RECORD_NAME];

	lines->count = 0;
	for (unsigned int load = 0; load < sizeof(names) / sizeof(names[0]); load++) {
		snprintf(head.what, sizeof(head.what), "%s", names[load]);
		for (unsigned int i = 0; i < gallery->count; i++)
			if (gallery_together(&head, &gallery->figures[i]) &&
			    gallery->figures[i].statistics.median > 0)
				gallery_add_point(lines, gallery->figures[i].subject, load + 1,
						  gallery->figures[i].statistics.median);
	}
	gallery_title(&head, true, title);
	chart_lines(gallery->out,
		    &(struct chart_axes){ .title = title,
					  .x_unit = "load, of PDR",
					  .y_unit = "99 of 100 packets within, us",
					  .y_log = true,
					  .wide = loads },
		    lines->lines, lines->count);
}

static void gallery_latency(const struct gallery *gallery, struct gallery_lines *lines)
{
	bool done = false;

	for (unsigned int i = 0; i < gallery->count; i++) {
		if (!gallery_is(&gallery->figures[i], "modes", "latency-at-10% p99") ||
		    !gallery_is_first(gallery, i, gallery_together))
			continue;
		gallery_heading(gallery, &done, "How long packets are under way",
				"From the sender's stamp to the sink, at parts of what the mode takes (PDR); "
				"the axis is logarithmic. Modes with threads of their own wait for the "
				"scheduler when CPUs are few.");
		gallery_latency_chart(gallery, lines, i);
	}
	gallery_end(gallery, done);
}

static void gallery_scaling(const struct gallery *gallery, struct gallery_lines *lines, const char *family,
			    bool *done)
{
	char title[64];

	lines->count = 0;
	for (unsigned int i = 0; i < gallery->count; i++)
		if (gallery_is(&gallery->figures[i], "forward", "rate") && gallery->figures[i].routes &&
		    strcmp(gallery->figures[i].family, family) == 0)
			gallery_add_point(lines, gallery->figures[i].subject, gallery->figures[i].routes,
					  gallery->figures[i].statistics.median / 1e6);
	if (!lines->count || lines->lines[0].count < 2)
		return;
	gallery_heading(gallery, done, "Rate against the size of the table, and CPUs",
			"Generator, router and sink share the CPUs: packets a second of their time.");
	snprintf(title, sizeof(title), "%s: packets a second by number of routes", family);
	chart_lines(
		gallery->out,
		&(struct chart_axes){ .title = title, .x_unit = "routes", .y_unit = "Mpps", .x_log = true },
		lines->lines, lines->count);
}

// "cpus IPv4 1-routes 2 penstock rate": the scene is the number of CPUs.
static void gallery_cpus(const struct gallery *gallery, struct gallery_lines *lines, bool *done)
{
	char title[RECORD_NAME];
	struct gallery_figure head;

	lines->count = 0;
	for (unsigned int i = 0; i < gallery->count; i++) {
		const struct gallery_figure *figure = &gallery->figures[i];

		if (!gallery_is(figure, "cpus", "rate"))
			continue;
		head = *figure;
		gallery_add_point(lines, figure->subject, strtoul(figure->scene, NULL, 10),
				  figure->statistics.median / 1e6);
	}
	if (!lines->count)
		return;
	gallery_heading(gallery, done, "Rate against the size of the table, and CPUs",
			"Generator, router and sink share the CPUs: packets a second of their time.");
	gallery_title(&head, false, title);
	strncat(title, ": packets a second by number of CPUs", sizeof(title) - strlen(title) - 1);
	chart_lines(
		gallery->out,
		&(struct chart_axes){ .title = title, .x_unit = "CPUs", .y_unit = "Mpps", .x_whole = true },
		lines->lines, lines->count);
}

// --- events ---

static void gallery_course(const struct gallery *gallery, struct gallery_lines *lines, const json_t *record,
			   const json_t *course, bool *done)
{
	const json_t *arrived = json_object_get(course, "arrived"), *value;
	double sent = json_number_value(json_object_get(record, "rate"));
	const char *text = json_string_value(json_object_get(course, "text"));
	size_t i, count = json_array_size(json_object_get(arrived, "ms"));

	if (!text || !count || sent <= 0)
		return;
	lines->lines[0] = (struct chart_line){
		.label = "", .class = "ours", .x = lines->x[0], .y = lines->y[0], .bare = true
	};
	json_array_foreach(json_object_get(arrived, "ms"), i, value) if (i < GALLERY_POINTS) lines->x[0][i] =
		json_number_value(value) / 1e3;
	json_array_foreach(json_object_get(arrived, "rate"), i, value) if (i < GALLERY_POINTS)
		lines->y[0][i] = 100 * json_number_value(value) / sent;
	lines->lines[0].count = count < GALLERY_POINTS ? count : GALLERY_POINTS;
	while (lines->lines[0].count > 2 && lines->y[0][lines->lines[0].count - 1] == 0)
		lines->lines[0].count--; // nothing is sent any more
	gallery_heading(gallery, done, "While something happens",
			"Of a steady stream, what arrives in each hundredth of a second, of the worst of all "
			"times; the line is where it begins to happen. A dip that is made up for "
			"at once is delay, of the router or of a busy machine, not loss.");
	chart_lines(gallery->out,
		    &(struct chart_axes){ .title = text,
					  .x_unit = "s",
					  .y_unit = "% of what is sent",
					  .most_y = 200,
					  .mark = json_number_value(json_object_get(record, "before")) },
		    lines->lines, 1);
}

static void gallery_events(const struct gallery *gallery, struct gallery_lines *lines)
{
	bool done = false;
	const json_t *course;
	size_t k;

	for (unsigned int i = 0; i < gallery->record_count; i++)
		json_array_foreach(json_object_get(gallery->records[i], "courses"), k, course)
			gallery_course(gallery, lines, gallery->records[i], course, &done);
	gallery_end(gallery, done);
}

// --- all ---

static void gallery_costs(const struct gallery *gallery)
{
	static const char heading[] = "What a packet costs";
	static const char text[] =
		"Nanoseconds of CPU time: from the generator through the router to the sink; and for the "
		"program alone, run on one packet again and again.";
	bool done = false;

	gallery_bars(gallery, "forward", "ns", 1, "ns", &done, heading, text);
	gallery_bars(gallery, "program", "ns", 1, "ns", &done, heading, text);
	gallery_bars(gallery, "replay", "ns", 1, "ns", &done, heading, text);
	gallery_end(gallery, done);
}

void gallery_write(const struct gallery *gallery)
{
	struct gallery_lines *lines = calloc(1, sizeof(*lines));
	bool rates = false, scaling = false, lookups = false;

	if (!lines)
		return;
	gallery_bars(gallery, "forward", "rate", 1e-6, "Mpps", &rates, "How many packets a second",
		     "Through one CPU that generator, router and sink share, in turns with the program that "
		     "looks nothing up: packets a second of CPU time.");
	gallery_end(gallery, rates);
	gallery_modes(gallery);
	gallery_latency(gallery, lines);
	gallery_scaling(gallery, lines, "IPv4", &scaling);
	gallery_scaling(gallery, lines, "IPv6", &scaling);
	gallery_cpus(gallery, lines, &scaling);
	gallery_end(gallery, scaling);
	gallery_costs(gallery);
	gallery_events(gallery, lines);
	gallery_bars(
		gallery, "fib", "ns", 1, "ns", &lookups, "Finding a route",
		"Nanoseconds of one lookup. Dependent: each has to wait for the one before; independent: "
		"the CPU may overlap them.");
	gallery_end(gallery, lookups);
	free(lines);
}

struct gallery *gallery_new(FILE *out)
{
	struct gallery *gallery = calloc(1, sizeof(*gallery));

	if (!gallery)
		return NULL;
	gallery->out = out;
	gallery->figures = calloc(GALLERY_FIGURES + 1, sizeof(*gallery->figures));
	if (gallery->figures)
		return gallery;
	free(gallery);
	return NULL;
}

void gallery_free(struct gallery *gallery)
{
	if (!gallery)
		return;
	free(gallery->figures);
	free(gallery);
}
