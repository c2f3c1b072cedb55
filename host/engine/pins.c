// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/pins.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "xdp/image.h"

#define PATH_SIZE 320
#define SWEEP_MAX (2 * IMAGE_PORTS)

struct pins {
	char directory[256];
};

static void map_path(const struct pins *pins, const char *name, const char *prefix, char *ret)
{
	snprintf(ret, PATH_SIZE, "%s/maps/%s%s", pins->directory, prefix, name);
}

static void link_path(const struct pins *pins, struct pins_link link, char *ret)
{
	snprintf(ret, PATH_SIZE, "%s/links/%u_%u", pins->directory, link.ifindex, link.port);
}

static int make_directory(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int make_tree(const struct pins *pins, const char *bpffs)
{
	static const char *const parts[] = { "/maps", "/links" };
	char path[PATH_SIZE];
	int error;

	snprintf(path, sizeof(path), "%s/penstock", bpffs);
	error = make_directory(path);
	if (error < 0)
		return error;
	snprintf(path, sizeof(path), "%s/penstock/v%d", bpffs, IMAGE_VERSION);
	error = make_directory(path);
	if (error == 0)
		error = make_directory(pins->directory);
	for (size_t i = 0; error == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", pins->directory, parts[i]);
		error = make_directory(path);
	}
	return error;
}

static void remove_files(const struct pins *pins, const char *part)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "%s/%s", pins->directory, part);
	directory = opendir(path);
	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
	(void)rmdir(path);
}

int pins_open(const char *bpffs, const char *name, struct pins **ret, struct why *why)
{
	struct pins *pins = malloc(sizeof(*pins));
	int error;

	if (!pins)
		return why_set(why, ENOMEM, "out of memory");
	if ((size_t)snprintf(pins->directory, sizeof(pins->directory), "%s/penstock/v%d/%s", bpffs,
			     IMAGE_VERSION, name) >= sizeof(pins->directory)) {
		error = why_set(why, ENAMETOOLONG, "%s: the path of the BPF file system is too long", bpffs);
		goto free_pins;
	}
	error = make_tree(pins, bpffs);
	if (error < 0) {
		(void)why_set(why, -error, "%s: cannot make the directory for pins: %s", pins->directory,
			      strerror(-error));
		goto free_pins;
	}
	*ret = pins;
	return 0;
free_pins:
	free(pins);
	return error;
}

void pins_close(struct pins *pins)
{
	free(pins);
}

void pins_remove(struct pins *pins)
{
	char *slash;

	remove_files(pins, "links"); /* first: programs need their maps to the end */
	remove_files(pins, "maps");
	(void)rmdir(pins->directory);
	for (int i = 0; i < 2; i++) { /* .../penstock/v1: only if no other daemon is in there */
		slash = strrchr(pins->directory, '/');
		*slash = 0;
		(void)rmdir(pins->directory);
	}
	free(pins);
}

const char *pins_directory(const struct pins *pins)
{
	return pins->directory;
}

int pins_map_put(struct pins *pins, const char *name, int fd)
{
	char fresh[PATH_SIZE], path[PATH_SIZE];
	int error;

	map_path(pins, name, "new_", fresh);
	map_path(pins, name, "", path);
	(void)unlink(fresh); /* of a daemon that died in between */
	error = bpf_obj_pin(fd, fresh);
	if (error < 0)
		return error;
	return rename(fresh, path) < 0 ? -errno : 0;
}

int pins_map_get(struct pins *pins, const char *name)
{
	char path[PATH_SIZE];

	map_path(pins, name, "", path);
	return bpf_obj_get(path);
}

int pins_link_put(struct pins *pins, struct pins_link link, int fd)
{
	char path[PATH_SIZE];

	link_path(pins, link, path);
	return bpf_obj_pin(fd, path);
}

size_t pins_links(struct pins *pins, struct pins_link *ret, size_t size)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	DIR *directory;
	size_t count = 0;

	snprintf(path, sizeof(path), "%s/links", pins->directory);
	directory = opendir(path);
	if (!directory)
		return 0;
	while ((entry = readdir(directory))) {
		unsigned int ifindex, port;

		if (sscanf(entry->d_name, "%u_%u", &ifindex, &port) != 2)
			continue;
		if (count < size)
			ret[count] = (struct pins_link){ ifindex, (__u16)port };
		count++;
	}
	closedir(directory);
	return count;
}

int pins_link_get(struct pins *pins, __u32 ifindex, __u16 *ret_port)
{
	struct pins_link links[SWEEP_MAX];
	size_t count = pins_links(pins, links, SWEEP_MAX);
	char path[PATH_SIZE];

	for (size_t i = 0; i < count && i < SWEEP_MAX; i++) {
		int fd;

		if (links[i].ifindex != ifindex)
			continue;
		link_path(pins, links[i], path);
		fd = bpf_obj_get(path);
		if (fd >= 0)
			*ret_port = links[i].port;
		return fd;
	}
	return -ENOENT;
}

__u32 pins_link_program(struct pins *pins, __u32 ifindex)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);
	__u16 port = 0;
	int fd = pins_link_get(pins, ifindex, &port);
	bool serves;

	if (fd < 0)
		return 0;
	serves = bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == BPF_LINK_TYPE_XDP &&
		 info.xdp.ifindex == ifindex;
	close(fd);
	return serves ? info.prog_id : 0;
}

int pins_link_move(struct pins *pins, struct pins_link from, struct pins_link to)
{
	char old[PATH_SIZE], new[PATH_SIZE];

	if (from.ifindex == to.ifindex && from.port == to.port)
		return 0;
	link_path(pins, from, old);
	link_path(pins, to, new);
	return rename(old, new) < 0 ? -errno : 0;
}

void pins_link_remove(struct pins *pins, struct pins_link link)
{
	char path[PATH_SIZE];

	link_path(pins, link, path);
	(void)unlink(path);
}

void pins_links_sweep(struct pins *pins, int (*keep)(void *arg, struct pins_link link), void *arg)
{
	struct pins_link links[SWEEP_MAX];
	size_t count = pins_links(pins, links, SWEEP_MAX);

	for (size_t i = 0; i < count && i < SWEEP_MAX; i++)
		if (!keep(arg, links[i]))
			pins_link_remove(pins, links[i]);
}
