// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/config.h"

#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Feeds the reader of configuration files. It may refuse, with one line that names the file, but not crash or
// leak; what it takes is within the limits that the file's messages promise.

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_refusal(const struct why *why)
{
	check(strncmp(why->text, "f.yaml", 6) == 0);
	for (const char *c = why->text; *c; c++)
		check(*c >= ' ' && *c <= '~');
}

static void check_config(const struct config *config)
{
	check(!config->name || config_check_name(config->name, NULL) == 0);
	check(config->port_count <= 256);
	for (uint32_t i = 0; i < config->port_count; i++) {
		const char *name = config->ports[i].interface;

		check(name && *name && strlen(name) < IFNAMSIZ && !strchr(name, '/'));
		check(config->ports[i].mode >= CONFIG_MODE_AUTO && config->ports[i].mode <= CONFIG_MODE_DPDK);
	}
	check(config->mode >= CONFIG_MODE_AUTO && config->mode <= CONFIG_MODE_DPDK);
	check(config->netfilter == CONFIG_NETFILTER_RESPECT || config->netfilter == CONFIG_NETFILTER_BYPASS);
	check(config->stale_after >= 2 && config->stale_after <= 3600);
	check(!config->bpffs || config->bpffs[0] == '/');
	check(config->log.level >= LOG_LEVEL_ERROR && config->log.level <= LOG_LEVEL_DEBUG);
	check(config->log.format >= LOG_FORMAT_AUTO && config->log.format <= LOG_FORMAT_JSON);
	check(!(config->image.node_chunks & (config->image.node_chunks - 1)));
	check(config->image.nexthops <= 65536 && config->image.buckets <= 1u << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config;
	struct why why = { "" };

	if (config_parse("f.yaml", data, size, &config, &why) < 0) {
		check_refusal(&why);
		return 0;
	}
	check_config(config);
	config_free(config);
	return 0;
}
