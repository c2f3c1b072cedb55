// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/router.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <bpf/libbpf.h>
#include <linux/capability.h>

#include "host/calibration.h"
#include "host/changes.h"
#include "host/config_fixed.h"
#include "host/control/api.h"
#include "host/control/metrics.h"
#include "host/control/mirror_json.h"
#include "host/control/show.h"
#include "host/control/status.h"
#include "host/engine/engine.h"
#include "host/engine/kernel_maps.h"
#include "host/engine/offload_device.h"
#include "host/engine/pins.h"
#include "host/errand.h"
#include "host/fib/fib.h"
#include "host/fib/grace.h"
#include "host/fib/image_store.h"
#include "host/gates.h"
#include "host/heartbeat.h"
#include "host/instance.h"
#include "host/log.h"
#include "host/loop.h"
#include "host/mirror/mirror.h"
#include "host/modes/platform.h"
#include "host/modes/xdp_features.h"
#include "host/options.h"
#include "host/privilege.h"
#include "host/survey.h"

#define TICK    1000 /* ms between reviews without an event */
#define SOON    20   /* ms from an event to the review: events come in packs */
#define SETTLE  20   /* ms between calls of fib_settle() that has more to do */
#define DRAIN   20   /* ms from "all to the kernel" to the first detach */
#define ENGINES 8

struct engine_slot {
	const struct engine_ops *ops;
	void *engine;
};

struct router {
	struct router_state state;
	const struct options *options;
	struct config *config;
	struct platform platform;
	struct loop *loop;
	struct instance *instance;
	struct changes *changes;
	struct pins *pins;
	struct image_store *store;
	struct kernel_maps *maps;
	struct fib *fib;
	struct heartbeat *heartbeat;
	struct mirror *mirror;
	struct api *api, *metrics;     /* metrics NULL: not on TCP */
	struct xdp_features *features; /* NULL: the kernel does not tell */
	struct engine_context context;
	struct engine_slot engines[ENGINES];
	struct gate_place place;
	struct gates gates;
	struct errands *errands;
	struct survey *survey; /* of the gates */
	struct loop_timer *tick, *soon;
	bool predecessor; /* its pins were there when we came */
	bool pinned;      /* the map pins are ours */
	bool releasing;   /* the mirror is ready, the image still held */
	struct why failure;
};

/* --- engines --- */

static int get_engine(void *arg, const struct engine_ops *ops, void **ret, struct why *why)
{
	struct router *router = arg;
	struct engine_slot *slot = router->engines;
	int error;

	while (slot->ops && slot->ops != ops)
		if (++slot == router->engines + ENGINES)
			return why_set(why, ENOSPC, "more than %d engines", ENGINES);
	if (!slot->ops) {
		error = ops->open(&router->context, &slot->engine, why);
		if (error < 0)
			return error;
		slot->ops = ops;
	}
	*ret = slot->engine;
	return 0;
}

static void close_engines(struct router *router)
{
	for (int i = 0; i < ENGINES && router->engines[i].ops; i++)
		router->engines[i].ops->close(router->engines[i].engine);
	for (const struct engine_ops *const *ops = engine_list; *ops; ops++)
		if ((*ops)->take)
			(*ops)->take();
}

static int bring_devices(struct router *router, struct why *why)
{
	int error = 0;

	for (const struct engine_ops *const *ops = engine_list; error == 0 && *ops; ops++)
		if ((*ops)->bring)
			error = (*ops)->bring(router->config, instance_name(router->instance), why);
	return error;
}

/* --- ports --- */

static void engine_comes(void *arg, const struct gate *gate, const struct engine_ops *ops)
{
	struct router *router = arg;

	gates_make_way(&router->gates, gate, ops, &router->place);
}

/* Once all ports that can are attached: what the predecessor left and nobody uses goes. */
static int keep_link(void *arg, struct pins_link link)
{
	const struct router *router = arg;
	const struct gate *gate = gates_find(&router->gates, link.ifindex);

	return gate && gate->here.id == link.port;
}

/* A port, or the other end of one. */
static int keep_change(void *arg, __u32 ifindex)
{
	const struct router *router = arg;

	for (unsigned int i = 0; i < router->gates.count; i++) {
		const struct gate *gate = &router->gates.gate[i];

		if (gate->ops &&
		    (gate->here.ifindex == ifindex || gate->peer == ifindex || gate->facts.lower == ifindex))
			return 1;
	}
	return 0;
}

