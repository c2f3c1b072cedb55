// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Preloaded into the daemon: the kernel refuses native XDP on the interface whose number stands in the file
 * that REFUSE_NATIVE names, as a driver would that cannot; where there is no such file, on none.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include <linux/bpf.h>
#include <linux/if_link.h>

typedef long call_fn(long number, ...);

long syscall(long number, ...);

static unsigned int refused(void)
{
	const char *path = getenv("REFUSE_NATIVE");
	FILE *file = path ? fopen(path, "re") : NULL;
	unsigned int ifindex = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%u", &ifindex) != 1)
		ifindex = 0;
	fclose(file);
	return ifindex;
}

long syscall(long number, ...)
{
	static call_fn *next;
	long argument[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf && argument[0] == BPF_LINK_CREATE) {
		const union bpf_attr *attr = (const union bpf_attr *)argument[1];

		if (attr->link_create.flags & XDP_FLAGS_DRV_MODE &&
		    attr->link_create.target_ifindex == refused()) {
			errno = EOPNOTSUPP;
			return -1;
		}
	}
	if (!next)
		next = (call_fn *)dlsym(RTLD_NEXT, "syscall");
	return next(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}
