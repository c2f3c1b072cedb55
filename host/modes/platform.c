// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/platform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/magic.h>

#include "host/modes/xdp_features.h"

#define OLDEST_KERNEL 60100 /* what the tests run on */

static unsigned long long effective_capabilities(void)
{
	unsigned long long mask = 0;
	char line[128];
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &mask) == 1)
			break;
	fclose(file);
	return mask;
}

static bool is_bpffs(const char *path)
{
	struct statfs status;

	return statfs(path, &status) == 0 && status.f_type == BPF_FS_MAGIC;
}

/* `ip netns exec` hides the bpffs behind a fresh /sys; init still has it, in the same place. */
static void find_bpffs(const char *configured, char *ret, size_t size)
{
	static const char *const usual[] = { "/sys/fs/bpf", "/proc/1/root/sys/fs/bpf" };

	ret[0] = 0;
	if (configured) {
		if (is_bpffs(configured))
			snprintf(ret, size, "%s", configured);
		return;
	}
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) && !ret[0]; i++)
		if (is_bpffs(usual[i]))
			snprintf(ret, size, "%s", usual[i]);
}

/* "[none] integrity confidentiality" */
static void read_lockdown(char *ret, size_t size)
{
	char line[128] = "";
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char *from, *to;

	if (!file)
		return;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	from = strchr(line, '[');
	to = from ? strchr(from, ']') : NULL;
	if (to)
		snprintf(ret, size, "%.*s", (int)(to - from - 1), from + 1);
}

static bool read_number(const char *path, __u32 *ret)
{
	FILE *file = fopen(path, "re");
	bool found;

	if (!file)
		return false;
	found = fscanf(file, "%u", ret) == 1;
	fclose(file);
	return found;
}

/* Of the default size, all nodes together. */
static void read_hugepages(struct platform *ret)
{
	unsigned long long number;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "HugePages_Total: %llu", &number) == 1)
			ret->hugepages = (__u32)number;
		else if (sscanf(line, "HugePages_Free: %llu", &number) == 1)
			ret->hugepages_free = (__u32)number;
		else if (sscanf(line, "Hugepagesize: %llu kB", &number) == 1)
			ret->hugepage_size = number * 1024;
	}
	fclose(file);
}

static void read_memory(struct platform *ret)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		ret->memlock = limit.rlim_cur == RLIM_INFINITY ? ~0ull : limit.rlim_cur;
	read_hugepages(ret);
}

static bool has_xsk(void)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

unsigned int platform_version(const char *release)
{
	unsigned int major = 0, minor = 0, patch = 0;

	if (sscanf(release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return 0;
	return major * 10000 + (minor > 99 ? 99 : minor) * 100 + (patch > 99 ? 99 : patch);
}

void platform_read(const char *bpffs, struct platform *ret)
{
	unsigned long long capabilities = effective_capabilities();
	struct xdp_features *features;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname name;

	memset(ret, 0, sizeof(*ret));
	if (uname(&name) == 0) {
		snprintf(ret->release, sizeof(ret->release), "%s", name.release);
		ret->version = platform_version(name.release);
	}
	ret->cpus = cpus > 0 ? (unsigned int)cpus : 1;
	ret->capabilities = capabilities;
	ret->xsk = has_xsk();
	ret->net_admin = capabilities & 1ull << CAP_NET_ADMIN;
	ret->bpf = capabilities & (1ull << CAP_BPF | 1ull << CAP_SYS_ADMIN);
	ret->perfmon = capabilities & (1ull << CAP_PERFMON | 1ull << CAP_SYS_ADMIN);
	find_bpffs(bpffs, ret->bpffs, sizeof(ret->bpffs));
	ret->jit_known = read_number("/proc/sys/net/core/bpf_jit_enable", &ret->jit);
	read_lockdown(ret->lockdown, sizeof(ret->lockdown));
	read_memory(ret);
	if (xdp_features_open(&features) == 0) {
		ret->features = true;
		xdp_features_close(features);
	}
}

__u64 platform_rights_missing(const struct platform *platform, __u64 rights)
{
	return rights == PLATFORM_RIGHTS_ALL ? 0 : rights & ~platform->capabilities;
}

const char *platform_right_name(__u64 rights)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		{ CAP_NET_RAW, "CAP_NET_RAW" },
		{ CAP_IPC_LOCK, "CAP_IPC_LOCK" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
		{ CAP_BPF, "CAP_BPF" },
		{ CAP_PERFMON, "CAP_PERFMON" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rights & 1ull << names[i].number)
			return names[i].name;
	return "a capability";
}

int platform_check(const struct platform *platform, const char *bpffs, struct why *why)
{
	if (platform->version < OLDEST_KERNEL)
		return why_set(why, ENOSYS, "kernel %s is too old; penstock needs Linux 6.1 or newer",
			       platform->release);
	if (!platform->net_admin || !platform->bpf || !platform->perfmon)
		return why_set(why, EPERM, "no permission: %s is missing; run as root",
			       !platform->net_admin ? "CAP_NET_ADMIN"
			       : !platform->bpf     ? "CAP_BPF"
						    : "CAP_PERFMON");
	if (!platform->bpffs[0] && bpffs)
		return why_set(why, ENOENT, "no BPF file system is mounted at %s: mount -t bpf bpf %s", bpffs,
			       bpffs);
	if (!platform->bpffs[0])
		return why_set(
			why, ENOENT,
			"no BPF file system is mounted: mount -t bpf bpf /sys/fs/bpf (if `ip netns exec` "
			"hides it: nsenter --net=/var/run/netns/NAME penstock ...)");
	return 0;
}
