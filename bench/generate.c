// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/generate.h"

#include "bench/frame.h"
#include "bench/load.h"
#include "bench/netns.h"
#include "bench/traffic.skel.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

// More than 64 overflows the ring of a veth end before its NAPI runs.
#define GENERATE_BATCH  64
// Each call costs a fixed 24 ms at its end, so a call should last; a signal ends it. Far from 2^32, where the
// kernel's own counter would wrap.
#define GENERATE_REPEAT (1u << 30)
// Ends a call of the kernel's live frames in the thread that it is sent to.
#define GENERATE_SIGNAL SIGURG

struct generate {
	const struct topology *topology;
	struct traffic_bpf *traffic;
	struct bpf_link *sinks[TRAFFIC_LANES];
	__u64 *seen; // of the sink that meters: the sequence numbers that arrived
	unsigned int cpus;
	char softirqd[64]; // file with the CPU time of the CPU's ksoftirqd
	// of the running generator
	pthread_t thread;
	_Atomic bool stop;
	int program;
	const void *data; // what frames hold at first
	unsigned int frame_size;
	__u64 begin_ns, end_ns; // of a load
	unsigned int cpu;
	int result;
};

static void generate_signalled(int number)
{
}

// Any lane will do: the MACs are the same.
static void generate_make_frames(struct generate *generate)
{
	const struct lane *lane = &generate->topology->subject;
	struct traffic_bpf__bss *bss = generate->traffic->bss;
	unsigned int i;

	frame_make(lane, AF_INET, &bss->frame4);
	frame_make(lane, AF_INET6, &bss->frame6);
	bss->arriving_tag = lane->vlans.out ? TRAFFIC_TAGGED | lane->vlans.out : 0;
	for (i = 0; i < LANE_GATEWAYS; i++) {
		lane_gateway_mac(i, bss->gateway_frame[i].bytes);
		memcpy(bss->gateway_frame[i].bytes + 6, lane->r1.mac, 6);
	}
}

// The devmap takes an index of the calling thread's namespace.
static int generate_set_way_out(struct generate *generate, enum traffic_lane way,
				const struct lane_port *port)
{
	__u32 key = way, ifindex = port->ifindex;
	int home, err;

	err = netns_enter(port->netns, &home);
	if (err < 0)
		return err;
	err = bpf_map__update_elem(generate->traffic->maps.way_out, &key, sizeof(key), &ifindex,
				   sizeof(ifindex), 0);
	netns_leave(home);
	return err;
}

static int generate_attach_sink(struct generate *generate, enum traffic_lane way,
				const struct bpf_program *sink, const struct lane_port *port)
{
	int home, err;

	err = netns_enter(port->netns, &home);
	if (err < 0)
		return err;
	generate->sinks[way] = bpf_program__attach_xdp(sink, port->ifindex);
	if (!generate->sinks[way])
		err = -errno;
	netns_leave(home);
	return err;
}

static int generate_attach(struct generate *generate)
{
	const struct topology *topology = generate->topology;
	const struct traffic_bpf *traffic = generate->traffic;
	int err;

	err = generate_set_way_out(generate, TRAFFIC_SUBJECT, &topology->subject.s);
	if (err >= 0 && topology->reference.s.ifindex)
		err = generate_set_way_out(generate, TRAFFIC_REFERENCE, &topology->reference.s);
	if (err >= 0)
		err = generate_attach_sink(generate, TRAFFIC_SUBJECT, traffic->progs.sink_subject,
					   &topology->subject.d);
	if (err >= 0 && topology->reference.s.ifindex)
		err = generate_attach_sink(generate, TRAFFIC_REFERENCE, traffic->progs.sink_reference,
					   &topology->reference.d);
	return err;
}

static void generate_set_destination4(struct generate *generate, __u16 index,
				      const struct generate_destination *destination)
{
	struct traffic_destination4 *slot = &generate->traffic->data_destinations4->destinations4[index];
	union traffic_frame frame = generate->traffic->bss->frame4;

	memcpy(slot->address, destination->address, sizeof(slot->address));
	slot->gateway = destination->gateway;
	frame_aim(&frame, AF_INET, destination->address, index, slot->check);
}

static void generate_set_destination6(struct generate *generate, __u16 index,
				      const struct generate_destination *destination)
{
	struct traffic_destination6 *slot = &generate->traffic->data_destinations6->destinations6[index];
	union traffic_frame frame = generate->traffic->bss->frame6;

	memcpy(slot->address, destination->address, sizeof(slot->address));
	slot->gateway = destination->gateway;
	frame_aim(&frame, AF_INET6, destination->address, index, slot->check);
}

