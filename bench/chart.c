// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/chart.h"

#include <math.h>
#include <string.h>

// Pixels of the drawing; it is scaled to the page.
#define CHART_WIDTH  760
#define CHART_LABELS 170 // left of the bars
#define CHART_VALUES 90  // right of them
#define CHART_ROW    24
#define CHART_BAR    14
#define CHART_TOP    34
#define CHART_LINES  310 // height of lines
#define CHART_BELOW  40
#define CHART_ABOVE  52
#define CHART_TICKS  4

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

// The next number upwards that reads well: 1, 2 or 5 times a power of ten.
static double chart_round_up(double value)
{
	static const double steps[] = { 1, 2, 5, 10 };
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

static void chart_bar(FILE *out, const struct chart_bar *bar, const char *unit, double y, double scale)
{
	double middle = y + CHART_BAR / 2.0, low = CHART_LABELS + bar->low * scale,
	       high = CHART_LABELS + bar->high * scale;
	char text[64];

	chart_label(out, "end", CHART_LABELS - 8, middle + 4, bar->label);
	fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n",
		bar->ours ? "ours" : "other", CHART_LABELS, y, bar->value * scale, CHART_BAR);
	chart_line_between(out, "whisker", low, middle, high, middle);
	chart_line_between(out, "whisker", low, middle - 4, low, middle + 4);
	chart_line_between(out, "whisker", high, middle - 4, high, middle + 4);
	snprintf(text, sizeof(text), "%.4g %s", bar->value, unit);
	chart_label(out, "start", fmax(high, CHART_LABELS + bar->value * scale) + 8, middle + 4, text);
}

void chart_bars(FILE *out, const char *title, const char *unit, const struct chart_bar *bars,
		unsigned int count)
{
	double most = 0, scale;

	for (unsigned int i = 0; i < count; i++)
		most = fmax(most, fmax(bars[i].value, bars[i].high));
	scale = most > 0 ? (CHART_WIDTH - CHART_LABELS - CHART_VALUES) / most : 0;
	chart_begin(out, title, CHART_TOP + count * CHART_ROW);
	for (unsigned int i = 0; i < count; i++)
		chart_bar(out, &bars[i], unit, CHART_TOP + i * CHART_ROW, scale);
	chart_line_between(out, "axis", CHART_LABELS, CHART_TOP - 6, CHART_LABELS,
			   CHART_TOP + count * CHART_ROW);
	chart_end(out);
}

// Where a point of the data stands in the drawing.
struct chart_frame {
	double left, right, bottom, top;
	double least_x, most_x; // logarithms
	double most_y;
};

static double chart_x(const struct chart_frame *frame, double x)
{
	double width = frame->most_x - frame->least_x;
	double part = width > 0 ? (log10(x) - frame->least_x) / width : 0.5;

	return frame->left + part * (frame->right - frame->left);
}

static double chart_y(const struct chart_frame *frame, double y)
{
	return frame->bottom - y / frame->most_y * (frame->bottom - frame->top);
}

static struct chart_frame chart_frame_of(const struct chart_line *lines, unsigned int count)
{
	struct chart_frame frame = { .left = 60,
				     .right = CHART_WIDTH - CHART_LABELS,
				     .top = CHART_ABOVE,
				     .bottom = CHART_LINES - CHART_BELOW,
				     .least_x = INFINITY,
				     .most_x = -INFINITY };

	for (unsigned int i = 0; i < count; i++)
		for (unsigned int k = 0; k < lines[i].count; k++) {
			frame.least_x = fmin(frame.least_x, log10(lines[i].x[k]));
			frame.most_x = fmax(frame.most_x, log10(lines[i].x[k]));
			frame.most_y = fmax(frame.most_y, lines[i].y[k]);
		}
	frame.most_y = chart_round_up(frame.most_y);
	return frame;
}

static void chart_axes(FILE *out, const struct chart_frame *frame, const char *x_unit, const char *y_unit)
{
	char text[32];

	for (int i = 0; i <= CHART_TICKS; i++) {
		double value = frame->most_y * i / CHART_TICKS, y = chart_y(frame, value);

		chart_line_between(out, "grid", frame->left, y, frame->right, y);
		snprintf(text, sizeof(text), "%.4g", value);
		chart_label(out, "end", frame->left - 6, y + 4, text);
	}
	for (int power = ceil(frame->least_x - 0.001); power <= frame->most_x + 0.001; power++) {
		snprintf(text, sizeof(text),
			 power < 4   ? "%.0f"
			 : power < 6 ? "%.0fk"
				     : "%.0fM",
			 pow(10, power < 4   ? power
				 : power < 6 ? power - 3
					     : power - 6));
		chart_label(out, "middle", chart_x(frame, pow(10, power)), frame->bottom + 16, text);
	}
	chart_label(out, "end", frame->right, frame->bottom + 34, x_unit);
	chart_label(out, "end", frame->left - 6, frame->top - 14, y_unit);
}

static void chart_line(FILE *out, const struct chart_frame *frame, const struct chart_line *line,
		       double label_y)
{
	const char *class = line->ours ? "ours" : "other";
	unsigned int last = line->count - 1;

	fprintf(out, "<polyline class=\"%s\" points=\"", class);
	for (unsigned int i = 0; i < line->count; i++)
		fprintf(out, "%.1f,%.1f ", chart_x(frame, line->x[i]), chart_y(frame, line->y[i]));
	fputs("\"/>\n", out);
	for (unsigned int i = 0; i < line->count; i++)
		fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", class,
			chart_x(frame, line->x[i]), chart_y(frame, line->y[i]));
	chart_label(out, "start", chart_x(frame, line->x[last]) + 8, label_y + 4, line->label);
}

void chart_lines(FILE *out, const char *title, const char *x_unit, const char *y_unit,
		 const struct chart_line *lines, unsigned int count)
{
	struct chart_frame frame = chart_frame_of(lines, count);

	chart_begin(out, title, CHART_LINES);
	chart_axes(out, &frame, x_unit, y_unit);
	for (unsigned int i = 0; i < count; i++) {
		double y = chart_y(&frame, lines[i].y[lines[i].count - 1]);

		// labels of lines that end close to each other would cover each other
		for (unsigned int k = 0; k < i; k++)
			if (fabs(chart_y(&frame, lines[k].y[lines[k].count - 1]) - y) < 12)
				y += 13;
		chart_line(out, &frame, &lines[i], y);
	}
	chart_end(out);
}