static void take_over_pins(struct router *router)
{
	struct why why;

	if (router->pinned)
		return;
	if (kernel_maps_pin(router->maps, router->store, router->pins, &why) < 0)
		log_warning("%s; after a crash the next daemon starts with new counters", why.text);
	pins_links_sweep(router->pins, keep_link, router);
	pins_forget_others(router->pins);
	changes_sweep(router->changes, keep_change, router);
	router->pinned = true;
	if (router->predecessor)
		log_info("took over from a daemon that had ended without cleaning up");
}

static void review_soon(struct router *router)
{
	loop_timer_set(router->soon, SOON, 0);
}

/* At the start: ports that were to run and cannot, not one of them, are a reason to give up. */
static bool give_up(struct router *router)
{
	const struct gate *gate = gates_hopeless(&router->gates);

	if (router->pinned || !gate)
		return false;
	(void)why_set(&router->failure, EIO, "%s: %s", gate->name, gate->why.text);
	loop_stop(router->loop, -EIO);
	return true;
}

/* Somebody has looked at the ports. */
static void review(void *arg)
{
	struct router *router = arg;
	bool ready = router->state.ready != 0;

	if (gates_review(&router->gates, &router->place, router->survey, ready))
		review_soon(router);
	else if (ready && !gates_waiting(&router->gates) && !give_up(router))
		take_over_pins(router);
}

/* --- events --- */

static void soon_fired(void *arg)
{
	struct router *router = arg;

	survey_begin(router->survey);
}

/* The tables are held for good: another daemon must make them anew; until then the kernel forwards. */
static bool tables_are_lost(struct router *router)
{
	if (!fib_lost(router->fib))
		return false;
	(void)why_set(&router->failure, ENOMEM,
		      "memory ran out while the tables changed, so what they hold cannot be relied on; Linux "
		      "forwards "
		      "now; give penstock more memory and start it again");
	loop_stop(router->loop, -ENOMEM);
	return true;
}

static void tick_fired(void *arg)
{
	struct router *router = arg;

	if (tables_are_lost(router))
		return;
	survey_begin(router->survey);
	router_sample(router);
}

static void engine_changed(void *arg, __u32 ifindex)
{
	review_soon(arg);
}

/* The mirror has all; the image is not always as far. */
static void mirror_ready_now(void *arg)
{
	struct router *router = arg;

	fib_hold(router->fib, false);
	router->releasing = true;
}

static void ready(struct router *router)
{
	router->releasing = false;
	router->state.ready = time(NULL);
	log_info("the tables are complete");
	survey_begin(router->survey);
}

static void mirror_changed(void *arg)
{
	review_soon(arg);
}

static void stop_signal(void *arg, int signal)
{
	struct router *router = arg;

	log_info("ends on signal %d", signal);
	loop_stop(router->loop, 0);
}

static int check_config(const struct router *router, const struct config *config, struct why *why)
{
	const char *fixed = config_fixed_difference(router->config, config);
	struct gates *gates;
	int error;

	if (fixed)
		return why_set(why, EINVAL, "'%s' cannot change while running; restart penstock", fixed);
	gates = calloc(1, sizeof(*gates));
	if (!gates)
		return why_set(why, ENOMEM, "out of memory");
	gates_make(gates, config, &router->place);
	error = gates_check(gates, why);
	free(gates);
	return error;
}

/* All or nothing: the new configuration is checked as at start before anything follows it. */
static int reload(struct router *router, struct why *why)
{
	struct config *config;
	int error = options_configure(router->options, &config, why);

	if (error < 0)
		return error;
	error = check_config(router, config, why);
	if (error < 0) {
		config_free(config);
		return error;
	}
	gates_follow(&router->gates, config, &router->place);
	survey_outdate(router->survey);
	mirror_bypass_netfilter(router->mirror, config->netfilter == CONFIG_NETFILTER_BYPASS);
	log_open(config->log.level, config->log.format);
	config_free(router->config);
	router->state.config = router->context.config = router->config = config;
	review_soon(router);
	log_info("the configuration was read again");
	return 0;
}

static void reload_signal(void *arg, int signal)
{
	struct why why;

	if (reload(arg, &why) < 0)
		log_error("nothing was reloaded: %s", why.text);
}

