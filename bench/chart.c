// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Pixels of the drawing; it is scaled to the page.
#define CHART_WIDTH  520
#define CHART_LABELS 126 // left of the bars
#define CHART_VALUES 84  // right of them
#define CHART_ROW    24
#define CHART_BAR    14
#define CHART_MORE   13 // further bars of a row
#define CHART_TOP    34
#define CHART_LEGEND 20
#define CHART_LINES  280 // height of lines
#define CHART_BELOW  40
#define CHART_ABOVE  54
#define CHART_NAMES  134 // right of the lines
#define CHART_APART  13  // of names
#define CHART_TICKS  4   // 5 where the axis ends with a 5 or a 1
#define CHART_COUNT  32  // lines, at most

static const double chart_shades[] = { 1, 0.7, 0.45, 0.25 };
#define CHART_HOLLOW 0.15
#define CHART_SHADES (sizeof(chart_shades) / sizeof(chart_shades[0]))

void chart_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else
			fputc(*text, out);
	}
}

// The next number upwards that reads well: 1, 2, 4, 5 or 8 times a power of ten.
static double chart_round_up(double value)
{
	static const double steps[] = { 1, 2, 4, 5, 8, 10 };
	double power = value > 0 ? pow(10, floor(log10(value))) : 1;

	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (value <= steps[i] * power * 1.000001)
			return steps[i] * power;
	return 10 * power;
}

static void chart_begin(FILE *out, const char *title, unsigned int height)
{
	fputs("<figure><svg viewBox=\"0 0 ", out);
	fprintf(out, "%u %u\" role=\"img\" aria-label=\"", CHART_WIDTH, height);
	chart_text(out, title);
	fputs("\"><text class=\"title\" x=\"0\" y=\"16\">", out);
	chart_text(out, title);
	fputs("</text>\n", out);
}

static void chart_end(FILE *out)
{
	fputs("</svg></figure>\n", out);
}

static void chart_label(FILE *out, const char *anchor, double x, double y, const char *text)
{
	fprintf(out, "<text text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", anchor, x, y);
	chart_text(out, text);
	fputs("</text>\n", out);
}

static void chart_line_between(FILE *out, const char *class, double x1, double y1, double x2, double y2)
{
	fprintf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x1, y1,
		x2, y2);
}

// --- bars ---

static void chart_bar(FILE *out, const struct chart_bar *bar, const char *unit, double y, double scale)
{
	double middle = y + CHART_BAR / 2.0, low = CHART_LABELS + bar->low * scale,
	       high = CHART_LABELS + bar->high * scale;
	unsigned int shade = bar->shade < CHART_SHADES ? bar->shade : CHART_SHADES - 1;
	char text[64];

	chart_label(out, "end", CHART_LABELS - 8, middle + 4, bar->label);
	fprintf(out,
		"<rect class=\"%s%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"2\" "
		"fill-opacity=\"%g\"/>\n",
		bar->class, bar->open ? " open" : "", CHART_LABELS, y, bar->value * scale,
		*bar->label ? CHART_BAR : CHART_BAR - 2, bar->open ? CHART_HOLLOW : chart_shades[shade]);
	if (!bar->open && bar->high > bar->low) {
		chart_line_between(out, "whisker", low, middle, high, middle);
		chart_line_between(out, "whisker", low, middle - 4, low, middle + 4);
		chart_line_between(out, "whisker", high, middle - 4, high, middle + 4);
	}
	snprintf(text, sizeof(text), bar->value >= 1000 ? "%s%.0f %s" : "%s%.3g %s", bar->open ? "> " : "",
		 bar->value, unit);
	chart_label(out, "start", fmax(high, CHART_LABELS + bar->value * scale) + 8, middle + 4, text);
}

static void chart_legend(FILE *out, const char *const *shades)
{
	double x = CHART_LABELS;
	char text[32];

	for (unsigned int i = 0; shades[i] && i < CHART_SHADES; i++) {
		fprintf(out, "<circle class=\"legend\" cx=\"%.1f\" cy=\"32\" r=\"5\" fill-opacity=\"%g\"/>\n",
			x + 5, chart_shades[i]);
		snprintf(text, sizeof(text), "%s", shades[i]);
		text[strcspn(text, "-")] = text[strcspn(text, "-")] ? ' ' : 0;
		chart_label(out, "start", x + 14, 36, text);
		x += 30 + 7 * strlen(shades[i]);
	}
}

