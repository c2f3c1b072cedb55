// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>
#include <stdio.h>

// Charts as SVG within an HTML page. Colours come from the page's style: the classes ours, other, whisker,
// axis.

struct chart_bar {
	const char *label;
	double value, low, high; // low and high: the interval, drawn as a whisker
	bool ours;
};

#define CHART_POINTS 16

struct chart_line {
	const char *label;
	unsigned int count; // of points, by x upwards
	double x[CHART_POINTS], y[CHART_POINTS];
	bool ours;
};

// Text as it may stand in HTML.
void chart_text(FILE *out, const char *text);

// One bar below the other, the scale begins at 0.
void chart_bars(FILE *out, const char *title, const char *unit, const struct chart_bar *bars,
		unsigned int count);

// Lines over a logarithmic x axis, y begins at 0.
void chart_lines(FILE *out, const char *title, const char *x_unit, const char *y_unit,
		 const struct chart_line *lines, unsigned int count);
