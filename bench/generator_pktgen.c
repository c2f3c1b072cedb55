// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//
// The kernel's own generator, module pktgen: one size, IPv4, consecutive addresses. Its frames carry a number
// and a time of their own in the place of ours, which the sink knows, and a UDP checksum over all; the source
// port goes through 0 to 65534 along with the address. A mix of VLANs takes a device of pktgen's for each,
// all on the one port, in turns. Each of these counts its frames by itself and has ports of its own, by which
// the sink tells them apart.

#include "bench/generator.h"
#include "bench/netns.h"
#include "bench/sender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

#define PKTGEN_DIRECTORY "/proc/thread-self/net/pktgen/"
#define PKTGEN_PORTS     65535 // that it goes through
#define PKTGEN_TTL       32
#define PKTGEN_LARGEST   3520
#define PKTGEN_PREFIX    "198.18.%u.%u"
#define PKTGEN_VETH      "veth"
#define PKTGEN_FILE      (IFNAMSIZ + 4)
// Between packets of a device that has others beside it, as fast as can be: without any time between them it
// would have all the turns.
#define PKTGEN_TURN_NS   50

struct generator_pktgen {
	const struct generator_bed *bed;
	bool loaded; // the module, by us
	unsigned int cpu;
	unsigned int devices; // of pktgen's
	pthread_t thread;
	bool runs;
	atomic_bool ended;
	int result;
	__u64 begin_ns, total, most_ns;
	struct generator_counts counts;
};

// Writes a line to a file of pktgen's in the calling thread's namespace.
static int pktgen_write(const char *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int pktgen_write(const char *file, const char *format, ...)
{
	char path[64 + IFNAMSIZ], line[128];
	va_list list;
	int fd, length, err = 0;

	snprintf(path, sizeof(path), PKTGEN_DIRECTORY "%s", file);
	va_start(list, format);
	length = vsnprintf(line, sizeof(line) - 1, format, list);
	va_end(list);
	line[length++] = '\n'; // it takes the last byte off
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, line, length) < 0)
		err = -errno;
	close(fd);
	return err;
}

static void pktgen_thread_file(const struct generator_pktgen *pktgen, char file[32])
{
	snprintf(file, 32, "kpktgend_%u", pktgen->cpu);
}

static void pktgen_device_file(const struct generator_pktgen *pktgen, unsigned int device,
			       char file[PKTGEN_FILE])
{
	const char *port = pktgen->bed->lane->s.name;

	if (pktgen->devices > 1)
		snprintf(file, PKTGEN_FILE, "%s@%u", port, device % TRAFFIC_VLANS);
	else
		snprintf(file, PKTGEN_FILE, "%s", port);
}

static bool pktgen_is_there(void)
{
	return access(PKTGEN_DIRECTORY "pgctrl", W_OK) == 0;
}