static unsigned int chart_bar_height(const struct chart_bar *bar)
{
	return *bar->label ? CHART_ROW : CHART_MORE;
}

void chart_bars(FILE *out, const char *title, const char *unit, const struct chart_bar *bars,
		unsigned int count, const char *const *shades)
{
	unsigned int top = CHART_TOP + (shades ? CHART_LEGEND : 0), height = top;
	double most = 0, scale;

	for (unsigned int i = 0; i < count; i++) {
		most = fmax(most, fmax(bars[i].value, bars[i].high));
		height += chart_bar_height(&bars[i]);
	}
	scale = most > 0 ? (CHART_WIDTH - CHART_LABELS - CHART_VALUES) / most : 0;
	chart_begin(out, title, height + 6);
	if (shades)
		chart_legend(out, shades);
	height = top;
	for (unsigned int i = 0; i < count; i++) {
		// bars of a row stand close to each other: a row begins after its gap
		height += *bars[i].label ? CHART_ROW - CHART_BAR : CHART_MORE - CHART_BAR;
		chart_bar(out, &bars[i], unit, height, scale);
		height += CHART_BAR;
	}
	chart_line_between(out, "axis", CHART_LABELS, top + 2, CHART_LABELS, height + 4);
	chart_end(out);
}

// --- lines ---

// Where a point of the data stands in the drawing.
struct chart_frame {
	const struct chart_axes *axes;
	double left, right, bottom, top;
	double least_x, most_x, least_y, most_y; // logarithms on such an axis
};

static double chart_part(double value, bool log, double least, double most)
{
	return most > least ? ((log ? log10(value) : value) - least) / (most - least) : 0.5;
}

static double chart_x(const struct chart_frame *frame, double x)
{
	return frame->left + chart_part(x, frame->axes->x_log, frame->least_x, frame->most_x) *
				     (frame->right - frame->left);
}

// What is above the end of the axis stands there.
static double chart_y(const struct chart_frame *frame, double y)
{
	double part = chart_part(y, frame->axes->y_log, frame->least_y, frame->most_y);

	return frame->bottom - fmin(part, 1) * (frame->bottom - frame->top);
}

static void chart_range(bool log, double value, double *least, double *most)
{
	*least = fmin(*least, log ? log10(value) : value);
	*most = fmax(*most, log ? log10(value) : value);
}

static struct chart_frame chart_frame_of(const struct chart_axes *axes, const struct chart_line *lines,
					 unsigned int count)
{
	struct chart_frame frame = { .axes = axes,
				     .left = 52,
				     .right = CHART_WIDTH - (count > 1 ? CHART_NAMES : 16),
				     .top = CHART_ABOVE,
				     .bottom = CHART_LINES - CHART_BELOW,
				     .least_x = axes->x_log ? INFINITY : 0,
				     .most_x = -INFINITY,
				     .least_y = axes->y_log ? INFINITY : 0,
				     .most_y = -INFINITY };

	for (unsigned int i = 0; i < count; i++)
		for (unsigned int k = 0; k < lines[i].count; k++) {
			chart_range(axes->x_log, lines[i].x[k], &frame.least_x, &frame.most_x);
			chart_range(axes->y_log, lines[i].y[k], &frame.least_y, &frame.most_y);
		}
	frame.least_y = axes->y_log ? floor(frame.least_y) : 0;
	frame.most_y = axes->most_y > 0 ? axes->most_y
		       : axes->y_log    ? ceil(frame.most_y)
					: chart_round_up(frame.most_y);
	if (axes->wide) {
		frame.least_x = 0.8;
		frame.most_x += 0.2;
	}
	return frame;
}

static void chart_number(double value, char text[32])
{
	if (value >= 1e6)
		snprintf(text, 32, "%.4gM", value / 1e6);
	else if (value >= 1e4)
		snprintf(text, 32, "%.4gk", value / 1e3);
	else
		snprintf(text, 32, "%.4g", value);
}

static int chart_ticks(double most)
{
	double digit = most / pow(10, floor(log10(most) + 1e-9));

	return digit > 4.9 && digit < 5.1 ? CHART_TICKS + 1 : digit < 1.1 ? CHART_TICKS + 1 : CHART_TICKS;
}

