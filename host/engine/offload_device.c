// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Programs are attached by a bpf_link that nobody pins. A card has no clock that would tell it how old its
 * tables are: should the daemon die, the kernel takes its program off the card at once, and what is behind
 * the card forwards.
 */
#include "host/engine/offload_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "host/engine/bake.h"
#include "host/engine/engine.h"
#include "host/engine/xdp_link.h"
#include "offload/router_nfp.skel.h"

#define LOG_SIZE (1u << 20)
#define PORTS    8   /* that have room for counters */
#define SETTLE   400 /* ms in which the kernel gives back what closed maps took */
#define TRIES    10  /* with as many elements */

/* What the driver says in the log where programs may not choose queues. */
#define NO_QUEUES "queue selection not supported"

/* Elements over all maps, of which no call tells how many a card has. */
#define MOST    3072000 /* both tables of the Internet have room twice */
#define LEAST   32768
#define LARGEST (1 << 21) /* of the maps by which room is measured, each half as large as the one before; */
#define PIECES  9         /* so many: the last has 8,192, of which known firmware has a multiple */

struct device {
	const struct engine_context *context;
	__u32 ifindex;
	int fd[CARD_COUNTERS]; /* each port has its own counters */
};

struct program {
	struct router_nfp *object;
	struct engine_port port;
	int link_fd; /* -1: not attached */
};

/* --- what the kernel says --- */

static _Thread_local struct {
	bool wanted;
	char text[160];
} words;

bool offload_device_hear(const char *format, va_list arguments)
{
	static const char said[] = "Kernel error message: ";
	char line[256];
	const char *start;

	if (!words.wanted)
		return false;
	(void)vsnprintf(line, sizeof(line), format, arguments);
	start = strstr(line, said);
	if (start)
		(void)snprintf(words.text, sizeof(words.text), "%.*s",
			       (int)strcspn(start + sizeof(said) - 1, "\n"), start + sizeof(said) - 1);
	return true;
}

/* The last line of the verifier's log in which the driver speaks, or its last line that is not a figure. */
static void last_words(const char *log, char *ret, size_t size)
{
	*ret = 0;
	for (const char *line = log, *end; *line; line = *end ? end + 1 : end) {
		int length;

		end = line + strcspn(line, "\n");
		length = (int)(end - line);
		if (length && strncmp(line, "processed ", 10) != 0 &&
		    strncmp(line, "verification ", 13) != 0 && strncmp(line, "peak_states", 11) != 0)
			(void)snprintf(ret, size, "%.*s", length, line);
	}
}

/* --- maps --- */

static void close_maps(struct device *device)
{
	for (int map = 0; map < CARD_COUNTERS; map++) {
		if (device->fd[map] >= 0)
			close(device->fd[map]);
		device->fd[map] = -1;
	}
}

static int make_maps(struct device *device, const struct card_sizes *sizes)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_ifindex = device->ifindex);

	for (int map = 0; map < CARD_COUNTERS; map++) {
		device->fd[map] = bpf_map_create(BPF_MAP_TYPE_ARRAY, card_map_names[map], sizeof(__u32),
						 card_value_sizes[map], sizes->entries[map], &options);
		if (device->fd[map] < 0) {
			int error = device->fd[map];

			close_maps(device);
			return error;
		}
	}
	return 0;
}

/* Elements that the card has room for, nearly: what fits of one size after the other is held until all are
 * tried. Negative errno. */
static int measure_room(const struct device *device)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_ifindex = device->ifindex);
	int fd[PIECES], held = 0, error = 0;
	int room = 0;

	for (int size = LARGEST; size > LARGEST >> PIECES && !error; size /= 2) {
		fd[held] = bpf_map_create(BPF_MAP_TYPE_ARRAY, "room", sizeof(__u32), sizeof(__u64), size,
					  &options);
		if (fd[held] >= 0) {
			room += size;
			held++;
		} else if (fd[held] != -ENOMEM) {
			error = fd[held];
		}
	}
	while (held > 0)
		close(fd[--held]);
	if (error)
		return error;
	return room > MOST ? MOST : room < LEAST ? LEAST : room;
}

