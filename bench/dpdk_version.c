// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/dpdk_version.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DPDK_VERSION_PROGRAMS 4
#define DPDK_VERSION_TEXT     64
#define DPDK_VERSION_MARK     "RTE Version: '"
#define DPDK_VERSION_PLUGIN   "penstock-dpdk.so"

// One, as there is one process.
static struct {
	const char *program; // NULL: no more
	char text[DPDK_VERSION_TEXT];
} dpdk_versions[DPDK_VERSION_PROGRAMS];

void dpdk_version_note(const char *program, const char *told)
{
	const char *begin = strstr(told, DPDK_VERSION_MARK);

	if (!begin)
		return;
	begin += strlen(DPDK_VERSION_MARK);
	for (unsigned int i = 0; i < DPDK_VERSION_PROGRAMS; i++) {
		if (dpdk_versions[i].program && strcmp(dpdk_versions[i].program, program) != 0)
			continue;
		dpdk_versions[i].program = program;
		snprintf(dpdk_versions[i].text, sizeof(dpdk_versions[i].text), "%.*s",
			 (int)strcspn(begin, "'\n"), begin);
		return;
	}
}

// Beside the executable, as in the build tree, else where it is installed; as the daemon finds it.
static void *dpdk_version_plugin(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(DPDK_VERSION_PLUGIN));
	char *slash;

	path[length < 0 ? 0 : length] = 0;
	slash = strrchr(path, '/');
	if (slash)
		strcpy(slash + 1, DPDK_VERSION_PLUGIN);
	if (!slash || access(path, F_OK) < 0)
		snprintf(path, sizeof(path), "%s/%s", PENSTOCK_LIBDIR, DPDK_VERSION_PLUGIN);
	return dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
}

void dpdk_version_add(json_t *object)
{
	void *plugin = dpdk_version_plugin();
	const char *(*version)(void) = plugin ? (const char *(*)(void))dlsym(plugin, "rte_version") : NULL;

	json_object_set_new(object, "dpdk", version ? json_string(version()) : json_null());
	for (unsigned int i = 0; i < DPDK_VERSION_PROGRAMS && dpdk_versions[i].program; i++)
		json_object_set_new(object, dpdk_versions[i].program, json_string(dpdk_versions[i].text));
}
