// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/l3fwd.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define L3FWD_PATH    512
#define L3FWD_COMMAND 4096

struct l3fwd_change {
	const char *file, *from, *to;
	bool large; // only for more than it holds
};

static const struct l3fwd_change l3fwd_changes[] = {
	{ "main.c", ".offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM", ".offloads = 0", false },
	{ "l3fwd_fib.c", "config_ipv4.max_routes = (1 << 16)", "config_ipv4.max_routes = (1 << 21)", true },
	{ "l3fwd_fib.c", "config_ipv4.dir24_8.num_tbl8 = (1 << 15)",
	  "config_ipv4.dir24_8.num_tbl8 = (1 << 18)", true },
	{ "l3fwd_fib.c", "config.max_routes = (1 << 16) - 1", "config.max_routes = (1 << 21)", true },
	{ "l3fwd_fib.c", "config.trie.num_tbl8 = (1 << 15)", "config.trie.num_tbl8 = (1 << 18)", true },
};

static int l3fwd_shell(const char *command)
{
	int status = system(command); // the commands have no words of users but a directory, quoted

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

static int l3fwd_apply(const char *directory, const struct l3fwd_change *change)
{
	char path[L3FWD_PATH];
	char *text, *at;
	int err;

	snprintf(path, sizeof(path), "%s/l3fwd-source/%s", directory, change->file);
	text = l3fwd_read(path);
	at = text ? strstr(text, change->from) : NULL;
	if (at)
		err = l3fwd_write(path, text, at, change);
	else
		err = -ENOENT;
	if (err == -ENOENT)
		warnx("bench dpdk: %s of l3fwd has no '%s': another version than 22.11?", change->file,
		      change->from);
	free(text);
	return err;
}

int l3fwd_build(const char *sources, const char *directory, bool large)
{
	char command[L3FWD_COMMAND];
	int err;

	if (strchr(sources, '\'') || access(sources, R_OK) < 0) {
		warnx("bench dpdk: no sources of l3fwd in %s; fix: apt install dpdk-doc, or --l3fwd "
		      "DIRECTORY",
		      sources);
		return -ENOENT;
	}
	snprintf(command, sizeof(command), "cp -rL '%s' '%s/l3fwd-source'", sources, directory);
	err = l3fwd_shell(command);
	for (size_t i = 0; err >= 0 && i < sizeof(l3fwd_changes) / sizeof(l3fwd_changes[0]); i++)
		if (large || !l3fwd_changes[i].large)
			err = l3fwd_apply(directory, &l3fwd_changes[i]);
	if (err < 0)
		return err;
	snprintf(command, sizeof(command),
		 "cd '%s/l3fwd-source' && cc -O3 -march=native -w -DALLOW_EXPERIMENTAL_API -I'%s/../common' "
		 "$(pkg-config --cflags libdpdk) -o ../l3fwd main.c l3fwd_acl.c l3fwd_lpm.c l3fwd_fib.c "
		 "l3fwd_em.c "
		 "l3fwd_event.c l3fwd_event_generic.c l3fwd_event_internal_port.c $(pkg-config --libs "
		 "libdpdk)",
		 directory, sources);
	err = l3fwd_shell(command);
	if (err < 0)
		warnx("bench dpdk: cannot build l3fwd; it needs cc, pkg-config and libdpdk-dev");
	return err < 0 ? -ENOENT : 0;
}