static void chart_y_axis(FILE *out, const struct chart_frame *frame)
{
	int ticks =
		frame->axes->y_log ? (int)lround(frame->most_y - frame->least_y) : chart_ticks(frame->most_y);
	char text[32];

	for (int i = 0; i <= ticks; i++) {
		double value = frame->axes->y_log ? pow(10, frame->least_y + i) : frame->most_y * i / ticks;
		double y = chart_y(frame, value);

		chart_line_between(out, "grid", frame->left, y, frame->right, y);
		chart_number(value, text);
		chart_label(out, "end", frame->left - 6, y + 4, text);
	}
	chart_label(out, "start", 0, frame->top - 16, frame->axes->y_unit);
}

static void chart_x_tick(FILE *out, const struct chart_frame *frame, double value, const char *text)
{
	double x = chart_x(frame, value);

	chart_line_between(out, "axis", x, frame->bottom, x, frame->bottom + 4);
	chart_label(out, "middle", x, frame->bottom + 17, text);
}

static void chart_x_axis(FILE *out, const struct chart_frame *frame)
{
	const struct chart_axes *axes = frame->axes;
	char text[32];
	double step = chart_round_up((frame->most_x - frame->least_x) / 5);

	if (axes->x_whole)
		step = fmax(1, ceil(step));
	if (axes->wide) {
		for (unsigned int i = 0; axes->wide[i] && i + 1 <= frame->most_x; i++)
			chart_x_tick(out, frame, i + 1, axes->wide[i]);
	} else if (axes->x_log) {
		for (int power = ceil(frame->least_x - 0.001); power <= frame->most_x + 0.001; power++) {
			chart_number(pow(10, power), text);
			chart_x_tick(out, frame, pow(10, power), text);
		}
	} else {
		for (double value = 0; value <= frame->most_x * 1.0001; value += step) {
			chart_number(value, text);
			chart_x_tick(out, frame, value, text);
		}
	}
	chart_line_between(out, "axis", frame->left, frame->bottom, frame->right, frame->bottom);
	chart_label(out, "end", frame->right, frame->bottom + 34, axes->x_unit);
	if (axes->mark > 0)
		chart_line_between(out, "mark", chart_x(frame, axes->mark), frame->top,
				   chart_x(frame, axes->mark), frame->bottom);
}

static void chart_line(FILE *out, const struct chart_frame *frame, const struct chart_line *line)
{
	fprintf(out, "<polyline class=\"%s\" points=\"", line->class);
	for (unsigned int i = 0; i < line->count; i++)
		fprintf(out, "%.1f,%.1f ", chart_x(frame, line->x[i]), chart_y(frame, line->y[i]));
	fputs("\"/>\n", out);
	for (unsigned int i = 0; i < line->count && !line->bare; i++)
		fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", line->class,
			chart_x(frame, line->x[i]), chart_y(frame, line->y[i]));
}

struct chart_name {
	const struct chart_line *line;
	double y;
};

static int chart_compare(const void *one, const void *other)
{
	const struct chart_name *a = one, *b = other;

	return (a->y > b->y) - (a->y < b->y);
}

// Names beside the ends of the lines, none over the other.
static void chart_names(FILE *out, const struct chart_frame *frame, const struct chart_line *lines,
			unsigned int count)
{
	struct chart_name names[CHART_COUNT];
	double over = 0;

	for (unsigned int i = 0; i < count; i++)
		names[i] =
			(struct chart_name){ &lines[i], chart_y(frame, lines[i].y[lines[i].count - 1]) + 4 };
	qsort(names, count, sizeof(names[0]), chart_compare);
	for (unsigned int i = 1; i < count; i++)
		names[i].y = fmax(names[i].y, names[i - 1].y + CHART_APART);
	if (count)
		over = fmax(0, names[count - 1].y - frame->bottom - 4);
	for (unsigned int i = 0; i < count; i++) {
		fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", names[i].line->class,
			frame->right + 10, names[i].y - over - 4);
		chart_label(out, "start", frame->right + 17, names[i].y - over, names[i].line->label);
	}
}

void chart_lines(FILE *out, const struct chart_axes *axes, const struct chart_line *lines, unsigned int count)
{
	struct chart_frame frame = chart_frame_of(axes, lines, count);

	chart_begin(out, axes->title, CHART_LINES);
	chart_y_axis(out, &frame);
	chart_x_axis(out, &frame);
	for (unsigned int i = 0; i < count; i++)
		chart_line(out, &frame, &lines[i]);
	if (count > 1 && count <= CHART_COUNT)
		chart_names(out, &frame, lines, count);
	chart_end(out);
}
