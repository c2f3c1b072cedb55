// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/l3fwd.h"

#include "bench/workload/prefix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define L3FWD_PATH            512
#define L3FWD_COMMAND         2048
#define L3FWD_POLL_NS         20000000
#define L3FWD_ROUTES6         2000 // with prefixes of 128 bits: 13 of its 32,768 small tables each
#define L3FWD_READY           "entering main loop"
// MiB. Tables are made for as many routes as they may get.
#define L3FWD_MEMORY          512
#define L3FWD_MEMORY_OF_LARGE 4096

struct l3fwd_change {
	const char *file, *from, *to;
	bool large; // only for more than it holds
};

static const struct l3fwd_change l3fwd_changes[] = {
	{ "main.c", ".offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM", ".offloads = 0", false },
	{ "l3fwd_fib.c", "printf(\"FIB: Adding route", "if (0) printf (\"FIB: Adding route", false }, // IPv4
	{ "l3fwd_fib.c", "printf(\"FIB: Adding route", "if (0) printf (\"FIB: Adding route", false }, // IPv6
	{ "l3fwd_fib.c", "config_ipv4.max_routes = (1 << 16)", "config_ipv4.max_routes = (1 << 21)", true },
	{ "l3fwd_fib.c", "config_ipv4.dir24_8.num_tbl8 = (1 << 15)",
	  "config_ipv4.dir24_8.num_tbl8 = (1 << 18)", true },
	{ "l3fwd_fib.c", "config.max_routes = (1 << 16) - 1", "config.max_routes = (1 << 21)", true },
	{ "l3fwd_fib.c", "config.trie.num_tbl8 = (1 << 15)", "config.trie.num_tbl8 = (1 << 18)", true },
};

static const char *const l3fwd_files[] = {
	"main",     "l3fwd_acl",   "l3fwd_lpm",           "l3fwd_fib",
	"l3fwd_em", "l3fwd_event", "l3fwd_event_generic", "l3fwd_event_internal_port",
};

#define L3FWD_FILES (sizeof(l3fwd_files) / sizeof(l3fwd_files[0]))

// --- building ---

// The commands have no words of users but directories, quoted. What compilers say goes to stderr.
static int l3fwd_shell(const char *command, const volatile sig_atomic_t *stop)
{
	const struct timespec pause = { .tv_nsec = L3FWD_POLL_NS };
	pid_t parent = getpid(), pid = fork();
	int status = -1;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		setpgid(0, 0); // Ctrl-C is for the bench, which then ends all of them
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() == parent)
			execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	setpgid(pid, pid);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (*stop) {
			kill(-pid, SIGTERM); // compilers remove their files then
			waitpid(pid, NULL, 0);
			return -EINTR;
		}
		nanosleep(&pause, NULL);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static char *l3fwd_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &room, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

static int l3fwd_write(const char *path, const char *text, const char *at, const struct l3fwd_change *change)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	fprintf(file, "%.*s%s%s", (int)(at - text), text, change->to, at + strlen(change->from));
	return fclose(file) == EOF ? -errno : 0;
}

static int l3fwd_apply(const char *directory, const struct l3fwd_change *change, struct why *why)
{
	char path[L3FWD_PATH];
	char *text, *at;
	int err = 0;

	snprintf(path, sizeof(path), "%s/l3fwd-source/%s", directory, change->file);
	text = l3fwd_read(path);
	at = text ? strstr(text, change->from) : NULL;
	if (!at)
		err = why_set(why, ENOENT, "%s of l3fwd has no '%s': another version than 22.11?",
			      change->file, change->from);
	else if (l3fwd_write(path, text, at, change) < 0)
		err = why_set(why, EIO, "cannot write %s", path);
	free(text);
	return err;
}

static int l3fwd_copy(const char *sources, const char *directory, bool large,
		      const volatile sig_atomic_t *stop, struct why *why)
{
	char command[L3FWD_COMMAND];
	int err;

	snprintf(command, sizeof(command), "cp -rL '%s' '%s/l3fwd-source'", sources, directory);
	err = l3fwd_shell(command, stop);
	if (err < 0)
		return why_set(why, -err, "cannot copy %s to %s", sources, directory);
	for (size_t i = 0; err >= 0 && i < sizeof(l3fwd_changes) / sizeof(l3fwd_changes[0]); i++)
		if (large || !l3fwd_changes[i].large)
			err = l3fwd_apply(directory, &l3fwd_changes[i], why);
	return err;
}

