// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/calibration.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "host/instance.h"
#include "host/log.h"
#include "host/modes/platform.h"

#define CACHE     INSTANCE_DIRECTORY "/calibration.json"
#define FRESH     CACHE ".new"
#define SECONDS   60 /* until the child ends by itself */
#define NAME_ROOM 64

/* Only root writes there, but a file may be half of one, or of another kernel. */
static json_t *read_cache(const struct platform *platform)
{
	json_t *cache = json_load_file(CACHE, JSON_REJECT_DUPLICATES, NULL);
	const char *kernel = json_string_value(json_object_get(cache, "kernel"));

	if (kernel && strcmp(kernel, platform->release) == 0 &&
	    json_integer_value(json_object_get(cache, "cpus")) == platform->cpus)
		return cache;
	json_decref(cache);
	return NULL;
}

static void write_cache(const json_t *cache)
{
	if (json_dump_file(cache, FRESH, JSON_INDENT(2)) < 0 || rename(FRESH, CACHE) < 0) {
		log_warning("cannot keep what was measured in " CACHE ": %s", strerror(errno));
		(void)unlink(FRESH);
	}
}

static _Noreturn void become_bench(int out)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(SECONDS);
	if (dup2(out, STDOUT_FILENO) >= 0)
		execl("/proc/self/exe", "penstock", "bench", "calibrate", "--json", (char *)NULL);
	_exit(127);
}

/* What the bench prints; NULL: nothing. */
static json_t *run_bench(void)
{
	json_t *record = NULL;
	int ends[2], status;
	FILE *in;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	pid = fork();
	if (pid == 0)
		become_bench(ends[1]);
	close(ends[1]);
	in = fdopen(ends[0], "r");
	if (in && pid > 0)
		record = json_loadf(in, 0, NULL);
	if (in)
		fclose(in);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return record;
}

static long long figure_of(const json_t *record, const char *mode)
{
	const json_t *figures = json_object_get(record, "figures"), *figure;
	char name[NAME_ROOM];
	size_t i;

	snprintf(name, sizeof(name), "calibrate %s", mode);
	json_array_foreach(figures, i, figure)
	{
		const char *found = json_string_value(json_object_get(figure, "name"));

		if (found && strcmp(found, name) == 0)
			return (long long)json_number_value(json_object_get(figure, "median"));
	}
	return 0;
}

static json_t *measure(const struct platform *platform, struct why *why)
{
	json_t *record, *cache;

	log_info("measures what modes can do here, for some seconds");
	record = run_bench();
	if (!record) {
		(void)why_set(why, EIO, "nothing could be measured; see: penstock bench calibrate");
		return NULL;
	}
	cache = json_pack("{s:s, s:i, s:I, s:I, s:I, s:I}", "kernel", platform->release, "cpus",
			  (int)platform->cpus, "native", figure_of(record, "native"), "generic",
			  figure_of(record, "generic"), "afxdp", figure_of(record, "afxdp"), "afxdp-generic",
			  figure_of(record, "afxdp-generic"));
	json_decref(record);
	write_cache(cache);
	return cache;
}

static __u32 rate(const json_t *cache, const char *mode)
{
	json_int_t value = json_integer_value(json_object_get(cache, mode));

	return value > 0 && value <= 4000000000 ? (__u32)value : 0;
}

int calibration_take(struct platform *platform, struct why *why)
{
	json_t *cache = read_cache(platform);

	if (!cache)
		cache = measure(platform, why);
	if (!cache)
		return -EIO;
	platform->measured.native = rate(cache, "native");
	platform->measured.generic = rate(cache, "generic");
	platform->measured.afxdp = rate(cache, "afxdp");
	platform->measured.afxdp_generic = rate(cache, "afxdp-generic");
	json_decref(cache);
	return 0;
}
