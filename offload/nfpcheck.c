// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * offload/nfpcheck/nfpcheck boots the machine; the command's documents come back by a pipe, a line each.
 */
#include "offload/nfpcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/cli/cli.h"

#define LIMITS_SIZE  1024
#define EXIT_MISSING 77 /* packages or tools */

static const char needs[] =
	"; it needs Debian 12, and: apt install qemu-system-x86 busybox-static python3 gcc make "
	"binutils xz-utils zstd kmod";

/* Where nfpcheck is: in the sources, or where it was installed. */
static const char *const nfpcheck_paths[] = { NFPCHECK_SOURCE, NFPCHECK_INSTALLED };

static const char *find_nfpcheck(void)
{
	for (size_t i = 0; i < sizeof(nfpcheck_paths) / sizeof(nfpcheck_paths[0]); i++)
		if (access(nfpcheck_paths[i], X_OK) == 0)
			return nfpcheck_paths[i];
	return NULL;
}

/* The stand-in's parameters. */
static void write_limits(const struct profile *profile, char *text)
{
	size_t used = 0;

#define X(name, open, shipped, what)                                                                         \
	used += (size_t)snprintf(text + used, LIMITS_SIZE - used, #name "=%u ", profile->name);
	NFP_LIMITS(X)
#undef X
}

/* Becomes nfpcheck. */
static void __attribute__((noreturn))
boot(const char *nfpcheck, int output, const struct profile *list, int profile_count, char **paths, int count)
{
	char limits[NFPCHECK_PROFILES][LIMITS_SIZE], self[PATH_MAX] = "";
	const char *argv[NFPCHECK_OBJECTS + 4 * NFPCHECK_PROFILES + 16];
	int argc = 0;

	argv[argc++] = nfpcheck;
	argv[argc++] = "run";
	for (int i = 0; i < profile_count; i++) {
		write_limits(&list[i], limits[i]);
		argv[argc++] = "--limits";
		argv[argc++] = limits[i];
	}
	argv[argc++] = "--";
	argv[argc++] = self;
	argv[argc++] = "offload";
	argv[argc++] = "check";
	argv[argc++] = "--device=nfp0";
	argv[argc++] = "--attach";
	argv[argc++] = "-j";
	argv[argc++] = "--";
	for (int i = 0; i < count; i++)
		argv[argc++] = paths[i];
	argv[argc] = NULL;
	/* the guest sees neither /run nor /dev, and paths are whole */
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0 && chdir("/") == 0 &&
	    dup2(output, STDOUT_FILENO) >= 0)
		execv(nfpcheck, (char **)argv);
	cli_fail("%s: %s", nfpcheck, strerror(errno));
	_exit(CLI_USAGE);
}

/* A document a line; NULL in the list where there is none. */
static void read_documents(int input, json_t **list, int count)
{
	FILE *file = fdopen(input, "r");
	char *line = NULL;
	size_t size = 0;

	if (!file) {
		close(input);
		return;
	}
	for (int i = 0; i < count && getline(&line, &size, file) > 0;) {
		list[i] = json_loads(line, 0, NULL);
		i += list[i] != NULL;
	}
	free(line);
	fclose(file);
}

bool nfpcheck_ask(const struct profile *list, int profile_count, int count, char **paths, json_t **ret_lists)
{
	const char *nfpcheck = find_nfpcheck();
	int status, pipes[2];
	pid_t child;

	if (!nfpcheck) {
		cli_fail("neither %s nor %s is there; run penstock where it was built, or install it",
			 nfpcheck_paths[0], nfpcheck_paths[1]);
		return false;
	}
	if (pipe2(pipes, O_CLOEXEC)) {
		cli_fail("cannot make a pipe: %s", strerror(errno));
		return false;
	}
	child = fork();
	if (child == 0)
		boot(nfpcheck, pipes[1], list, profile_count, paths, count);
	close(pipes[1]);
	if (child < 0) {
		close(pipes[0]);
		cli_fail("cannot start %s: %s", nfpcheck, strerror(errno));
		return false;
	}
	read_documents(pipes[0], ret_lists, profile_count);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	for (int i = 0; i < profile_count; i++)
		if (!ret_lists[i]) {
			cli_fail("no answer of the stand-in (see above)%s",
				 WIFEXITED(status) && WEXITSTATUS(status) == EXIT_MISSING ? needs : "");
			return false;
		}
	return true;
}