// Finds the ksoftirqd of a CPU: work that softirqs leave behind when another task waits.
static void generate_find_softirqd(struct generate *generate)
{
	char wanted[32], path[64], name[32];
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	FILE *file;

	generate->softirqd[0] = 0;
	snprintf(wanted, sizeof(wanted), "ksoftirqd/%u\n", generate->cpu);
	while (proc && !generate->softirqd[0] && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%.32s/comm", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && strcmp(name, wanted) == 0)
			snprintf(generate->softirqd, sizeof(generate->softirqd), "/proc/%.32s/schedstat",
				 entry->d_name);
		fclose(file);
	}
	if (proc)
		closedir(proc);
}

static __u64 generate_softirqd_ns(const struct generate *generate)
{
	unsigned long long ns = 0;
	FILE *file = fopen(generate->softirqd, "re");

	if (!file)
		return 0;
	if (fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	fclose(file);
	return ns;
}

static __u64 generate_clock_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int generate_bind(const struct generate *generate)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(generate->cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		return -errno;
	// The thread ends in the namespace: nothing to go home for.
	return setns(generate->topology->subject.s.netns, CLONE_NEWNET) < 0 ? -errno : 0;
}

static void *generate_run(void *argument)
{
	struct generate *generate = argument;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = generate->data, .data_size_in = generate->frame_size,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .repeat = GENERATE_REPEAT,
		    .batch_size = GENERATE_BATCH);
	int err = generate_bind(generate);

	while (err >= 0 && !generate->stop) {
		err = bpf_prog_test_run_opts(generate->program, &run);
		if (err == -EINTR)
			err = 0;
	}
	generate->result = err;
	return NULL;
}

static void generate_count_lane(const struct generate *generate, enum traffic_lane way,
				struct generate_counts *counts)
{
	const volatile struct traffic_sent *sent = generate->traffic->bss->sent;
	const volatile struct traffic_arrived *arrived = generate->traffic->bss->arrived[way];
	unsigned int cpu, kind;

	memset(counts, 0, sizeof(*counts));
	for (cpu = 0; cpu < generate->cpus; cpu++) {
		counts->sent += sent[cpu].packets[way];
		counts->arrived += arrived[cpu].packets;
		counts->foreign += arrived[cpu].foreign;
		for (kind = 0; kind < TRAFFIC_WRONG_KINDS; kind++)
			counts->wrong[kind] += arrived[cpu].wrong[kind];
	}
}

static void generate_count(const struct generate *generate, struct generate_counts counts[TRAFFIC_LANES])
{
	unsigned int way;

	for (way = 0; way < TRAFFIC_LANES; way++)
		generate_count_lane(generate, way, &counts[way]);
}

// Waits until the sinks' counters stand still, 1 s at most.
static void generate_drain(const struct generate *generate, struct generate_counts counts[TRAFFIC_LANES])
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct generate_counts before[TRAFFIC_LANES];
	unsigned int tries;

	generate_count(generate, counts);
	for (tries = 0; tries < 200; tries++) {
		memcpy(before, counts, sizeof(before));
		nanosleep(&pause, NULL);
		generate_count(generate, counts);
		if (memcmp(before, counts, sizeof(before)) == 0)
			return;
	}
}

int generate_open(const struct topology *topology, struct generate **ret_generate)
{
	struct sigaction action = { .sa_handler = generate_signalled };
	struct generate *generate = calloc(1, sizeof(*generate));
	int err;

	if (!generate)
		return -ENOMEM;
	generate->topology = topology;
	generate->cpus = libbpf_num_possible_cpus();
	assert(generate->cpus <= TRAFFIC_CPUS);
	generate->traffic = traffic_bpf__open_and_load();
	if (!generate->traffic) {
		err = -errno;
		goto close_generate;
	}
	sigaction(GENERATE_SIGNAL, &action, NULL);
	generate_make_frames(generate);
	err = generate_attach(generate);
	if (err < 0)
		goto close_generate;
	*ret_generate = generate;
	return 0;

close_generate:
	generate_close(generate);
	return err;
}

int generate_beside(const struct generate *generate, struct generate **ret_other)
{
	struct generate *other = malloc(sizeof(*other));

	if (!other)
		return -ENOMEM;
	memcpy(other, generate, sizeof(*other));
	*ret_other = other;
	return 0;
}

void generate_close(struct generate *generate)
{
	if (!generate)
		return;
	if (generate->seen)
		munmap(generate->seen, TRAFFIC_SEQUENCES / 8);
	bpf_link__destroy(generate->sinks[TRAFFIC_SUBJECT]);
	bpf_link__destroy(generate->sinks[TRAFFIC_REFERENCE]);
	traffic_bpf__destroy(generate->traffic);
	free(generate);
}

