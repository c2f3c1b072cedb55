// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/probe.h"

#include <stdarg.h>
#include <stdio.h>

void probe_yes(struct probe *probe, const char *format, ...)
{
	va_list arguments;

	*probe = (struct probe){ .possible = true };
	va_start(arguments, format);
	vsnprintf(probe->reason, sizeof(probe->reason), format, arguments);
	va_end(arguments);
}

void probe_no(struct probe *probe, const char *format, ...)
{
	va_list arguments;

	*probe = (struct probe){ .possible = false };
	va_start(arguments, format);
	vsnprintf(probe->reason, sizeof(probe->reason), format, arguments);
	va_end(arguments);
}

void probe_fix(struct probe *probe, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(probe->fix, sizeof(probe->fix), format, arguments);
	va_end(arguments);
}
