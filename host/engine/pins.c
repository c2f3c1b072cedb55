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

#define VERSIONS 8 /* that may have left pins beside ours */

struct pins {
	char directory[VERSIONS + 1][256]; /* ours, then those of daemons of this name with other versions */
	unsigned int directories;
};

static void map_path(const char *directory, const char *name, const char *prefix, char *ret)
{
	snprintf(ret, PATH_SIZE, "%s/maps/%s%s", directory, prefix, name);
}

static void link_path(const char *directory, struct pins_link link, char *ret)
{
	snprintf(ret, PATH_SIZE, "%s/links/%u_%u", directory, link.ifindex, link.port);
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
		error = make_directory(pins->directory[0]);
	for (size_t i = 0; error == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", pins->directory[0], parts[i]);
		error = make_directory(path);
	}
	return error;
}

/* What a daemon of this name left that had another version of the image. */
static void find_others(struct pins *pins, const char *bpffs, const char *name)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "%s/penstock", bpffs);
	directory = opendir(path);
	if (!directory)
		return;
	while (pins->directories <= VERSIONS && (entry = readdir(directory))) {
		char *other = pins->directory[pins->directories];
		unsigned int version;
		char end;

		if (sscanf(entry->d_name, "v%u%c", &version, &end) != 1 || version == IMAGE_VERSION)
			continue;
		if ((size_t)snprintf(other, sizeof(pins->directory[0]), "%s/v%u/%s", path, version, name) >=
		    sizeof(pins->directory[0]))
			continue;
		if (access(other, F_OK) == 0) {
			pins->directories++;
			continue;
		}
		*strrchr(other, '/') = 0; /* empty, if one died while it removed it */
		(void)rmdir(other);
	}
	closedir(directory);
}

static void remove_files(const char *top, const char *part)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "%s/%s", top, part);
	directory = opendir(path);
	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
	(void)rmdir(path);
}

static void remove_directory(char *path)
{
	remove_files(path, "links"); /* first: programs need their maps to the end */
	remove_files(path, "maps");
	(void)rmdir(path);
	*strrchr(path, '/') = 0; /* .../penstock/v1: only if no other daemon is in there */
	(void)rmdir(path);
}

int pins_open(const char *bpffs, const char *name, struct pins **ret, struct why *why)
{
	struct pins *pins = calloc(1, sizeof(*pins));
	int error;

	if (!pins)
		return why_set(why, ENOMEM, "out of memory");
	pins->directories = 1;
	if ((size_t)snprintf(pins->directory[0], sizeof(pins->directory[0]), "%s/penstock/v%d/%s", bpffs,
			     IMAGE_VERSION, name) >= sizeof(pins->directory[0])) {
		error = why_set(why, ENAMETOOLONG, "%s: the path of the BPF file system is too long", bpffs);
		goto free_pins;
	}
	error = make_tree(pins, bpffs);
	if (error < 0) {
		(void)why_set(why, -error, "%s: cannot make the directory for pins: %s", pins->directory[0],
			      strerror(-error));
		goto free_pins;
	}
	find_others(pins, bpffs, name);
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
	char *top = pins->directory[0];

	pins_forget_others(pins);
	remove_directory(top); /* which leaves the path of its parent */
	*strrchr(top, '/') = 0;
	(void)rmdir(top);
	free(pins);
}

void pins_forget_others(struct pins *pins)
{
	while (pins->directories > 1)
		remove_directory(pins->directory[--pins->directories]);
}

const char *pins_directory(const struct pins *pins)
{
	return pins->directory[0];
}

int pins_map_put(struct pins *pins, const char *name, int fd)
{
	char fresh[PATH_SIZE], path[PATH_SIZE];
	int error;

	map_path(pins->directory[0], name, "new_", fresh);
	map_path(pins->directory[0], name, "", path);
	(void)unlink(fresh); /* of a daemon that died in between */
	error = bpf_obj_pin(fd, fresh);
	if (error < 0)
		return error;
	return rename(fresh, path) < 0 ? -errno : 0;
}

int pins_map_get(struct pins *pins, const char *name)
{
	char path[PATH_SIZE];
	int fd = -ENOENT;

	for (unsigned int i = 0; fd < 0 && i < pins->directories; i++) {
		map_path(pins->directory[i], name, "", path);
		fd = bpf_obj_get(path);
	}
	return fd;
}

int pins_link_put(struct pins *pins, struct pins_link link, int fd)
{
	char path[PATH_SIZE];

	link_path(pins->directory[0], link, path);
	return bpf_obj_pin(fd, path);
}

/* Goes on to count at `count`. */
static size_t list_links(const char *top, struct pins_link *ret, size_t count, size_t size)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "%s/links", top);
	directory = opendir(path);
	if (!directory)
		return count;
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

size_t pins_links(struct pins *pins, struct pins_link *ret, size_t size)
{
	size_t count = 0;

	for (unsigned int i = 0; i < pins->directories; i++)
		count = list_links(pins->directory[i], ret, count, size);
	return count;
}

int pins_link_get(struct pins *pins, __u32 ifindex, __u16 *ret_port)
{
	struct pins_link links[SWEEP_MAX];
	size_t count = pins_links(pins, links, SWEEP_MAX);
	char path[PATH_SIZE];
	int fd = -ENOENT;

	for (size_t i = 0; i < count && i < SWEEP_MAX; i++) {
		if (links[i].ifindex != ifindex)
			continue;
		for (unsigned int k = 0; fd < 0 && k < pins->directories; k++) {
			link_path(pins->directory[k], links[i], path);
			fd = bpf_obj_get(path);
		}
		if (fd >= 0)
			*ret_port = links[i].port;
		return fd;
	}
	return fd;
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
	int error = -ENOENT;

	link_path(pins->directory[0], to, new);
	for (unsigned int i = 0; error == -ENOENT && i < pins->directories; i++) {
		link_path(pins->directory[i], from, old);
		error = rename(old, new) < 0 ? -errno : 0;
	}
	return error;
}

void pins_link_remove(struct pins *pins, struct pins_link link)
{
	char path[PATH_SIZE];

	for (unsigned int i = 0; i < pins->directories; i++) {
		link_path(pins->directory[i], link, path);
		if (unlink(path) == 0)
			return;
	}
}

void pins_links_sweep(struct pins *pins, int (*keep)(void *arg, struct pins_link link), void *arg)
{
	struct pins_link links[SWEEP_MAX];
	size_t count = pins_links(pins, links, SWEEP_MAX);

	for (size_t i = 0; i < count && i < SWEEP_MAX; i++)
		if (!keep(arg, links[i]))
			pins_link_remove(pins, links[i]);
}