void generate_learn(struct generate *generate)
{
	generate_make_frames(generate);
}

void generate_set_destinations(struct generate *generate, __u8 family,
			       const struct generate_destination *destinations, unsigned int count)
{
	unsigned int i;

	assert(count && count <= TRAFFIC_DESTINATIONS && (count & (count - 1)) == 0);
	for (i = 0; i < TRAFFIC_DESTINATIONS; i++) {
		if (family == AF_INET6)
			generate_set_destination6(generate, i, &destinations[i & (count - 1)]);
		else
			generate_set_destination4(generate, i, &destinations[i & (count - 1)]);
	}
}

const __u8 *generate_destination(const struct generate *generate, __u8 family, __u16 index)
{
	return family == AF_INET6 ? generate->traffic->data_destinations6->destinations6[index].address
				  : generate->traffic->data_destinations4->destinations4[index].address;
}

void generate_expect_gateways(struct generate *generate, bool on)
{
	generate->traffic->bss->gateway_mask[TRAFFIC_SUBJECT] = on ? TRAFFIC_GATEWAYS - 1 : 0;
}

void generate_expect_ttl(struct generate *generate, __u8 ttl)
{
	generate->traffic->data->arriving_ttl = ttl;
}

void generate_expect_aging(struct generate *generate, bool ipv4, bool ipv6)
{
	generate->traffic->bss->unaged4[TRAFFIC_SUBJECT] = !ipv4;
	generate->traffic->bss->unaged6[TRAFFIC_SUBJECT] = !ipv6;
}

void generate_know_devices(struct generate *generate, unsigned int devices, unsigned int ports)
{
	generate->traffic->data->pktgen_devices = devices;
	generate->traffic->data->pktgen_ports = ports;
}

void generate_know_clock(struct generate *generate)
{
	__u64 least = ~0ull;

	// The closest of some looks at both clocks.
	for (unsigned int i = 0; i < 16; i++) {
		__u64 before = generate_clock_ns(CLOCK_MONOTONIC), day = generate_clock_ns(CLOCK_REALTIME);
		__u64 behind = generate_clock_ns(CLOCK_MONOTONIC);

		if (behind - before >= least)
			continue;
		least = behind - before;
		generate->traffic->data->day_ns = day - before - least / 2;
	}
}

