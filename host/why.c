// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/why.h"

#include <stdio.h>

int why_set(struct why *why, int error, const char *format, ...)
{
	va_list arguments;

	if (!why)
		return -error;
	va_start(arguments, format);
	vsnprintf(why->text, sizeof(why->text), format, arguments);
	va_end(arguments);
	for (char *c = why->text; *c; c++) /* interface names and files may hold anything */
		if (*c < ' ' || *c > '~')
			*c = '?';
	return -error;
}
