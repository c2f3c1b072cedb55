// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/dpdk/eal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "host/config.h"

#define HUGE_PAGES     "/sys/kernel/mm/hugepages"
#define MEMORY_DEFAULT 256 /* MiB */
#define WORDS          64
#define TEXT           4096

/* --- DPDK's log --- */

/* One, as DPDK's is. */
static struct {
	pthread_mutex_t lock;
	const struct dpdk_log *log;
	FILE *stream;
	char error[160];
	FILE *held; /* while the process's own outputs are silent; NULL: they are not */
	char *held_text;
	size_t held_size;
} words = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* DPDK flushes after each message, so this is one of them. */
static ssize_t write_words(void *cookie, const char *text, size_t size)
{
	int length = (int)size;

	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	pthread_mutex_lock(&words.lock);
	if (length && !words.error[0] && rte_log_cur_msg_loglevel() <= (int)RTE_LOG_ERR)
		snprintf(words.error, sizeof(words.error), "%.*s", length, text);
	if (length && words.held)
		fprintf(words.held, "%.*s\n", length, text);
	else if (length)
		words.log->debug("DPDK: %.*s", length, text);
	pthread_mutex_unlock(&words.lock);
	return (ssize_t)size;
}

static int open_words(const struct dpdk_log *log)
{
	cookie_io_functions_t functions = { .write = write_words };

	words.log = log;
	words.stream = fopencookie(NULL, "w", functions);
	if (!words.stream)
		return -ENOMEM;
	return rte_openlog_stream(words.stream);
}

static void close_words(void)
{
	(void)rte_openlog_stream(NULL);
	fclose(words.stream);
	words.stream = NULL;
}

/*
 * The EAL prints screens of help when it does not like a word, and some lines past its log. Our standard
 * outputs lead nowhere meanwhile; what comes by the log is held.
 */
static void silence(int *ret_out, int *ret_error)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(stdout);
	fflush(stderr);
	*ret_out = dup(STDOUT_FILENO);
	*ret_error = dup(STDERR_FILENO);
	if (null >= 0 && *ret_out >= 0 && *ret_error >= 0) {
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
	}
	if (null >= 0)
		close(null);
	words.held = open_memstream(&words.held_text, &words.held_size);
}