static int settle(void *arg)
{
	struct router *router = arg;

	bool more = fib_settle(router->fib);

	if (router->releasing && !fib_held(router->fib))
		ready(router);
	if (fib_busy(router->fib))
		return 0;
	return more ? SETTLE : -1;
}

static void grace_ready(void *arg, uint32_t events)
{
	(void)settle(arg);
}

/* --- API --- */

static int answer_reload(void *router, const struct api_request *request, json_t **ret, struct why *why)
{
	int error = reload(router, why);

	if (error == 0)
		*ret = json_pack("{s:s}", "summary", "the configuration was read again");
	return error;
}

static int answer_mode(void *arg, const struct api_request *request, json_t **ret, struct why *why)
{
	const char *interface = api_argument(request, "interface"), *mode = api_argument(request, "mode");
	struct router *router = arg;
	struct gate *gate;
	int error;

	if (!interface || !mode)
		return why_set(why, EINVAL, "which interface, which mode? /v1/mode?interface=IF&mode=MODE");
	gate = gates_named(&router->gates, interface);
	if (!gate)
		return why_set(why, ENOENT, "%s is not a port of this router; see: penstock status",
			       interface);
	mode = config_mode_find(mode);
	if (!mode)
		return why_set(why, EINVAL,
			       "there is no such mode; there are: auto, native, generic, afxdp, "
			       "offload, kernel, and dpdk for devices");
	if (!router->state.ready)
		return why_set(why, EAGAIN, "the tables are not complete yet; try again");
	error = gate_switch(gate, mode, &router->place, why);
	survey_outdate(router->survey);
	review_soon(router);
	if (error == 0)
		*ret = json_pack("{s:s, s:s, s:s}", "interface", gate->name, "mode", gate_mode(gate),
				 "reason", gate->why.text);
	return error;
}

/* clang-format off */
static const struct api_route api_routes[] = {
	{ "/v1/status", false, status_answer },
	{ "/v1/version", false, status_version },
	{ "/v1/image", false, status_image },
	{ "/v1/counters", false, status_counters },
	{ "/v1/metrics", false, metrics_answer },
	{ "/v1/interfaces", false, show_interfaces },
	{ "/v1/routes", false, show_routes },
	{ "/v1/nexthops", false, show_nexthops },
	{ "/v1/neighbours", false, show_neighbours },
	{ "/v1/lookup", false, show_lookup },
	{ "/v1/rules", false, mirror_json_rules },
	{ "/v1/audit", false, mirror_json_audit },
	{ "/v1/audit", true, mirror_json_audit_start },
	{ "/v1/reload", true, answer_reload },
	{ "/v1/mode", true, answer_mode },
	{ NULL, false, NULL },
};

static const struct api_route metrics_routes[] = {
	{ "/metrics", false, metrics_answer },
	{ NULL, false, NULL },
};
/* clang-format on */

/* --- start and end --- */

static int look_first(struct router *router, struct why *why)
{
	platform_read(router->config->bpffs, &router->platform);
	if (router->platform.features)
		(void)xdp_features_open(&router->features); /* stays NULL: the driver table serves */
	return platform_check(&router->platform, router->config->bpffs, why);
}

/* Without figures the order decides. */
static void calibrate(struct router *router)
{
	struct why why = { "" };

	if (router->config->calibrate == CONFIG_CALIBRATE_YES &&
	    calibration_take(&router->platform, &why) < 0)
		log_warning("calibrate: %s", why.text);
}

static int look_at_ports(struct router *router, struct why *why)
{
	router->place = (struct gate_place){
		.platform = &router->platform,
		.pins = router->pins,
		.features = router->features,
		.engine = get_engine,
		.coming = engine_comes,
		.arg = router,
	};
	gates_make(&router->gates, router->config, &router->place);
	return gates_check(&router->gates, why);
}

static int make_tables(struct router *router, struct why *why)
{
	const struct config_image *image = &router->config->image;
	struct fib_limits limits = { .node_chunks = image->node_chunks,
				     .run_cells = image->run_cells,
				     .nexthops = image->nexthops,
				     .buckets = image->buckets };
	int error = image_store_maps(&limits, &router->store);

	if (error == 0)
		error = fib_new(&limits, router->store, &router->fib);
	if (error == 0)
		error = grace_add_kernel(fib_grace(router->fib));
	if (error < 0)
		return why_set(why, -error, "cannot make the tables: %s", strerror(-error));
	error = kernel_maps_open(router->pins, router->predecessor, &router->maps, why);
	if (error < 0)
		return error;
	return heartbeat_new(router->loop, &router->store->tables->control, router->config->stale_after,
			     &router->heartbeat, why);
}

