// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/veth_peer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "host/modes/capability.h"

#define PROCESS_LIMIT 4096 /* processes looked at for their namespace */

/* setns() changes the calling thread only, so the look into another namespace runs in a thread of its own. */
struct visit {
	int namespace_fd; /* -1: stay */
	__u32 ifindex;
	int error;
	struct capability peer;
};

static void *visit_run(void *arg)
{
	struct visit *visit = arg;
	char name[IFNAMSIZ];

	if (visit->namespace_fd >= 0 && setns(visit->namespace_fd, CLONE_NEWNET) < 0)
		visit->error = -errno;
	else if (!if_indextoname(visit->ifindex, name))
		visit->error = -errno;
	else
		visit->error = capability_read_plain(name, NULL, &visit->peer);
	return NULL;
}

static int visit_peer(int namespace_fd, __u32 ifindex, struct capability *ret)
{
	struct visit visit = { .namespace_fd = namespace_fd, .ifindex = ifindex };
	pthread_t thread;
	int error = pthread_create(&thread, NULL, visit_run, &visit);

	if (error)
		return -error;
	(void)pthread_join(thread, NULL);
	if (visit.error == 0)
		*ret = visit.peer;
	return visit.error;
}

static int parse_id(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *attribute;
	int *id = data;

	mnl_attr_for_each (attribute, header, sizeof(struct rtgenmsg)) {
		if (mnl_attr_get_type(attribute) == NETNSA_NSID &&
		    mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
			*id = (int)mnl_attr_get_u32(attribute);
	}
	return MNL_CB_STOP;
}

/* The number by which our namespace calls the one behind the fd; negative: none. */
static int namespace_id(struct mnl_socket *socket, int fd)
{
	char buffer[8192];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct rtgenmsg *generic;
	ssize_t size;
	int id = -1;

	header->nlmsg_type = RTM_GETNSID;
	header->nlmsg_flags = NLM_F_REQUEST;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	generic->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(header, NETNSA_FD, (__u32)fd);
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return -1;
	size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (size < 0 || mnl_cb_run(buffer, (size_t)size, 0, 0, parse_id, &id) < 0)
		return -1;
	return id;
}

/* Looks through DIRECTORY/NAME`suffix` for the namespace with this id; returns its fd. */
static int search(struct mnl_socket *socket, int id, const char *directory, const char *suffix)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;
	ino_t last = 0;
	int found = -ENOENT;

	if (!entries)
		return -errno;
	for (int i = 0; found < 0 && i < PROCESS_LIMIT && (entry = readdir(entries)); i++) {
		char path[512];
		struct stat status;
		int fd;

		if (entry->d_name[0] == '.' ||
		    (*suffix && (entry->d_name[0] < '0' || entry->d_name[0] > '9')))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", directory, entry->d_name, suffix);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (fstat(fd, &status) == 0 && status.st_ino != last && namespace_id(socket, fd) == id) {
			found = fd;
			continue;
		}
		last = status.st_ino;
		close(fd);
	}
	closedir(entries);
	return found;
}

static int find_namespace(int id)
{
	struct timeval timeout = { .tv_sec = 2 };
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int found;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		found = -errno;
		goto close_socket;
	}
	(void)setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	found = search(socket, id, "/var/run/netns", "");
	if (found < 0)
		found = search(socket, id, "/proc", "/ns/net");
close_socket:
	mnl_socket_close(socket);
	return found;
}

int veth_peer_read(const struct capability *veth, struct capability *ret_peer)
{
	int fd, error;

	if (!veth->lower)
		return -ENOENT;
	if (veth->lower_namespace < 0)
		return visit_peer(-1, veth->lower, ret_peer);
	fd = find_namespace(veth->lower_namespace);
	if (fd < 0)
		return fd;
	error = visit_peer(fd, veth->lower, ret_peer);
	close(fd);
	return error;
}

int veth_peer_takes_frames(const struct capability *veth, bool *ret_takes)
{
	struct capability peer;
	int error = veth_peer_read(veth, &peer);

	if (error == 0)
		*ret_takes = peer.ethtool.gro || peer.program.attached == CAPABILITY_ATTACH_NATIVE;
	return error;
}
