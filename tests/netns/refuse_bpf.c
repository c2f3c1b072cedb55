// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Preloaded into the daemon: the kernel refuses what it would not.
 *
 * REFUSE_NATIVE names a file with the number of an interface: native XDP on it, as by a driver that cannot.
 * REFUSE_GENERIC the same for generic XDP, REFUSE_SOCKET for AF_XDP sockets on it.
 * REFUSE_BPF names a file with the number of a bpf command: that command, as by a kernel without memory; with
 * a second number behind it, that many times, after which the file is removed.
 *
 * Where there is no such file, nothing.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>

#define SMALL 100 /* instructions */

typedef long call_fn(long number, ...);
typedef int bind_fn(int fd, const struct sockaddr *address, socklen_t size);

/* One time less to come; 0: it stays as it is for good. */
static void count_down(const char *path, long number, unsigned int times)
{
	FILE *file;

	if (times == 1)
		(void)unlink(path);
	file = times > 1 ? fopen(path, "we") : NULL;
	if (!file)
		return;
	fprintf(file, "%ld %u\n", number, times - 1);
	fclose(file);
}

/* Whether the number in the file is this one. */
static bool is_refused(const char *variable, long wanted)
{
	const char *path = getenv(variable);
	FILE *file = path ? fopen(path, "re") : NULL;
	unsigned int times = 0;
	long number = -1;
	int read;

	if (!file)
		return false;
	read = fscanf(file, "%ld %u", &number, &times);
	fclose(file);
	if (read < 1 || number != wanted)
		return false;
	count_down(path, number, times);
	return true;
}

static int refusal(long command, const union bpf_attr *attr)
{
	/* libbpf tries small programs, and does without where they are refused */
	if ((command != BPF_PROG_LOAD || attr->insn_cnt > SMALL) && is_refused("REFUSE_BPF", command))
		return ENOMEM;
	if (command == BPF_LINK_CREATE && attr->link_create.flags & XDP_FLAGS_DRV_MODE &&
	    is_refused("REFUSE_NATIVE", attr->link_create.target_ifindex))
		return EOPNOTSUPP;
	if (command == BPF_LINK_CREATE && attr->link_create.flags & XDP_FLAGS_SKB_MODE &&
	    is_refused("REFUSE_GENERIC", attr->link_create.target_ifindex))
		return EOPNOTSUPP;
	return 0;
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	static bind_fn *next;

	if (address->sa_family == AF_XDP && size == sizeof(struct sockaddr_xdp) &&
	    is_refused("REFUSE_SOCKET", ((const struct sockaddr_xdp *)address)->sxdp_ifindex)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (!next)
		next = (bind_fn *)dlsym(RTLD_NEXT, "bind");
	return next(fd, address, size);
}

long syscall(long number, ...)
{
	static call_fn *next;
	long argument[6];
	int error = 0;
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf)
		error = refusal(argument[0], (const union bpf_attr *)argument[1]);
	if (error) {
		errno = error;
		return -1;
	}
	if (!next)
		next = (call_fn *)dlsym(RTLD_NEXT, "syscall");
	return next(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}