static void speak(int out, int error)
{
	char *line, *rest;

	fflush(stdout);
	fflush(stderr);
	if (out >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		close(out);
	if (error >= 0 && dup2(error, STDERR_FILENO) >= 0)
		close(error);
	if (!words.held)
		return;
	fclose(words.held);
	words.held = NULL;
	for (line = strtok_r(words.held_text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		words.log->debug("DPDK: %s", line);
	free(words.held_text);
}

void eal_errors_clear(void)
{
	pthread_mutex_lock(&words.lock);
	words.error[0] = '\0';
	pthread_mutex_unlock(&words.lock);
}

const char *eal_error(void)
{
	return words.error[0] ? words.error : "no reason given";
}

/* --- its arguments --- */

struct arguments {
	char *word[WORDS];
	int count;
	char text[TEXT];
	size_t used;
};

static void add(struct arguments *arguments, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* More than there is room for is cut off: the limits of the configuration keep below that. */
static void add(struct arguments *arguments, const char *format, ...)
{
	size_t room = sizeof(arguments->text) - arguments->used;
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(arguments->text + arguments->used, room, format, list);
	va_end(list);
	if (length < 0 || (size_t)length >= room || arguments->count == WORDS - 1)
		return;
	arguments->word[arguments->count++] = arguments->text + arguments->used;
	arguments->word[arguments->count] = NULL;
	arguments->used += (size_t)length + 1;
}

static void add_split(struct arguments *arguments, const char *text)
{
	while (text && *text) {
		size_t length = strcspn(text, " ");

		if (length)
			add(arguments, "%.*s", (int)length, text);
		text += length + (text[length] == ' ');
	}
}

/* "0,2-5": what this process may use. */
static void list_cpus(const cpu_set_t *set, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (int cpu = 0; cpu < CPU_SETSIZE && used + 8 < size; cpu++)
		if (CPU_ISSET(cpu, set))
			used += (size_t)snprintf(ret + used, size - used, "%s%d", used ? "," : "", cpu);
}

static int last_cpu(const cpu_set_t *set)
{
	int cpu = CPU_SETSIZE - 1;

	while (cpu > 0 && !CPU_ISSET(cpu, set))
		cpu--;
	return cpu;
}

static int refuse_cpus(const char *list, const cpu_set_t *allowed, struct why *why)
{
	char cpus[100];

	list_cpus(allowed, cpus, sizeof(cpus));
	return why_set(why, EINVAL,
		       "dpdk.lcores is '%.60s'; allowed: at most %d different ones of the CPUs %s", list,
		       EAL_WORKERS, cpus);
}

static int pick_workers(const char *list, const cpu_set_t *allowed, int *ret_cpu, unsigned int *ret_count,
			struct why *why)
{
	cpu_set_t taken;
	const char *at = list;
	unsigned int count = 0;

	if (!list) {
		ret_cpu[0] = last_cpu(allowed);
		*ret_count = 1;
		return 0;
	}
	CPU_ZERO(&taken);
	while (*at) {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end != at && *end == '-') {
			at = end + 1;
			last = strtoul(at, &end, 10);
		}
		if (end == at || (*end && *end != ',') || last >= CPU_SETSIZE || first > last)
			return refuse_cpus(list, allowed, why);
		for (unsigned long cpu = first; cpu <= last; cpu++) {
			if (!CPU_ISSET(cpu, allowed) || CPU_ISSET(cpu, &taken) || count == EAL_WORKERS)
				return refuse_cpus(list, allowed, why);
			CPU_SET(cpu, &taken);
			ret_cpu[count++] = (int)cpu;
		}
		at = end + (*end == ',');
	}
	*ret_count = count;
	return count ? 0 : refuse_cpus(list, allowed, why);
}

/* The event loop's thread becomes lcore 0 and keeps its CPUs; each worker has one of its own. */
static int add_lcores(struct arguments *arguments, const struct config *config, struct eal *eal,
		      struct why *why)
{
	char all[600], lcores[1800];
	int cpu[EAL_WORKERS], error;
	cpu_set_t allowed;
	size_t used;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return why_set(why, errno, "cannot ask for the CPUs: %s", strerror(errno));
	error = pick_workers(config->dpdk.lcores, &allowed, cpu, &eal->workers, why);
	if (error < 0)
		return error;
	list_cpus(&allowed, all, sizeof(all));
	used = (size_t)snprintf(lcores, sizeof(lcores), "0@(%s)", all);
	for (unsigned int i = 0; i < eal->workers; i++)
		used += (size_t)snprintf(lcores + used, sizeof(lcores) - used, ",%u@%d", i + 1, cpu[i]);
	add(arguments, "--lcores=%s", lcores);
	add(arguments, "--main-lcore=0");
	return 0;
}

static unsigned long read_number(const char *directory, const char *file)
{
	char path[300];
	unsigned long number = 0;
	FILE *in;

	snprintf(path, sizeof(path), HUGE_PAGES "/%s/%s", directory, file);
	in = fopen(path, "re");
	if (!in)
		return 0;
	if (fscanf(in, "%lu", &number) != 1)
		number = 0;
	fclose(in);
	return number;
}

/* MiB of huge pages that nobody uses. */
static unsigned long free_huge(void)
{
	DIR *directory = opendir(HUGE_PAGES);
	unsigned long sum = 0, kilobytes;
	struct dirent *entry;

	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		if (sscanf(entry->d_name, "hugepages-%lukB", &kilobytes) == 1)
			sum += read_number(entry->d_name, "free_hugepages") * (kilobytes / 1024);
	closedir(directory);
	return sum;
}

static void add_memory(struct arguments *arguments, const struct config *config, struct eal *eal)
{
	unsigned long huge = free_huge();

	eal->memory = config->dpdk.memory ? config->dpdk.memory : MEMORY_DEFAULT;
	eal->huge = huge >= eal->memory;
	if (eal->huge) {
		add(arguments, "--in-memory");
		return;
	}
	eal->log->warning(
		"dpdk: %lu MiB of huge pages are free, %u are wanted; goes on with ordinary memory, "
		"which cards may refuse; fix: sysctl -w vm.nr_hugepages=%u",
		huge, eal->memory, eal->memory / 2 + 16);
	add(arguments, "--no-huge");
	add(arguments, "--no-shconf");
	add(arguments, "-m");
	add(arguments, "%u", eal->memory);
}

/* "0000:03:00.0" or "03:00.0", and perhaps more behind a comma. */
static bool is_pci(const char *device)
{
	unsigned int a, b, c, d;

	return sscanf(device, "%4x:%2x:%2x.%1x", &a, &b, &c, &d) == 4 ||
	       sscanf(device, "%2x:%2x.%1x", &a, &b, &c) == 3;
}

/* Cards that are not asked for are not touched, though DPDK could. */
static void add_buses(struct arguments *arguments, const struct config *config)
{
	bool pci = false;

	for (uint32_t i = 0; i < config->port_count; i++) {
		const char *device = config->ports[i].device;

		if (!device || !is_pci(device + strlen(CONFIG_DEVICE_PREFIX)))
			continue;
		add(arguments, "-a");
		add(arguments, "%s", device + strlen(CONFIG_DEVICE_PREFIX));
		pci = true;
	}
	if (!pci)
		add(arguments, "--no-pci");
}

int eal_start(const struct config *config, const char *instance, const struct dpdk_log *log, struct eal *ret,
	      struct why *why)
{
	struct arguments *arguments = calloc(1, sizeof(*arguments));
	struct eal eal = { .log = log };
	int error, out, err;

	if (!arguments)
		return why_set(why, ENOMEM, "out of memory");
	add(arguments, "penstock");
	add(arguments, "--file-prefix=penstock-%s", instance);
	error = add_lcores(arguments, config, &eal, why);
	if (error < 0)
		goto free_arguments;
	add_memory(arguments, config, &eal);
	add_buses(arguments, config);
	add_split(arguments, config->dpdk.eal);
	error = open_words(log);
	if (error < 0) {
		(void)why_set(why, ENOMEM, "out of memory");
		goto free_arguments;
	}
	silence(&out, &err);
	error = rte_eal_init(arguments->count, arguments->word);
	speak(out, err);
	if (error < 0) {
		error = why_set(why, rte_errno ? rte_errno : EIO, "DPDK does not start: %s%s", eal_error(),
				config->dpdk.eal ? "; see dpdk.eal" : "");
		close_words();
		goto free_arguments;
	}
	error = 0;
	snprintf(eal.runtime, sizeof(eal.runtime), "%s", rte_eal_get_runtime_dir());
	*ret = eal;
free_arguments:
	free(arguments);
	return error;
}

void eal_stop(struct eal *eal)
{
	char path[300];

	(void)rte_eal_cleanup();
	close_words();
	/* DPDK leaves them: its telemetry's socket goes when the process ends, for which the directory waits.
	 */
	snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", eal->runtime);
	(void)unlink(path);
	(void)rmdir(eal->runtime);
}
