// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/option.h"

#include "bench/traffic.h"

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_TEXT      512
#define OPTION_FCS       4
#define OPTION_VLAN_LAST 4094
#define OPTION_LARGEST   (LOAD_LARGEST + OPTION_FCS)

int option_refuse(const char *bench, const char *option, const char *value, const char *want)
{
	warnx("bench %s: %s %s: want %s", bench, option, value, want);
	return -EINVAL;
}

int option_number(const char *bench, const char *option, const char *value, unsigned int least,
		  unsigned int most, unsigned int *ret_number)
{
	char *end, want[64];
	unsigned long number = strtoul(value, &end, 10);

	if (end == value || *end || number < least || number > most) {
		snprintf(want, sizeof(want), "a number from %u to %u", least, most);
		return option_refuse(bench, option, value, want);
	}
	*ret_number = number;
	return 0;
}

int option_seconds(const char *bench, const char *option, const char *value, double *ret_seconds)
{
	char *end;
	double seconds = strtod(value, &end);

	if (*end || !(seconds >= 0.01 && seconds <= 3600))
		return option_refuse(bench, option, value, "a number from 0.01 to 3600");
	*ret_seconds = seconds;
	return 0;
}

int option_cpu(const char *bench, const char *value, unsigned int *ret_cpu)
{
	char *end;
	unsigned long cpu = strtoul(value, &end, 10);
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	if (end == value || *end || cpu >= TRAFFIC_CPUS || !CPU_ISSET(cpu, &allowed))
		return option_refuse(bench, "--cpu", value,
				     "the number of a CPU that this process may run on");
	*ret_cpu = cpu;
	return 0;
}

int option_families(const char *bench, const char *value, __u8 families[OPTION_FAMILIES],
		    unsigned int *ret_count)
{
	bool both = strcmp(value, "both") == 0;
	unsigned int count = 0;

	if (both || strcmp(value, "4") == 0)
		families[count++] = AF_INET;
	if (both || strcmp(value, "6") == 0)
		families[count++] = AF_INET6;
	if (strcmp(value, "mix") == 0)
		families[count++] = AF_UNSPEC;
	if (!count)
		return option_refuse(bench, "--family", value, "4, 6, both or mix");
	*ret_count = count;
	return 0;
}

int option_subjects(const char *bench, const char *option, const char *value,
		    bool (*fits)(const struct subject *subject), const char *which,
		    const struct subject *subjects[OPTION_SUBJECTS], unsigned int *ret_count)
{
	char copy[OPTION_TEXT], *rest = copy, *name;
	unsigned int count = 0;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((name = strsep(&rest, ","))) {
		const struct subject *subject = subject_find(name);

		if (!subject || !fits(subject))
			return option_refuse(bench, option, name, which);
		if (count == OPTION_SUBJECTS)
			return option_refuse(bench, option, value, "16 names at most");
		subjects[count++] = subject;
	}
	*ret_count = count;
	return 0;
}

static bool option_size(const char *text, struct load *load)
{
	static const struct load imix = { .sizes = { 60, 566, 1514 }, .weights = { 28, 16, 4 } };
	char *end;
	unsigned long size = strtoul(text, &end, 10);

	if (strcmp(text, "imix") == 0) {
		*load = imix;
		return true;
	}
	*load = (struct load){ .sizes = { size - OPTION_FCS }, .weights = { 1 } };
	return end != text && !*end && size >= 64 && size <= OPTION_LARGEST;
}

int option_sizes(const char *bench, const char *value, struct load loads[OPTION_SIZES],
		 unsigned int *ret_count)
{
	char copy[OPTION_TEXT], *rest = copy, *text;
	unsigned int count = 0;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((text = strsep(&rest, ","))) {
		if (count == OPTION_SIZES || !option_size(text, &loads[count]))
			return option_refuse(bench, "--size", text, "up to 4 of 64 to 9018 and imix");
		count++;
	}
	*ret_count = count;
	return 0;
}

int option_vlans(const char *bench, const char *value, struct lane_vlans *ret_vlans)
{
	char copy[OPTION_TEXT], *rest = copy, *text, *end;
	struct lane_vlans vlans = { 0 };

	snprintf(copy, sizeof(copy), "%s", value);
	while ((text = strsep(&rest, ","))) {
		unsigned long vid = strtoul(text, &end, 10);
		bool twice = false;

		for (unsigned int i = 0; i < vlans.count; i++)
			twice |= vlans.in[i] == vid;
		if (vlans.count == LANE_VLANS || end == text || *end || vid > OPTION_VLAN_LAST || twice)
			return option_refuse(bench, "--vlans", value, "up to 8 of 0 to 4094, each once");
		vlans.in[vlans.count++] = vid;
	}
	*ret_vlans = vlans;
	return 0;
}
