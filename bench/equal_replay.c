// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/equal_replay.h"

#include "bench/collect.h"

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <jansson.h>

struct equal_files {
	int in, out, told; // what is sent, forwarded, and said
};

static void equal_replay_child(const struct lane *lane, const struct equal_files *files, bool counts,
			       pid_t parent)
{
	char path[32];
	const char *const argv[] = {
		"penstock",          "replay", path, "--kernel", "--in", lane->r0.name, counts ? "-j" : "-o",
		counts ? NULL : "-", NULL
	};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", parent, files->in);
	if (getppid() == parent && setns(lane->r0.netns, CLONE_NEWNET) >= 0 &&
	    dup2(files->out, STDOUT_FILENO) >= 0 && dup2(files->told, STDERR_FILENO) >= 0)
		execv("/proc/self/exe", (char *const *)argv);
	_exit(127);
}

static int equal_replay_run(const struct lane *lane, const struct equal_files *files, bool counts)
{
	char text[400] = "";
	int status = -1;
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		equal_replay_child(lane, files, counts, parent);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && status == 0)
		return 0;
	if (pread(files->told, text, sizeof(text) - 1, 0) < 0)
		text[0] = 0;
	warnx("bench: penstock replay failed; it says: %s", text);
	return -EIO;
}

// The frames as they come in by r0.
static int equal_replay_write(const struct lane *lane, const struct recording *recording, int fd)
{
	static __u8 bytes[RECORDING_ROOM];
	struct recording *received = recording_new();
	FILE *out = fdopen(dup(fd), "w");
	int err = received && out ? 0 : -ENOMEM;

	for (__u32 i = 0; err >= 0 && i < recording->count; i++) {
		__u32 size = recording_frame(recording, i, lane->s.mac, lane->r0.mac, bytes);

		err = recording_add(received, i, bytes, size);
	}
	if (err >= 0)
		err = recording_write(received, out);
	if (out)
		fclose(out);
	recording_free(received);
	return err;
}

static int equal_replay_read(const struct lane *lane, int fd, struct recording **ret_out)
{
	struct recording *all, *out = recording_new();
	struct why why = { 0 };
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = out ? recording_read(path, &all, &why) : -ENOMEM;
	if (err == -ENODATA) { // it forwards nothing
		*ret_out = out;
		return 0;
	}
	for (__u32 i = 0; err >= 0 && i < all->count; i++)
		err = collect_add(lane, out, recording_bytes(all, i), all->frames[i].size);
	if (err < 0) {
		recording_free(out);
		return err;
	}
	recording_free(all);
	*ret_out = out;
	return 0;
}

static int equal_replay_left(int fd, __u32 *ret_left)
{
	FILE *in = fdopen(dup(fd), "r");
	json_t *answer = NULL;

	if (in) {
		rewind(in);
		answer = json_loadf(in, 0, NULL);
		fclose(in);
	}
	if (!answer)
		return -EIO;
	*ret_left = json_integer_value(json_object_get(answer, "kernel"));
	json_decref(answer);
	return 0;
}

int equal_replay(const struct lane *lane, const struct recording *recording, struct recording **ret_out,
		 __u32 *ret_left)
{
	struct equal_files files = { memfd_create("in", MFD_CLOEXEC), memfd_create("out", MFD_CLOEXEC),
				     memfd_create("told", MFD_CLOEXEC) };
	int err = equal_replay_write(lane, recording, files.in);

	if (err >= 0)
		err = equal_replay_run(lane, &files, true);
	if (err >= 0)
		err = equal_replay_left(files.out, ret_left);
	if (err >= 0 && (ftruncate(files.out, 0) < 0 || lseek(files.out, 0, SEEK_SET) < 0))
		err = -errno;
	if (err >= 0)
		err = equal_replay_run(lane, &files, false);
	if (err >= 0)
		err = equal_replay_read(lane, files.out, ret_out);
	close(files.in);
	close(files.out);
	close(files.told);
	return err;
}
