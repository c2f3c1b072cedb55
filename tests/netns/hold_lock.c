// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * hold_lock INTERFACE: holds the kernel's lock over network devices (rtnl) from "held" on standard output to
 * the end of standard input, but not for longer than MOST_S. Whoever asks the kernel about devices waits so
 * long.
 *
 * The kernel copies the answer to an ethtool request to us while it holds the lock. The page it writes to is
 * missing, and we, who are asked for it (userfaultfd), take our time. Ends with code 77 where that cannot be
 * had.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <net/if.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>

#define SKIPPED 77
#define MOST_S  20
#define BLOCKS  8 /* of features that there is room for */

static long page;
static char *memory; /* two pages, the second is missing */
static const char *interface;

/* The head of the request is in the first page, where the answer begins in the second. */
static void *ask(void *arg)
{
	struct ethtool_gfeatures *request = (void *)(memory + page - sizeof(*request));
	struct ifreq target = { .ifr_data = (void *)request };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	request->cmd = ETHTOOL_GFEATURES;
	request->size = BLOCKS;
	strncpy(target.ifr_name, interface, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &target) < 0) {
		perror(interface);
		exit(1);
	}
	close(fd);
	return NULL;
}

/* Returns the fd by which we are asked for the second page. */
static int watch_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0)
		return -1;
	range.range.start = (unsigned long)memory + (unsigned long)page;
	range.range.len = (unsigned long)page;
	return ioctl(fd, UFFDIO_REGISTER, &range) < 0 ? -1 : fd;
}

static void give_page(int fd)
{
	struct uffdio_zeropage zero = { .range = { .start = (unsigned long)memory + (unsigned long)page,
						   .len = (unsigned long)page } };

	if (ioctl(fd, UFFDIO_ZEROPAGE, &zero) < 0)
		perror("UFFDIO_ZEROPAGE");
}

int main(int argc, char **argv)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	struct uffd_msg message;
	pthread_t thread;
	int fd;

	if (argc != 2)
		return 2;
	interface = argv[1];
	page = sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = memory == MAP_FAILED ? -1 : watch_page();
	if (fd < 0) {
		fprintf(stderr, "userfaultfd: %s\n", strerror(errno));
		return SKIPPED;
	}
	if (pthread_create(&thread, NULL, ask, NULL) != 0 ||
	    read(fd, &message, sizeof(message)) != sizeof(message))
		return 1;
	puts("held");
	fflush(stdout);
	(void)poll(&input, 1, MOST_S * 1000);
	give_page(fd);
	pthread_join(thread, NULL);
	puts("released");
	return 0;
}
