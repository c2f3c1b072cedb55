// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// Preloaded into a daemon: as soon as the file named in SHORT_MEMORY is there, no interface of the tables
// gets memory.

#include <stdlib.h>
#include <unistd.h>

#include "host/fib/interface.h"

void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
	const char *sign = getenv("SHORT_MEMORY");

	if (count == 1 && size == sizeof(struct interface) && sign && access(sign, F_OK) == 0)
		return NULL;
	return __libc_calloc(count, size);
}
