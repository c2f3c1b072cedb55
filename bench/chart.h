// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <stdio.h>

// Charts as SVG within an HTML page. Colours come from the page's style: a class for each bar and line, and
// the classes title, grid, axis, whisker, mark.

struct chart_bar {
	const char *label;       // "": one more bar of the row above
	const char *class;       // of the colour
	double value, low, high; // low and high: the interval, drawn as a whisker
	unsigned int shade;      // 0 to 3, of rows with several bars: each paler than the one before
	bool open;               // the value is at least that: a hollow bar
};

struct chart_line {
	const char *label, *class;
	unsigned int count; // of points, by x upwards
	const double *x, *y;
	bool bare; // without a dot for each point
};

struct chart_axes {
	const char *title, *x_unit, *y_unit;
	bool x_log, y_log;       // else the axis begins at 0
	bool x_whole;            // whole numbers only
	double mark;             // an x at which something happened; 0: none
	double most_y;           // the end of the axis; 0: as the lines want
	const char *const *wide; // words for x where it is not a number: x 1 is the first, NULL at the end
};

// Text as it may stand in HTML.
void chart_text(FILE *out, const char *text);

// One bar below the other, the scale begins at 0. shades: what they mean, NULL at the end; NULL: one bar a
// row.
void chart_bars(FILE *out, const char *title, const char *unit, const struct chart_bar *bars,
		unsigned int count, const char *const *shades);

// Lines, each with its label at its end.
void chart_lines(FILE *out, const struct chart_axes *axes, const struct chart_line *lines,
		 unsigned int count);
