// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/machine.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

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

void machine_read(struct machine *machine)
{
	struct utsname system;

	machine_read_cpu(machine->cpu, sizeof(machine->cpu));
	uname(&system);
	snprintf(machine->kernel, sizeof(machine->kernel), "%s %s", system.sysname, system.release);
	machine->cpus = sysconf(_SC_NPROCESSORS_ONLN);
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
	return json_pack("{s:s, s:s, s:i, s:o}", "cpu", machine->cpu, "kernel", machine->kernel, "cpus",
			 machine->cpus, "mitigations", machine_mitigations());
}
