// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/engine/xdp_link.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "host/engine/engine.h"
#include "host/engine/pins.h"

static bool link_serves(int link_fd, __u32 ifindex, __u32 *ret_program)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(link_fd, &info, &size) < 0 || info.type != BPF_LINK_TYPE_XDP ||
	    info.xdp.ifindex != ifindex)
		return false;
	if (ret_program)
		*ret_program = info.prog_id;
	return true;
}

/*
 * The link that a dead daemon left for the interface, if it still holds it by the same hook. A link that
 * holds something else (ifindex and namespace numbers are used again) is no more than rubbish, but one that
 * could be another namespace's is not touched: what counts is the program seen on our own interface. Where it
 * cannot be taken over it is detached here and now: a link whose last pin and file go detaches some time
 * later, and until then the interface is taken.
 */
static int adopt_link(struct pins *pins, const struct engine_port *port, __u32 flags, int program_fd)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	bool native = flags == XDP_FLAGS_DRV_MODE;
	__u32 held = 0;
	__u16 old_port = 0;
	int fd = pins_link_get(pins, port->ifindex, &old_port);

	if (fd < 0)
		return fd;
	if (!link_serves(fd, port->ifindex, &held) || bpf_xdp_query((int)port->ifindex, 0, &query) < 0)
		goto drop;
	if (held != query.drv_prog_id && held != query.skb_prog_id)
		goto drop;
	if (held == (native ? query.drv_prog_id : query.skb_prog_id) &&
	    bpf_link_update(fd, program_fd, NULL) == 0) {
		(void)pins_link_move(pins, (struct pins_link){ port->ifindex, old_port },
				     (struct pins_link){ port->ifindex, port->id });
		return fd;
	}
	(void)bpf_link_detach(fd);
drop:
	close(fd);
	pins_link_remove(pins, (struct pins_link){ port->ifindex, old_port });
	return -ENOENT;
}

static int refuse_attach(const struct engine_port *port, __u32 flags, int error, struct why *why)
{
	struct capability now;

	if ((error == -EBUSY || error == -EEXIST) && capability_read_plain(port->name, NULL, &now) == 0 &&
	    now.program.id)
		return why_set(why, EBUSY,
			       "XDP program '%s' (id %u) is attached by someone else; remove it first: ip "
			       "link set dev %s xdp off",
			       now.program.name[0] ? now.program.name : "?", now.program.id, port->name);
	return why_set(why, -error, "the kernel refuses %s XDP: %s",
		       flags == XDP_FLAGS_DRV_MODE ? "native" : "generic", strerror(-error));
}

static int create_link(struct pins *pins, const struct engine_port *port, __u32 flags, int program_fd,
		       struct why *why)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int fd = bpf_link_create(program_fd, (int)port->ifindex, BPF_XDP, &options);
	int error;

	if (fd < 0)
		return refuse_attach(port, flags, fd, why);
	error = pins_link_put(pins, (struct pins_link){ port->ifindex, port->id }, fd);
	if (error < 0) {
		close(fd);
		return why_set(why, -error, "cannot pin the link in %s: %s", pins_directory(pins),
			       strerror(-error));
	}
	return fd;
}

int xdp_link_attach(struct pins *pins, const struct engine_port *port, __u32 flags, int program_fd,
		    struct why *why)
{
	int fd = adopt_link(pins, port, flags, program_fd);

	return fd < 0 ? create_link(pins, port, flags, program_fd, why) : fd;
}

void xdp_link_detach(struct pins *pins, const struct engine_port *port, int fd)
{
	(void)bpf_link_detach(fd); /* now; fails if somebody was faster */
	pins_link_remove(pins, (struct pins_link){ port->ifindex, port->id });
	close(fd);
}

bool xdp_link_serves(int fd, __u32 ifindex)
{
	return link_serves(fd, ifindex, NULL);
}

__u32 xdp_link_program(int program_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(program_fd, &info, &size) < 0 ? 0 : info.id;
}