static void pktgen_modprobe(const char *option)
{
	const char *const argv[] = { "modprobe", "-q", option ? option : "pktgen", option ? "pktgen" : NULL,
				     NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

// Its frames instead of ours: destination v has port v, big endian.
static int pktgen_aim(struct generator_pktgen *pktgen, struct why *why)
{
	struct generate_destination *destinations = calloc(TRAFFIC_DESTINATIONS, sizeof(*destinations));

	if (!destinations)
		return -ENOMEM;
	for (unsigned int i = 0; i < TRAFFIC_DESTINATIONS; i++) {
		const __u8 *drawn = generate_destination(pktgen->bed->generate, AF_INET, i);
		unsigned int port = ntohs(i);

		if (drawn[0] != 198 || (drawn[1] & 0xfe) != 18) {
			free(destinations);
			return why_set(why, EOPNOTSUPP,
				       "generator pktgen: sends to consecutive IPv4 addresses only; use it "
				       "with --routes 1");
		}
		destinations[i] = (struct generate_destination){ .address = { 198, 18, port >> 8, port } };
	}
	generate_set_destinations(pktgen->bed->generate, AF_INET, destinations, TRAFFIC_DESTINATIONS);
	generate_expect_ttl(pktgen->bed->generate, PKTGEN_TTL - 1);
	free(destinations);
	return 0;
}

static int generator_pktgen_open(const struct generator_bed *bed, void **ret_sender, struct why *why)
{
	struct generator_pktgen *pktgen = calloc(1, sizeof(*pktgen));
	int home, err = pktgen ? netns_enter(bed->lane->s.netns, &home) : -ENOMEM;
	bool there;

	if (err < 0) {
		free(pktgen);
		return err;
	}
	pktgen->bed = bed;
	there = pktgen_is_there();
	if (!there) {
		pktgen_modprobe(NULL);
		there = pktgen->loaded = pktgen_is_there();
	}
	netns_leave(home);
	err = there ? pktgen_aim(pktgen, why)
		    : why_set(why, ENOENT,
			      "generator pktgen: this kernel has no module pktgen (CONFIG_NET_PKTGEN)");
	if (err < 0) {
		free(pktgen);
		return err;
	}
	*ret_sender = pktgen;
	return 0;
}

// Sets something of a port of the calling thread's namespace, or asks for it.
static int pktgen_ethtool(const char *port, void *what)
{
	struct ifreq request = { .ifr_data = what };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", port);
	err = ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
	close(fd);
	return err;
}

// A veth leaves the checksum to whoever sends the frame on to hardware, and here nobody does.
static int pktgen_keep_checksums(const char *port)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_value off = { .cmd = ETHTOOL_STXCSUM };
	int err = pktgen_ethtool(port, &driver);

	if (err < 0 || strcmp(driver.driver, PKTGEN_VETH) != 0)
		return err;
	return pktgen_ethtool(port, &off);
}

// Of each device.
static unsigned int pktgen_flows(const struct generator_pktgen *pktgen, const struct load *load)
{
	unsigned int flows = load->flows && load->flows < PKTGEN_PORTS ? load->flows : PKTGEN_PORTS;

	return flows < pktgen->devices ? 1 : flows / pktgen->devices;
}

// As many addresses as ports.
static int pktgen_configure_flows(const struct generator_pktgen *pktgen, const struct load *load,
				  unsigned int device, const char *file)
{
	unsigned int flows = pktgen_flows(pktgen, load), first = device * flows, last = first + flows - 1;
	int err = pktgen_write(file, "dst_min " PKTGEN_PREFIX, first >> 8, first & 255);

	if (err >= 0)
		err = pktgen_write(file, "dst_max " PKTGEN_PREFIX, last >> 8, last & 255);
	if (err >= 0)
		err = pktgen_write(file, "udp_src_min %u", first);
	if (err >= 0)
		err = pktgen_write(file, "udp_src_max %u", last + 1);
	if (err >= 0)
		err = pktgen_write(file, "udp_dst_min %u", TRAFFIC_PORT);
	if (err >= 0)
		err = pktgen_write(file, "udp_dst_max %u", TRAFFIC_PORT);
	return err;
}

// Size, tag, and how many of them.
static int pktgen_configure_frames(const struct generator_pktgen *pktgen, const struct load *load,
				   unsigned int device, const char *file)
{
	const unsigned int devices = pktgen->devices;
	__u16 vlan = load->vlans.count ? load->vlans.in[device] : 0;
	unsigned int size = load_largest(load) - (load->vlans.count && !vlan ? TRAFFIC_TAG : 0);
	int err = pktgen_write(file, "count %llu",
			       pktgen->total / devices + (device < pktgen->total % devices));

	if (err >= 0)
		err = pktgen_write(file, "pkt_size %u", size);
	if (err >= 0 && vlan)
		err = pktgen_write(file, "vlan_id %u", vlan);
	if (err >= 0)
		err = pktgen_write(file, "flag UDPCSUM");
	if (err >= 0)
		err = load->rate > 0
			      ? pktgen_write(file, "ratep %.0f", load->rate / devices)
			      : pktgen_write(file, "delay %u", devices > 1 ? devices * PKTGEN_TURN_NS : 0);
	return err;
}

static int pktgen_configure_device(const struct generator_pktgen *pktgen, const struct load *load,
				   unsigned int device, const char *thread)
{
	const __u8 *to = pktgen->bed->lane->r0.mac;
	char source[INET_ADDRSTRLEN], file[PKTGEN_FILE];
	__u8 address[4];
	int err;

	lane_source_address(AF_INET, address);
	inet_ntop(AF_INET, address, source, sizeof(source));
	pktgen_device_file(pktgen, device, file);
	err = pktgen_write(thread, "add_device %s", file);
	if (err >= 0)
		err = pktgen_configure_frames(pktgen, load, device, file);
	if (err >= 0)
		err = pktgen_write(file, "dst_mac %02x:%02x:%02x:%02x:%02x:%02x", to[0], to[1], to[2], to[3],
				   to[4], to[5]);
	if (err >= 0)
		err = pktgen_write(file, "src_min %s", source);
	return err < 0 ? err : pktgen_configure_flows(pktgen, load, device, file);
}

static int pktgen_configure(struct generator_pktgen *pktgen, const struct load *load)
{
	char thread[32];
	int err = 0;

	pktgen->devices = load->vlans.count ? load->vlans.count : 1;
	generate_know_devices(pktgen->bed->generate, pktgen->devices, pktgen_flows(pktgen, load));
	pktgen_thread_file(pktgen, thread);
	pktgen_write(thread, "rem_device_all");
	for (unsigned int device = 0; err >= 0 && device < pktgen->devices; device++)
		err = pktgen_configure_device(pktgen, load, device, thread);
	return err;
}

// Returns when all is sent, or it is stopped.
static void *pktgen_run(void *argument)
{
	struct generator_pktgen *pktgen = argument;

	if (setns(pktgen->bed->lane->s.netns, CLONE_NEWNET) < 0)
		pktgen->result = -errno;
	else
		pktgen->result = pktgen_write("pgctrl", "start");
	pktgen->ended = true;
	return NULL;
}

static int generator_pktgen_start(void *sender, const struct load *load, struct why *why)
{
	struct generator_pktgen *pktgen = sender;
	sigset_t all, before;
	int home, err;

	pktgen->cpu = load->cpu;
	pktgen->total = load_packets(load);
	pktgen->most_ns = pktgen->total ? 0 : load->seconds * 1e9;
	pktgen->counts = (struct generator_counts){ 0 };
	pktgen->ended = false;
	pktgen->result = 0;
	err = netns_enter(pktgen->bed->lane->s.netns, &home);
	if (err < 0)
		return err;
	err = pktgen_keep_checksums(pktgen->bed->lane->s.name);
	if (err >= 0)
		err = pktgen_configure(pktgen, load);
	netns_leave(home);
	if (err < 0)
		return why_set(why, -err, "generator pktgen: cannot set it up on %s: %s",
			       pktgen->bed->lane->s.name, strerror(-err));
	generate_know_clock(pktgen->bed->generate);
	pktgen->begin_ns = sender_now_ns();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&pktgen->thread, NULL, pktgen_run, pktgen);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pktgen->runs = err == 0;
	return err;
}