static int make_timers(struct router *router, struct why *why)
{
	int error = loop_timer_new(router->loop, tick_fired, router, &router->tick);

	if (error == 0)
		error = loop_timer_new(router->loop, soon_fired, router, &router->soon);
	if (error == 0)
		error = loop_fd_add(router->loop, grace_fd(fib_grace(router->fib)), EPOLLIN, grace_ready,
				    router);
	if (error < 0)
		return why_set(why, -error, "cannot set up the event loop: %s", strerror(-error));
	loop_timer_set(router->tick, TICK, TICK);
	loop_idle_set(router->loop, settle, router);
	return 0;
}

static int make_loop(struct router *router, struct why *why)
{
	int error = loop_new(&router->loop);

	if (error == 0)
		error = loop_signal_add(router->loop, SIGINT, stop_signal, router);
	if (error == 0)
		error = loop_signal_add(router->loop, SIGTERM, stop_signal, router);
	if (error == 0)
		error = loop_signal_add(router->loop, SIGHUP, reload_signal, router);
	if (error < 0)
		return why_set(why, -error, "cannot set up the event loop: %s", strerror(-error));
	return 0;
}

static void join(struct router *router)
{
	router->context = (struct engine_context){
		.loop = router->loop,
		.config = router->config,
		.store = router->store,
		.grace = fib_grace(router->fib),
		.platform = &router->platform,
		.maps = router->maps,
		.pins = router->pins,
		.changed = engine_changed,
		.arg = router,
	};
	router->place.fib = router->fib;
	router->place.changes = router->changes;
	router->place.maps = router->maps;
	router->state = (struct router_state){
		.config = router->config,
		.platform = &router->platform,
		.instance = router->instance,
		.pins = router->pins,
		.fib = router->fib,
		.gates = &router->gates,
		.started = time(NULL),
	};
}

static int make_survey(struct router *router, struct why *why)
{
	int error = errands_new(router->loop, &router->errands);

	if (error == 0)
		error = survey_new(router->errands, &router->gates, &router->place, review, router,
				   &router->survey);
	return error < 0 ? why_set(why, -error, "cannot look after the ports: %s", strerror(-error)) : 0;
}

static int start(struct router *router, struct why *why)
{
	struct mirror_options mirror = {
		.loop = router->loop,
		.fib = router->fib,
		.bypass_netfilter = router->config->netfilter == CONFIG_NETFILTER_BYPASS,
		.ready = mirror_ready_now,
		.changed = mirror_changed,
		.arg = router,
	};
	int error;

	join(router);
	gates_order(&router->gates, router->pins);
	error = make_timers(router, why);
	if (error == 0)
		error = make_survey(router, why);
	if (error == 0)
		error = mirror_new(&mirror, &router->mirror, why);
	router->state.mirror = router->mirror;
	return error;
}

/* Whoever knocks is answered when the loop runs. */
static int open_doors(struct router *router, struct why *why)
{
	int error = api_open(router->loop, instance_socket(router->instance), router->config->control.group,
			     api_routes, router, &router->api, why);

	if (error == 0 && router->config->metrics.listen)
		error = api_open_tcp(router->loop, router->config->metrics.listen, metrics_routes, router,
				     &router->metrics, why);
	return error;
}

/* --- rights --- */

/* What a port may come to need: a wish names its engine, a card that runs native stays so; others change. */
static __u64 port_rights(const struct gate *gate)
{
	const struct engine_ops *chosen = gate->decision.option[gate->decision.chosen].engine;
	bool behind =
		chosen && chosen->place == ENGINE_PLACE_CARD; /* a card, and then it is not named which */
	bool any = behind || (strcmp(gate->wish, "auto") == 0 && (!chosen || chosen->rights));
	__u64 rights = chosen ? chosen->rights : 0;

	for (const struct engine_ops *const *ops = engine_list; *ops; ops++)
		if (strcmp(gate->wish, (*ops)->name) == 0 ||
		    (any && !(*ops)->bring && (*ops)->place != ENGINE_PLACE_CARD))
			rights |= (*ops)->rights;
	return rights;
}

