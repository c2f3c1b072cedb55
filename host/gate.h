// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A gate is one port of the router and its way between the kernel and an engine. Somebody looks at the
 * interface (survey.h); then a review takes the steps that are due: attach, let others send to it or not,
 * give it back to the kernel. That happens on every event and every second, so a step that fails is tried
 * again; an engine that fails, in whose place the next best runs, after 30 seconds, then after twice as long.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/engine/engine.h"
#include "host/modes/choose.h"

struct changes;
struct fib;
struct kernel_maps;
struct pins;
struct xdp_features;

enum gate_state {
	GATE_STARTING, /* the tables are not complete yet */
	GATE_ABSENT,   /* there is no such interface */
	GATE_KERNEL,   /* the kernel forwards; `why` says why */
	GATE_RUNNING,  /* the program runs on it */
};

/*
 * What there is to see of a port, and what is wanted to be seen. To look waits for the kernel's lock, so
 * another thread does while the loop goes on.
 */
struct gate_sight {
	char name[IFNAMSIZ];
	bool peer_wanted; /* the other end of a veth, too */
	bool may_enter;   /* where it is in another namespace */
	int error; /* 0, -ENODEV: the facts are those of now; others: the kernel was too busy to tell */
	struct capability facts;
	int peer_error; /* -EAGAIN: nobody looked */
	struct capability peer;
};

struct gate;

struct gate_place { /* what all ports share; owned by the router */
	const struct platform *platform;
	struct fib *fib;
	struct changes *changes;
	struct pins *pins;
	struct xdp_features *features;  /* NULL: the kernel does not tell */
	const struct kernel_maps *maps; /* NULL: not yet made */
	/* The open engine, opened when first asked for. */
	int (*engine)(void *arg, const struct engine_ops *ops, void **ret_engine, struct why *why);
	/* An engine is about to be attached to this gate; NULL: there are no others. */
	void (*coming)(void *arg, const struct gate *gate, const struct engine_ops *ops);
	void *arg;
};

/* The tier on top of the engine, which packets meet first: it comes last and goes first. */
struct gate_card {
	const struct engine_ops *ops;    /* NULL: none */
	const struct engine_ops *counts; /* whose counters are to be added; stays */
	void *engine;
	__u16 queues;              /* that it knows of; see struct engine_port */
	struct engine_state state; /* not attached: the card is not as far, or failed; `why` says it */
	int64_t since;             /* seconds of the epoch, of being attached or not */
	struct image_counters
		counters;  /* as of the last sample; of what it did not pass on, also in the gate's */
	uint64_t retry_at; /* ms: it is not asked for before */
};

struct gate {
	char name[IFNAMSIZ];
	char device[CAPABILITY_DEVICE]; /* behind it, an engine's; empty: the kernel's */
	const char *wish;               /* a mode's name or "auto" */
	enum gate_state state;
	int64_t since; /* seconds of the epoch, of state and mode */
	struct why why;
	const struct engine_ops *ops; /* RUNNING: its engine; the one behind the card where there is one */
	void *engine;
	struct gate_card card;
	struct engine_port here;
	struct capability facts;
	struct capability other; /* the other end of a veth, if other_error is 0 */
	int other_error;         /* -EAGAIN: nobody looked */
	struct capability
		tried; /* as the facts were when something failed on them: `failed` holds while they are so */
	struct decision decision;
	struct probe egress; /* whether others can send to it */
	bool frames;
	char how[64];                   /* what the engine adds to the mode's name */
	bool tags_promised;             /* the configuration says that VLAN tags are in the frames */
	struct probe tags;              /* whether they are, as far as it matters */
	__u32 peer;                     /* whose txvlan was turned off for that; 0: nobody's */
	bool started;                   /* the engine lets others send to it */
	uint64_t retry_at;              /* ms: no attempt to attach before; whatever flaps, flaps slowly */
	uint64_t forgive_at;            /* ms: when what failed is tried again */
	uint64_t forgive_after;         /* ms from the last failure to that; 0: nothing has failed */
	struct image_counters counters; /* as of the last sample; they go on over modes */
	struct image_counters below;    /* of these, what engines below the card counted, in all modes */
	struct image_counters before;   /* to be added to what the present engine says for that */
	bool counted;                   /* an engine has counted here since the daemon began */
	double forwarded_rate, punted_rate;   /* packets a second */
	uint64_t rate_at;                     /* ms, when the rates were last computed; 0: never */
	uint64_t rate_forwarded, rate_punted; /* packets then */
	double reason_rate[REASON_MAX];       /* packets a second */
	uint64_t rate_reason[REASON_MAX];     /* packets then */
};

void gate_init(struct gate *gate, const struct config_port *config);
/* What is wanted to be seen. */
void gate_ask(const struct gate *gate, const struct gate_place *place, struct gate_sight *ret);
/* Looks; in any thread. `features` may be NULL. */
void gate_look(struct gate_sight *sight, struct xdp_features *features);
/* Decides by what was seen, nothing else. */
void gate_plan(struct gate *gate, const struct gate_place *place, const struct gate_sight *sight);
/* All three at once: for the start, and for what somebody waits for. */
void gate_plan_now(struct gate *gate, const struct gate_place *place);
/* Takes the steps that are due. attach: the tables are complete. Returns true if the mode changed. */
bool gate_review(struct gate *gate, const struct gate_place *place, bool attach);
/* Another mode from now on, "auto" or a mode's name, which outlives the call. It runs in it at once; or a
 * negative errno and `why`, and what was before goes on. */
int gate_switch(struct gate *gate, const char *mode, const struct gate_place *place, struct why *why);
/* What failed may be tried again. */
void gate_forgive(struct gate *gate);
/* No packet is sent to it any more, except by programs that run right now, which see the table as it was.
 * Returns whether there may be some: those need a way out until grace_wait_kernel(). */
bool gate_close_egress(struct gate *gate, const struct gate_place *place);
/* The same until the next review, which judges anew. */
bool gate_pause_egress(struct gate *gate, const struct gate_place *place);
/* Gives the port back to the kernel. */
void gate_release(struct gate *gate, const struct gate_place *place);
/* Reads the counters, and computes rates if that was not done just now. */
void gate_sample(struct gate *gate);

const char *gate_state_name(enum gate_state state);
const char *gate_mode(const struct gate *gate);
/* What the program does with packets of this reason. */
enum action gate_action(unsigned int reason);
uint64_t gate_packets(const struct gate *gate, enum action action);