static int l3fwd_compile(const char *sources, const char *directory, const volatile sig_atomic_t *stop)
{
	char command[L3FWD_COMMAND];
	bool terminal = isatty(STDERR_FILENO);
	int err = 0;

	for (size_t i = 0; err >= 0 && i < L3FWD_FILES; i++) {
		if (terminal || i == 0)
			fprintf(stderr, "%sbuilding DPDK's l3fwd: %zu of %zu files%s", terminal ? "\r" : "",
				i + 1, L3FWD_FILES, terminal ? "" : "\n");
		snprintf(command, sizeof(command),
			 "cd '%s/l3fwd-source' && cc -O3 -march=native -w -DALLOW_EXPERIMENTAL_API "
			 "-I'%s/../common' $(pkg-config --cflags libdpdk) -c %s.c",
			 directory, sources, l3fwd_files[i]);
		err = l3fwd_shell(command, stop);
	}
	if (terminal)
		fputc('\n', stderr);
	snprintf(command, sizeof(command),
		 "cd '%s/l3fwd-source' && cc -o ../l3fwd *.o $(pkg-config --libs libdpdk)", directory);
	return err < 0 ? err : l3fwd_shell(command, stop);
}

bool l3fwd_is_large(size_t routes4, size_t routes6)
{
	return routes4 > L3FWD_ROUTES || routes6 > L3FWD_ROUTES6;
}

int l3fwd_check(const char *sources, struct why *why)
{
	if (strchr(sources, '\'') || access(sources, R_OK) < 0)
		return why_set(why, ENOENT, "no sources of l3fwd in %s; apt-get install dpdk-doc", sources);
	if (!dpdk_child_is_installed("cc") || !dpdk_child_is_installed("pkg-config"))
		return why_set(why, ENOENT, "nothing to build l3fwd with; apt-get install gcc pkg-config");
	if (system("pkg-config --exists libdpdk") != 0)
		return why_set(why, ENOENT, "nothing to build l3fwd with; apt-get install libdpdk-dev");
	return 0;
}

int l3fwd_build(const char *sources, const char *directory, bool large, const volatile sig_atomic_t *stop,
		struct why *why)
{
	int err = l3fwd_check(sources, why);

	if (err >= 0)
		err = l3fwd_copy(sources, directory, large, stop, why);
	if (err < 0)
		return err;
	err = l3fwd_compile(sources, directory, stop);
	if (err == -EINTR)
		return err;
	return err < 0 ? why_set(why, ENOENT, "l3fwd does not build from %s", sources) : 0;
}

// --- running ---

int l3fwd_put_rules(const char *directory, __u8 family, const struct table *table)
{
	char path[L3FWD_PATH], text[PREFIX_TEXT_SIZE];
	FILE *out;

	snprintf(path, sizeof(path), "%s/rules%c", directory, family == AF_INET ? '4' : '6');
	out = fopen(path, "we");
	if (!out)
		return -errno;
	if (!table)
		fprintf(out, family == AF_INET ? "R198.18.0.0/15 1\n" : "R2001:db8:0:0:0:0:0:0/32 1\n");
	for (size_t i = 0; table && i < table->count; i++) {
		prefix_format(&table->routes[i], text);
		fprintf(out, "R%s 1\n", text);
	}
	return fclose(out) == EOF ? -errno : 0;
}

int l3fwd_start(const char *directory, bool large, const struct lane *lane, unsigned int cpu,
		const volatile sig_atomic_t *stop, struct dpdk_child **ret_child)
{
	struct dpdk_words *words = calloc(1, sizeof(*words));
	char lcores[32];
	int err;

	if (!words)
		return -ENOMEM;
	snprintf(lcores, sizeof(lcores), "0@%u", cpu);
	dpdk_words_add(words, "%s/l3fwd", directory);
	dpdk_child_add(words, lane, lcores, large ? L3FWD_MEMORY_OF_LARGE : L3FWD_MEMORY);
	dpdk_words_add(words, "-p");
	dpdk_words_add(words, "0x3");
	dpdk_words_add(words, "-P");
	dpdk_words_add(words, "--config=(0,0,0),(1,0,0)");
	dpdk_words_add(words, "--lookup=fib");
	dpdk_words_add(words, "--parse-ptype");
	dpdk_words_add(words, "--rx-queue-size=2048"); // testpmd's
	dpdk_words_add(words, "--tx-queue-size=2048");
	dpdk_child_add_gateway(words, "--eth-dest");
	dpdk_words_add(words, "--rule_ipv4=%s/rules4", directory);
	dpdk_words_add(words, "--rule_ipv6=%s/rules6", directory);
	err = dpdk_child_start(lane, "l3fwd", words, L3FWD_READY, stop, ret_child);
	free(words);
	return err;
}
