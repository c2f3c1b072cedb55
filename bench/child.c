// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/child.h"

#include "bench/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void child_print(char *text, size_t size, const char *const *words)
{
	size_t length = snprintf(text, size, "penstock bench");

	for (int i = 0; i < CHILD_WORDS && words[i] && length < size; i++)
		length += snprintf(text + length, size - length, " %s", words[i]);
}

// In a child process: becomes the bench, whose JSON goes to `out`.
static void child_exec(const char *const *words, int out)
{
	const char *argv[CHILD_WORDS + 4] = { "penstock", "bench" };
	int count = 2;

	for (int i = 0; i < CHILD_WORDS && words[i]; i++)
		argv[count++] = words[i];
	argv[count] = "--json";
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(out, STDOUT_FILENO);
	execv("/proc/self/exe", (char *const *)argv);
	_exit(127);
}

json_t *child_run(const char *const *words)
{
	json_t *record = NULL;
	int ends[2], status = 0;
	FILE *out;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	pid = fork();
	if (pid == 0)
		child_exec(words, ends[1]);
	close(ends[1]);
	stop_pass_on(pid);
	if (stop_asked && pid > 0) // came before we could pass it on
		kill(pid, SIGTERM);
	out = fdopen(ends[0], "r");
	if (out && pid > 0)
		record = json_loadf(out, 0, NULL);
	if (out)
		fclose(out);
	if (stop_asked && pid > 0) // came while the child was not yet the bench
		kill(pid, SIGTERM);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	stop_pass_on(0);
	if (record && status == 0)
		return record;
	json_decref(record);
	return NULL;
}