// What a device says of itself, in the calling thread's namespace; times in microseconds, once it has ended.
static void pktgen_read_device(const struct generator_pktgen *pktgen, unsigned int device, __u64 *sent,
			       __u64 *started, __u64 *stopped)
{
	char file[PKTGEN_FILE], path[64 + PKTGEN_FILE], text[4096], *at;
	unsigned long long first, last, count;
	ssize_t size = -1;
	int fd;

	pktgen_device_file(pktgen, device, file);
	snprintf(path, sizeof(path), PKTGEN_DIRECTORY "%s", file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		size = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[size > 0 ? size : 0] = 0;
	at = strstr(text, "pkts-sofar:");
	if (at && sscanf(at, "pkts-sofar: %llu", &count) == 1)
		*sent += count;
	at = strstr(text, "started:");
	if (!at || sscanf(at, "started: %lluus stopped: %lluus", &first, &last) != 2)
		return;
	*started = !*started || first < *started ? first : *started;
	*stopped = last > *stopped ? last : *stopped;
}

static void pktgen_read(struct generator_pktgen *pktgen)
{
	__u64 sent = 0, started = 0, stopped = 0;
	int home;

	if (netns_enter(pktgen->bed->lane->s.netns, &home) < 0)
		return;
	for (unsigned int device = 0; device < pktgen->devices; device++)
		pktgen_read_device(pktgen, device, &sent, &started, &stopped);
	netns_leave(home);
	pktgen->counts.sent = sent;
	pktgen->counts.seconds = (sender_now_ns() - pktgen->begin_ns) * 1e-9;
	if (pktgen->ended && stopped > started)
		pktgen->counts.seconds = (stopped - started) * 1e-6;
}

static int generator_pktgen_stop(void *sender, struct generator_counts *ret_counts)
{
	struct generator_pktgen *pktgen = sender;
	int home;

	if (pktgen->runs) {
		if (!pktgen->ended && netns_enter(pktgen->bed->lane->s.netns, &home) >= 0) {
			pktgen_write("pgctrl", "stop");
			netns_leave(home);
		}
		pthread_join(pktgen->thread, NULL);
		pktgen->runs = false;
		pktgen_read(pktgen);
	}
	pktgen->counts.done = true;
	*ret_counts = pktgen->counts;
	return pktgen->result;
}

static void generator_pktgen_counts(void *sender, struct generator_counts *ret_counts)
{
	struct generator_pktgen *pktgen = sender;

	if (pktgen->runs)
		pktgen_read(pktgen);
	pktgen->counts.done = !pktgen->runs || pktgen->ended ||
			      (pktgen->most_ns && sender_now_ns() - pktgen->begin_ns >= pktgen->most_ns);
	*ret_counts = pktgen->counts;
}

static void generator_pktgen_close(void *sender)
{
	struct generator_pktgen *pktgen = sender;
	struct generator_counts counts;
	char thread[32];
	int home;

	generator_pktgen_stop(pktgen, &counts);
	if (netns_enter(pktgen->bed->lane->s.netns, &home) >= 0) {
		pktgen_thread_file(pktgen, thread);
		pktgen_write(thread, "rem_device_all");
		netns_leave(home);
	}
	if (pktgen->loaded)
		pktgen_modprobe("-r");
	free(pktgen);
}

const struct generator_way generator_pktgen = {
	.name = "pktgen",
	.summary = "the kernel's module: IPv4, one size, with --routes 1",
	.can = GENERATOR_NUMBERS,
	.largest = PKTGEN_LARGEST,
	.open = generator_pktgen_open,
	.close = generator_pktgen_close,
	.start = generator_pktgen_start,
	.counts = generator_pktgen_counts,
	.stop = generator_pktgen_stop,
};