static void pause_ms(long ms)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/*
 * What maps took, somebody else's or ours, the kernel gives back some time after they are closed. So it is
 * looked again, until that gives no more room: now it may be what was tried here that is still in the way.
 */
static int settle_room(const struct device *device)
{
	int best = measure_room(device), again;

	while (best >= 0 && best < MOST) {
		pause_ms(SETTLE);
		again = measure_room(device);
		if (again <= best)
			break;
		best = again;
	}
	return best;
}

/* The driver says ENOMEM where it has too little room. */
static int fit_maps(struct device *device, struct card_sizes *ret_sizes)
{
	int room = settle_room(device), error = room < 0 ? room : -ENOMEM;

	for (int tries = 0; error == -ENOMEM && room; tries++) {
		error = card_sizes_fit((__u32)room - PORTS * REASON_MAX, ret_sizes);
		if (error == 0)
			error = make_maps(device, ret_sizes);
		if (error == -ENOMEM && tries % TRIES == TRIES - 1)
			room = room == LEAST ? 0 : room / 2 < LEAST ? LEAST : room / 2;
		else if (error == -ENOMEM)
			pause_ms(SETTLE / 4);
	}
	return error;
}

static int open_device(const struct engine_context *context, __u32 ifindex, void **ret_device,
		       struct card_sizes *ret_sizes, struct why *why)
{
	struct device *device = calloc(1, sizeof(*device));
	int error;

	if (!device)
		return why_set(why, ENOMEM, "out of memory");
	device->context = context;
	device->ifindex = ifindex;
	memset(device->fd, 0xff, sizeof(device->fd));
	error = fit_maps(device, ret_sizes);
	if (error == 0) {
		*ret_device = device;
		return 0;
	}
	free(device);
	if (error == -ENOMEM)
		return why_set(why, ENOMEM, "the card has no room for the tables, not even for %d elements",
			       LEAST);
	return why_set(why, -error, "the card does not take the tables: %s", strerror(-error));
}

static void close_device(void *arg)
{
	struct device *device = arg;

	close_maps(device);
	free(device);
}

static int write_element(void *arg, enum card_map map, __u32 index, const void *value)
{
	struct device *device = arg;

	return bpf_map_update_elem(device->fd[map], &index, value, BPF_ANY);
}

/* --- programs --- */

static int share_maps(const struct device *device, struct router_nfp *object)
{
	struct bpf_map *const maps[CARD_COUNTERS] = {
		[CARD_NODE] = object->maps.node,
		[CARD_RUN] = object->maps.run,
		[CARD_CONTROL] = object->maps.control,
		[CARD_VRF] = object->maps.vrf,
		[CARD_INTERFACE] = object->maps.interface,
		[CARD_OWN] = object->maps.own,
		[CARD_HOP] = object->maps.hop,
		[CARD_VLAN] = object->maps.vlan,
		[CARD_BUCKET] = object->maps.bucket,
	};
	int error = 0;

	for (int map = 0; map < CARD_COUNTERS && !error; map++)
		error = bpf_map__reuse_fd(maps[map], device->fd[map]);
	return error;
}

static int bring_to_card(struct router_nfp *object, const struct device *device,
			 const struct engine_port *port, char *log)
{
	struct bpf_program *program = object->progs.penstock_nfp;
	int error = share_maps(device, object);

	if (!error)
		error = bpf_map__set_ifindex(object->maps.counters, port->ifindex);
	if (!error)
		error = bake_port(program, device->context->store, port->id, port->queues);
	if (error)
		return error;
	bpf_program__set_ifindex(program, port->ifindex);
	(void)bpf_program__set_log_buf(program, log, LOG_SIZE);
	return router_nfp__load(object);
}