/* Kernels that do not tell whether a veth takes frames make us look at its other end in another namespace; a
 * BPF file system that is hidden from us is reached by way of init. */
static __u64 box_rights(const struct router *router)
{
	__u64 rights = 0;

	for (unsigned int i = 0; i < router->gates.count && !router->platform.features; i++)
		if (strcmp(router->gates.gate[i].facts.kind, "veth") == 0 ||
		    !router->gates.gate[i].facts.ifindex)
			rights = 1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_PTRACE;
	if (strncmp(router->platform.bpffs, "/proc/", 6) == 0)
		rights |= 1ull << CAP_SYS_PTRACE;
	return rights;
}

/* Before the first thread is made, after the last file that is not ours. */
static int give_up_rights(struct router *router, struct why *why)
{
	__u64 keep = PLATFORM_RIGHTS | box_rights(router);

	for (unsigned int i = 0; i < router->gates.count; i++)
		keep |= port_rights(&router->gates.gate[i]);
	router->platform.capabilities &= keep;
	return privilege_drop(keep, why);
}

static int set_up(struct router *router, struct why *why)
{
	struct pins_link link;
	int error =
		make_loop(router, why); /* first: a signal waits from now on until all can be taken down */

	if (error == 0)
		error = look_first(router, why);
	if (error == 0)
		error = instance_claim(router->config->name, &router->instance, why);
	if (error == 0)
		calibrate(router);
	if (error == 0)
		error = pins_open(router->platform.bpffs, instance_name(router->instance), &router->pins,
				  why);
	if (error < 0)
		return error;
	error = bring_devices(router, why);
	if (error < 0)
		return error;
	router->predecessor = pins_links(router->pins, &link, 1) > 0;
	error = look_at_ports(router, why);
	if (error == 0)
		error = open_doors(router, why);
	if (error == 0)
		error = give_up_rights(router, why);
	if (error == 0)
		error = changes_open(instance_changes(router->instance), &router->changes, why);
	if (error == 0)
		error = make_tables(router, why);
	return error < 0 ? error : start(router, why);
}

/* From here on no packet may be lost: first the kernel takes them all, then the ports are let go. */
static void release_ports(struct router *router)
{
	struct timespec drain = { .tv_nsec = DRAIN * 1000000L };

	fib_hold(router->fib, true);
	(void)nanosleep(&drain, NULL);
	gates_release(&router->gates, &router->place);
	changes_undo_all(router->changes);
}

/* Takes down what stands, in whatever state starting ended. `ran`: it was a whole router. */
static void tear_down(struct router *router, bool ran)
{
	api_close(router->metrics);
	api_close(router->api);
	errands_free(router->errands);
	if (ran)
		release_ports(router);
	survey_free(router->survey);
	mirror_free(router->mirror);
	heartbeat_free(router->heartbeat);
	close_engines(router);
	kernel_maps_close(router->maps);
	fib_free(router->fib);
	image_store_free(router->store);
	if (router->pins && (ran || !router->predecessor))
		pins_remove(router->pins);
	else
		pins_close(router->pins);
	changes_close(router->changes);
	loop_free(router->loop);
	instance_release(router->instance);
	xdp_features_close(router->features);
}

/* libbpf's words fill screens when a program is refused; who wants them asks for them. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (offload_device_hear(format, arguments))
		return 0;
	return log_enabled(LOG_LEVEL_DEBUG) ? vfprintf(stderr, format, arguments) : 0;
}

int router_run(const struct options *options, struct config *config, struct why *why)
{
	struct router *router = calloc(1, sizeof(*router));
	bool lost = false;
	int error;

	if (!router) {
		config_free(config);
		return why_set(why, ENOMEM, "out of memory");
	}
	router->options = options;
	router->config = config;
	log_open(config->log.level, config->log.format);
	(void)libbpf_set_print(print_libbpf);
	(void)signal(SIGPIPE, SIG_IGN);
	error = set_up(router, why);
	if (error == 0) {
		error = loop_run(router->loop);
		if (error < 0)
			*why = router->failure;
		lost = fib_lost(router->fib);
	}
	tear_down(router, error >= 0 || lost);
	config_free(router->config);
	free(router);
	return error;
}

const struct router_state *router_state(const struct router *router)
{
	return &router->state;
}

void router_sample(struct router *router)
{
	gates_sample(&router->gates);
}
