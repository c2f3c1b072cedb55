// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/config_fixed.h"

#include <string.h>

/* Whether both have the same devices of engines. */
static bool same_devices(const struct config *a, const struct config *b)
{
	uint32_t found = 0, devices = 0;

	for (uint32_t i = 0; i < a->port_count; i++)
		for (uint32_t j = 0; a->ports[i].device && j < b->port_count; j++)
			found += b->ports[j].device && strcmp(a->ports[i].device, b->ports[j].device) == 0 &&
				 strcmp(a->ports[i].interface, b->ports[j].interface) == 0;
	for (uint32_t i = 0; i < a->port_count; i++)
		devices += a->ports[i].device != NULL;
	for (uint32_t j = 0; j < b->port_count; j++)
		devices += b->ports[j].device != NULL;
	return devices == 2 * found;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_dpdk(const struct config_dpdk *a, const struct config_dpdk *b)
{
	return same_text(a->lcores, b->lcores) && same_text(a->eal, b->eal) && a->memory == b->memory &&
	       a->buffers == b->buffers && a->mtu == b->mtu && a->poll == b->poll;
}

static bool same_afxdp(const struct config_afxdp *a, const struct config_afxdp *b)
{
	return same_text(a->cpus, b->cpus) && a->workers == b->workers && a->frames == b->frames &&
	       a->busy_poll == b->busy_poll && a->hook == b->hook;
}

const char *config_fixed_difference(const struct config *a, const struct config *b)
{
	if (!same_text(a->name, b->name))
		return "name";
	if (!same_text(a->bpffs, b->bpffs))
		return "bpffs";
	if (!same_text(a->control.group, b->control.group))
		return "control.group";
	if (!same_devices(a, b))
		return "device";
	if (!same_dpdk(&a->dpdk, &b->dpdk))
		return "dpdk";
	if (!same_text(a->metrics.listen, b->metrics.listen))
		return "metrics.listen";
	if (memcmp(&a->image, &b->image, sizeof(a->image)) != 0)
		return "image";
	if (!same_afxdp(&a->afxdp, &b->afxdp))
		return "afxdp";
	return a->stale_after != b->stale_after ? "stale-after" : NULL;
}