static int load_object(struct device *device, const struct engine_port *port, struct router_nfp **ret,
		       struct why *why)
{
	struct router_nfp *object = router_nfp__open();
	char *log = calloc(1, LOG_SIZE), text[160] = "";
	int error = object && log ? 0 : -ENOMEM;

	if (!error)
		error = bring_to_card(object, device, port, log);
	if (error && log)
		last_words(log, text, sizeof(text));
	if (error && log && strstr(log, NO_QUEUES))
		error = -ENOPROTOOPT;
	free(log);
	if (!error) {
		*ret = object;
		return 0;
	}
	router_nfp__destroy(object);
	if (*text)
		return why_set(why, -error, "the card's driver refuses the program: %s (%s)", text,
			       strerror(-error));
	return why_set(why, -error, "the card's driver refuses the program: %s; what it says may be in dmesg",
		       strerror(-error));
}

static int load_program(void *device, const struct engine_port *port, void **ret_program, struct why *why)
{
	struct program *program = calloc(1, sizeof(*program));
	int error;

	if (!program)
		return why_set(why, ENOMEM, "out of memory");
	program->port = *port;
	program->link_fd = -1;
	error = load_object(device, port, &program->object, why);
	if (error) {
		free(program);
		return error;
	}
	*ret_program = program;
	return 0;
}

static int program_fd(const struct program *program)
{
	return bpf_program__fd(program->object->progs.penstock_nfp);
}

/* A link is refused without a word; the older way to attach has some. */
static void ask_why(const struct program *program)
{
	int ifindex = (int)program->port.ifindex;

	words.text[0] = 0;
	words.wanted = true;
	if (bpf_xdp_attach(ifindex, program_fd(program), XDP_FLAGS_HW_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST,
			   NULL) == 0)
		(void)bpf_xdp_detach(ifindex, XDP_FLAGS_HW_MODE, NULL);
	words.wanted = false;
}

static int refuse_attach(const struct program *program, int error, struct why *why)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)program->port.ifindex, 0, &query) == 0 && query.hw_prog_id)
		return why_set(
			why, EBUSY,
			"the card runs a program of someone else (id %u); remove it first: ip link set "
			"dev %s xdpoffload off",
			query.hw_prog_id, program->port.name);
	ask_why(program);
	return why_set(why, -error, "the card's driver does not attach the program: %s%s%s", words.text,
		       *words.text ? ": " : "", strerror(-error));
}

static int attach_program(void *arg, struct why *why)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_HW_MODE);
	struct program *program = arg;
	int fd = bpf_link_create(program_fd(program), (int)program->port.ifindex, BPF_XDP, &options);

	if (fd < 0)
		return refuse_attach(program, fd, why);
	program->link_fd = fd;
	return 0;
}

static void detach_program(void *arg)
{
	struct program *program = arg;

	if (program->link_fd >= 0)
		(void)bpf_link_detach(program->link_fd); /* the fd stays valid for who looks at it now */
}

static void unload_program(void *arg)
{
	struct program *program = arg;

	detach_program(program);
	if (program->link_fd >= 0)
		close(program->link_fd);
	router_nfp__destroy(program->object);
	free(program);
}

static int check_program(void *arg, struct image_counters *ret)
{
	struct program *program = arg;
	int fd = bpf_map__fd(program->object->maps.counters), error = 0;

	for (__u32 reason = 0; reason < REASON_MAX && !error; reason++)
		error = bpf_map_lookup_elem(fd, &reason, &ret->reason[reason]);
	if (!error && !xdp_link_serves(program->link_fd, program->port.ifindex))
		error = -ENOLINK;
	return error;
}

const struct offload_device_ops offload_device = {
	.open = open_device,
	.close = close_device,
	.write = write_element,
	.load = load_program,
	.attach = attach_program,
	.detach = detach_program,
	.unload = unload_program,
	.check = check_program,
};
