// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/afxdp_counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "host/engine/pins.h"

#define PIN_NAME "workers"

struct one { /* worker; the map's value */
	struct image_counters port[IMAGE_PORTS];
};

struct afxdp_counters {
	int fd;
	unsigned int workers;
	struct one *worker;
};

static size_t size_of(unsigned int workers)
{
	return workers * sizeof(struct one); /* whole pages, as long as a port's counters are a KiB */
}

_Static_assert(sizeof(struct one) % 65536 == 0, "elements of a mapped array lie side by side in whole pages");

static void add(struct image_counters *sum, const struct image_counters *one)
{
	for (int reason = 0; reason < REASON_MAX; reason++) {
		sum->reason[reason].packets +=
			__atomic_load_n(&one->reason[reason].packets, __ATOMIC_RELAXED);
		sum->reason[reason].bytes += __atomic_load_n(&one->reason[reason].bytes, __ATOMIC_RELAXED);
	}
}

/* What the last daemon left, if it has our shape, becomes the first worker's. */
static void adopt_old(struct afxdp_counters *counters, struct pins *pins)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	struct one *old = NULL;
	int fd = pins_map_get(pins, PIN_NAME);

	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0 || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.value_size != sizeof(struct one))
		goto close_fd;
	old = mmap(NULL, size_of(info.max_entries), PROT_READ, MAP_SHARED, fd, 0);
	if (old == MAP_FAILED)
		goto close_fd;
	for (__u32 worker = 0; worker < info.max_entries; worker++)
		for (int port = 0; port < IMAGE_PORTS; port++)
			add(&counters->worker[0].port[port], &old[worker].port[port]);
	munmap(old, size_of(info.max_entries));
close_fd:
	close(fd);
}

int afxdp_counters_new(struct pins *pins, unsigned int workers, bool adopt, struct afxdp_counters **ret,
		       struct why *why)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	struct afxdp_counters *counters = calloc(1, sizeof(*counters));
	int error;

	if (!counters)
		return why_set(why, ENOMEM, "out of memory");
	counters->workers = workers;
	counters->fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, PIN_NAME, sizeof(__u32), sizeof(struct one),
				      workers, &options);
	if (counters->fd < 0) {
		error = why_set(why, errno, "cannot make BPF maps: %s", strerror(errno));
		goto free_counters;
	}
	counters->worker = mmap(NULL, size_of(workers), PROT_READ | PROT_WRITE, MAP_SHARED, counters->fd, 0);
	if (counters->worker == MAP_FAILED) {
		error = why_set(why, errno, "cannot map a BPF map: %s", strerror(errno));
		goto close_fd;
	}
	if (adopt)
		adopt_old(counters, pins);
	(void)pins_map_put(pins, PIN_NAME, counters->fd); /* else the next daemon counts from zero */
	*ret = counters;
	return 0;
close_fd:
	close(counters->fd);
free_counters:
	free(counters);
	return error;
}

void afxdp_counters_free(struct afxdp_counters *counters)
{
	if (!counters)
		return;
	munmap(counters->worker, size_of(counters->workers));
	close(counters->fd);
	free(counters);
}

struct image_counters *afxdp_counters_of(const struct afxdp_counters *counters, unsigned int worker)
{
	return counters->worker[worker].port;
}

void afxdp_counters_add(const struct afxdp_counters *counters, __u16 port, struct image_counters *sum)
{
	for (unsigned int worker = 0; worker < counters->workers; worker++)
		add(sum, &counters->worker[worker].port[port & (IMAGE_PORTS - 1)]);
}