// Starts the thread.
static int generate_launch(struct generate *generate, const struct bpf_program *program, const void *data,
			   unsigned int size, unsigned int cpu)
{
	const struct traffic_bpf *traffic = generate->traffic;
	sigset_t all, before;
	int err;

	traffic->bss->lane = TRAFFIC_SUBJECT;
	generate->stop = false;
	generate->result = 0;
	generate->cpu = cpu;
	generate->data = data;
	generate->frame_size = size;
	generate->program = bpf_program__fd(program);
	generate_find_softirqd(generate);
	// Signals of the process are for the main thread; this thread takes only its own.
	sigfillset(&all);
	sigdelset(&all, GENERATE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&generate->thread, NULL, generate_run, generate);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

int generate_start(struct generate *generate, __u8 family, unsigned int cpu)
{
	static const __u8 nothing[TRAFFIC_FRAME6];
	const struct traffic_bpf *traffic = generate->traffic;
	bool six = family == AF_INET6;

	memset(traffic->bss->sent, 0, sizeof(traffic->bss->sent));
	memset(traffic->bss->arrived, 0, sizeof(traffic->bss->arrived));
	return generate_launch(generate, six ? traffic->progs.generate6 : traffic->progs.generate4, nothing,
			       six ? TRAFFIC_FRAME6 : TRAFFIC_FRAME4, cpu);
}

int generate_start_load(struct generate *generate, const struct load_frames *frames)
{
	const struct load *load = &frames->load;
	struct traffic_bpf__bss *bss = generate->traffic->bss;

	memcpy(bss->stamped_heads, frames->heads, sizeof(bss->stamped_heads));
	memcpy(bss->stamped_order, frames->order, sizeof(bss->stamped_order));
	load_pace(frames, &bss->pace);
	bss->stamped = 0;
	generate->end_ns = 0;
	generate->begin_ns = bss->pace.begin_ns = generate_clock_ns(CLOCK_MONOTONIC);
	return generate_launch(generate, generate->traffic->progs.generate_stamped, frames->pattern,
			       load_largest(load), load->cpu);
}

__u64 generate_load_sent(const struct generate *generate, double *ret_seconds)
{
	const volatile struct traffic_bpf__bss *bss = generate->traffic->bss;
	__u64 end = generate->end_ns ? generate->end_ns : generate_clock_ns(CLOCK_MONOTONIC);

	*ret_seconds = (end - generate->begin_ns) * 1e-9;
	return bss->stamped;
}

int generate_stop_load(struct generate *generate)
{
	struct generate_counts counts[TRAFFIC_LANES];

	if (!generate->end_ns)
		generate->end_ns = generate_clock_ns(CLOCK_MONOTONIC);
	return generate_stop(generate, counts);
}

void generate_switch(struct generate *generate, enum traffic_lane lane)
{
	generate->traffic->bss->lane = lane;
}

void generate_read(const struct generate *generate, struct generate_sample *ret_sample)
{
	clockid_t thread_clock;
	unsigned int tries;
	__u64 before;

	pthread_getcpuclockid(generate->thread, &thread_clock);
	// Again when something else ran in between.
	for (tries = 0; tries < 20; tries++) {
		before = generate_clock_ns(CLOCK_MONOTONIC);
		ret_sample->cpu_ns = generate_softirqd_ns(generate) + generate_clock_ns(thread_clock);
		generate_count(generate, ret_sample->counts);
		ret_sample->wall_ns = generate_clock_ns(CLOCK_MONOTONIC);
		if (ret_sample->wall_ns - before < 100000)
			return;
	}
}

void generate_tally(const struct generate *generate, struct generate_counts *ret_counts)
{
	generate_count_lane(generate, TRAFFIC_SUBJECT, ret_counts);
}

int generate_stop(struct generate *generate, struct generate_counts ret_counts[TRAFFIC_LANES])
{
	struct timespec until;

	generate->stop = true;
	// A signal that comes just before the call is lost, hence again and again.
	do {
		pthread_kill(generate->thread, GENERATE_SIGNAL);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 2000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(generate->thread, NULL, &until) == ETIMEDOUT);
	generate_drain(generate, ret_counts);
	return generate->result;
}

int generate_sink(struct generate *generate, enum generate_sink sink)
{
	const struct traffic_bpf *traffic = generate->traffic;
	struct bpf_program *const programs[] = {
		[GENERATE_SINK_COUNTS] = traffic->progs.sink_subject,
		[GENERATE_SINK_METERS] = traffic->progs.sink_metered,
		[GENERATE_SINK_REPLAYED] = traffic->progs.sink_replayed,
		[GENERATE_SINK_PASSES] = traffic->progs.sink_passes,
	};

	if (!generate->seen) {
		void *seen = mmap(NULL, TRAFFIC_SEQUENCES / 8, PROT_READ | PROT_WRITE, MAP_SHARED,
				  bpf_map__fd(traffic->maps.seen), 0);

		if (seen == MAP_FAILED)
			return -errno;
		generate->seen = seen;
	}
	return bpf_link__update_program(generate->sinks[TRAFFIC_SUBJECT], programs[sink]);
}

void generate_meter_reset(struct generate *generate)
{
	struct traffic_bpf__bss *bss = generate->traffic->bss;

	memset(bss->arrived, 0, sizeof(bss->arrived));
	memset(bss->meters, 0, sizeof(bss->meters[0]) * generate->cpus);
	memset(generate->seen, 0, TRAFFIC_SEQUENCES / 8);
	memset(bss->newest, 0, sizeof(bss->newest));
	bss->metered_since = generate_clock_ns(CLOCK_MONOTONIC);
}

void generate_meter_read(const struct generate *generate, struct generate_metered *ret_metered)
{
	const volatile struct traffic_meter *meters = generate->traffic->bss->meters;

	memset(ret_metered, 0, sizeof(*ret_metered));
	generate_count_lane(generate, TRAFFIC_SUBJECT, &ret_metered->counts);
	for (unsigned int cpu = 0; cpu < generate->cpus; cpu++) {
		ret_metered->duplicate += meters[cpu].duplicate;
		ret_metered->late += meters[cpu].late;
		ret_metered->corrupt += meters[cpu].corrupt;
		for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
			ret_metered->latency[i] += meters[cpu].latency[i];
	}
}

const char *generate_wrong_name(enum traffic_wrong kind)
{
	static const char *const names[] = {
		[TRAFFIC_WRONG_GATEWAY] = "gateway",
		[TRAFFIC_WRONG_SOURCE] = "source MAC",
		[TRAFFIC_WRONG_TTL] = "TTL",
		[TRAFFIC_WRONG_CHECKSUM] = "checksum",
		[TRAFFIC_WRONG_DESTINATION] = "destination",
		[TRAFFIC_WRONG_LENGTH] = "length",
		[TRAFFIC_WRONG_TAG] = "VLAN tag",
	};

	return names[kind];
}
