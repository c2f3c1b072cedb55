// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/machine.h"

#include "bench/dpdk_version.h"
#include "bench/netns.h"

#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

#define MACHINE_VULNERABILITIES "/sys/devices/system/cpu/vulnerabilities"

static void machine_read_cpu(char *name, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256], *colon;

	snprintf(name, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		colon = strstr(line, ": ");
		if (!colon || strncmp(line, "model name", strlen("model name")) != 0)
			continue;
		snprintf(name, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
		break;
	}
	if (file)
		fclose(file);
}

static json_t *machine_mitigations(void)
{
	DIR *directory = opendir(MACHINE_VULNERABILITIES);
	json_t *mitigations = json_object();
	char path[320], line[256];
	struct dirent *entry;
	FILE *file;

	while (directory && (entry = readdir(directory))) {
		snprintf(path, sizeof(path), MACHINE_VULNERABILITIES "/%s", entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (!file)
			continue;
		if (fgets(line, sizeof(line), file))
			json_object_set_new(mitigations, entry->d_name,
					    json_stringn(line, strcspn(line, "\n")));
		fclose(file);
	}
	if (directory)
		closedir(directory);
	return mitigations;
}

// The kernel's own words about something; null where it has none.
struct machine_fact {
	const char *name, *path;
};

static const struct machine_fact machine_facts[] = {
	{ "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor" },
	{ "clock_least_khz", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq" },
	{ "clock_most_khz", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq" },
	{ "turbo_off", "/sys/devices/system/cpu/intel_pstate/no_turbo" },
	{ "threads_of_cores", "/sys/devices/system/cpu/smt/control" },
	{ "jit", "/proc/sys/net/core/bpf_jit_enable" },
	{ "jit_harden", "/proc/sys/net/core/bpf_jit_harden" },
	{ "huge_pages", "/proc/sys/vm/nr_hugepages" },
	{ "transparent_huge_pages", "/sys/kernel/mm/transparent_hugepage/enabled" },
	{ "kernel_build", "/proc/sys/kernel/version" },
	{ "kernel_words", "/proc/cmdline" },
};

static json_t *machine_fact(const struct machine_fact *fact)
{
	FILE *file = fopen(fact->path, "re");
	json_t *value = NULL;
	char line[1024];

	if (file && fgets(line, sizeof(line), file))
		value = json_stringn(line, strcspn(line, "\n"));
	if (file)
		fclose(file);
	return value ? value : json_null();
}

static bool machine_is_virtual(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	bool found = false;
	char line[4096];

	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, "flags", strlen("flags")) == 0 && strstr(line, " hypervisor");
	if (file)
		fclose(file);
	return found;
}

void machine_read(struct machine *machine)
{
	struct utsname system;

	machine_read_cpu(machine->cpu, sizeof(machine->cpu));
	uname(&system);
	snprintf(machine->kernel, sizeof(machine->kernel), "%s %s", system.sysname, system.release);
	machine->cpus = sysconf(_SC_NPROCESSORS_ONLN);
}

unsigned int machine_first_cpu(void)
{
	unsigned int cpu = 0;
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return 0;
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &allowed))
		cpu++;
	return cpu;
}

unsigned int machine_last_cpu(void)
{
	unsigned int cpu = CPU_SETSIZE - 1;
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return 0;
	while (cpu && !CPU_ISSET(cpu, &allowed))
		cpu--;
	return cpu;
}

json_t *machine_json(const struct machine *machine)
{
	json_t *json = json_pack("{s:s, s:s, s:i, s:o}", "cpu", machine->cpu, "kernel", machine->kernel,
				 "cpus", machine->cpus, "mitigations", machine_mitigations());

	for (size_t i = 0; i < sizeof(machine_facts) / sizeof(machine_facts[0]); i++)
		json_object_set_new(json, machine_facts[i].name, machine_fact(&machine_facts[i]));
	json_object_set_new(json, "hypervisor", json_boolean(machine_is_virtual()));
	json_object_set_new(json, "compiler", json_string(__VERSION__));
	json_object_set_new(json, "libbpf", json_string(libbpf_version_string()));
	dpdk_version_add(json);
	return json;
}

// Asks the driver of a port; the calling thread is in its namespace.
static int machine_ethtool(int fd, const struct lane_port *port, void *question)
{
	struct ifreq request = { .ifr_data = question };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", port->name);
	return ioctl(fd, SIOCETHTOOL, &request);
}

json_t *machine_port_json(const struct lane_port *port)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	json_t *json = NULL;
	int home, fd;

	if (netns_enter(port->netns, &home) < 0)
		return NULL;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && machine_ethtool(fd, port, &driver) >= 0)
		json = json_pack("{s:s, s:s, s:s}", "driver", driver.driver, "version", driver.version,
				 "firmware", driver.fw_version);
	if (json && machine_ethtool(fd, port, &channels) >= 0)
		json_object_set_new(json, "queues",
				    json_pack("{s:i, s:i, s:i}", "receive", channels.rx_count, "transmit",
					      channels.tx_count, "combined", channels.combined_count));
	if (fd >= 0)
		close(fd);
	netns_leave(home);
	return json;
}
