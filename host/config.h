// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The configuration file: YAML, every key optional. What a key may hold stands in one table (config.c); what
 * the file does not say keeps its default.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/log.h"
#include "host/why.h"

/* Of a port. */
enum config_mode {
	CONFIG_MODE_UNSET,
	CONFIG_MODE_AUTO,
	CONFIG_MODE_NATIVE,
	CONFIG_MODE_GENERIC,
	CONFIG_MODE_AFXDP,
	CONFIG_MODE_OFFLOAD,
	CONFIG_MODE_KERNEL,
	CONFIG_MODE_DPDK, /* of devices only */
};

/* Whether modes that are close are measured, where that may decide. */
enum config_calibrate {
	CONFIG_CALIBRATE_NO,
	CONFIG_CALIBRATE_YES,
};

enum config_netfilter {
	CONFIG_NETFILTER_RESPECT, /* ports with forward rules stay in the kernel */
	CONFIG_NETFILTER_BYPASS,
};

/* What a worker does that finds no frames. */
enum config_poll {
	CONFIG_POLL_ADAPTIVE, /* naps */
	CONFIG_POLL_BUSY,     /* looks again */
};

/* Of the program that feeds AF_XDP sockets. */
enum config_hook {
	CONFIG_HOOK_AUTO,    /* the driver's if it has one, with zero copy if it can */
	CONFIG_HOOK_GENERIC, /* the kernel's generic one, whatever the driver can */
};

/* Of VLANs, in what a port receives. */
enum config_tags {
	CONFIG_TAGS_AUTO, /* find out whether they are in the frame */
	CONFIG_TAGS_IN_FRAME,
};

struct config_port {
	char *interface;
	char *device;          /* NULL, or what is behind it and not the kernel's: "dpdk:DEVICE" */
	enum config_mode mode; /* never UNSET once loaded */
	enum config_tags tags;
};

struct config_control {
	char *group; /* who may use the API, NULL: root only */
};

struct config_metrics {
	char *listen; /* address and port for Prometheus; NULL: only the unix socket */
};

struct config_log {
	enum log_level level;
	enum log_format format;
};

struct config_afxdp {
	char *cpus;         /* that workers are bound to, e.g. "2-5,8"; NULL: to none */
	uint32_t workers;   /* 0: one for each of `cpus`, or else for each CPU */
	uint32_t frames;    /* of 2 KiB, for all sockets */
	uint32_t busy_poll; /* microseconds; 0: workers sleep when there is nothing to do */
	enum config_hook hook;
};

struct config_image { /* sizes, 0: the default */
	uint32_t node_chunks, run_cells, nexthops, buckets;
};

struct config_dpdk {
	char *lcores;     /* CPUs of the workers, "2,4-5"; NULL: one, the last CPU */
	char *eal;        /* more words for the EAL; NULL: none */
	uint32_t memory;  /* MiB, 0: the default */
	uint32_t buffers; /* frames, 0: as many as the devices' queues hold, and some */
	uint32_t mtu;     /* the largest that the buffers have room for, 0: the default */
	enum config_poll poll;
};

struct config {
	char *name; /* NULL: the network namespace's inode number */
	struct config_port *ports;
	uint32_t port_count;
	enum config_mode mode; /* of ports that do not say */
	enum config_netfilter netfilter;
	uint32_t stale_after; /* seconds without a daemon after which the program punts */
	char *bpffs;          /* NULL: look for it */
	enum config_calibrate calibrate;
	struct config_control control;
	struct config_metrics metrics;
	struct config_log log;
	struct config_image image;
	struct config_dpdk dpdk;
	struct config_afxdp afxdp;
};

/* The configuration of an empty file. */
int config_default(struct config **ret);
/* Reads and checks a file. -EINVAL and others: nothing is returned, `why` names file, line, key and what is
 * allowed. The file must be a regular one that nobody but its owner (root or us) can write. */
int config_load(const char *path, struct config **ret, struct why *why);
/* The same for text in memory; `label` stands for the file in messages. */
int config_parse(const char *label, const void *text, size_t size, struct config **ret, struct why *why);
void config_free(struct config *config);

#define CONFIG_DEVICE_PREFIX "dpdk:"

/* Adds a port unless it is there: "INTERFACE", "NAME=dpdk:DEVICE", or "dpdk:DEVICE", which is then named dp0,
 * dp1 ... -EINVAL: not an interface name, or no device. */
int config_add_port(struct config *config, const char *text, struct why *why);
/* Whether a daemon may have this name: letters, digits, '-', '_', not digits alone, at most 31. */
int config_check_name(const char *name, struct why *why);
/* The CPUs that a list such as "2-5,8" names, each below 1024; returns how many. -EINVAL: it is no such list,
 * or names more than `most`. */
int config_cpus(const char *list, int *ret, int most);
const char *config_mode_name(enum config_mode mode);
/* The mode's name as it is here, for ever; NULL: there is no such mode. */
const char *config_mode_find(const char *name);
