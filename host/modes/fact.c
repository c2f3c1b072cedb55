// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/fact.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <net/if_arp.h>

#include "host/modes/capability.h"
#include "host/modes/platform.h"

#define TEXT_SIZE 512

static const char *const xdp_bits[] = { "basic",      "redirect", "ndo-xmit",    "xsk-zerocopy",
					"hw-offload", "rx-sg",    "ndo-xmit-sg", NULL };
static const char *const metadata_bits[] = { "timestamp", "hash", "vlan-tag", NULL };
static const char *const xsk_bits[] = { "tx-timestamp", "tx-checksum", "tx-launch-time", NULL };

#define AT(type, field) offsetof(struct type, field), sizeof(((struct type *)0)->field)
#define PORT(name, kind, field)                                                                              \
	{                                                                                                    \
		name, kind, AT(capability, field), NULL, false, 0                                            \
	}
#define BOX(name, kind, field)                                                                               \
	{                                                                                                    \
		name, kind, AT(platform, field), NULL, false, 0                                              \
	}
#define TOLD(name, kind, field, bits)                                                                        \
	{                                                                                                    \
		name, kind, AT(capability, field), bits, true, offsetof(struct capability, features_known)   \
	}

/* clang-format off */
const struct fact fact_port[] = {
	PORT("name", FACT_TEXT, name),
	PORT("device", FACT_TEXT, device),
	PORT("ifindex", FACT_U32, ifindex),
	PORT("type", FACT_U16, type),
	PORT("kind", FACT_TEXT, kind),
	PORT("up", FACT_BOOL, up),
	PORT("carrier", FACT_BOOL, carrier),
	PORT("mtu", FACT_U32, mtu),
	PORT("driver", FACT_TEXT, ethtool.driver),
	PORT("firmware", FACT_TEXT, ethtool.firmware),
	PORT("firmware_app", FACT_TEXT, ethtool.app),
	PORT("bus", FACT_TEXT, ethtool.bus),
	TOLD("xdp_features", FACT_BITS, features, xdp_bits),
	TOLD("zc_max_segs", FACT_U32, zc_max_segs, NULL),
	TOLD("rx_metadata", FACT_BITS, rx_metadata, metadata_bits),
	TOLD("xsk_features", FACT_BITS, xsk_features, xsk_bits),
	PORT("queues", FACT_U32, ethtool.queues),
	PORT("queues_max", FACT_U32, ethtool.queues_max),
	PORT("rx_queues", FACT_U32, ethtool.rx_queues),
	PORT("combined", FACT_U32, ethtool.combined),
	PORT("rx_ring", FACT_U32, ethtool.rx_ring),
	PORT("rx_ring_max", FACT_U32, ethtool.rx_ring_max),
	PORT("tx_ring", FACT_U32, ethtool.tx_ring),
	PORT("tx_ring_max", FACT_U32, ethtool.tx_ring_max),
	PORT("rxvlan", FACT_BOOL, ethtool.rxvlan),
	PORT("rxvlan_fixed", FACT_BOOL, ethtool.rxvlan_fixed),
	PORT("rxvlan_service", FACT_BOOL, ethtool.rxvlan_service),
	PORT("txvlan", FACT_BOOL, ethtool.txvlan),
	PORT("txvlan_service", FACT_BOOL, ethtool.txvlan_service),
	PORT("lro", FACT_BOOL, ethtool.lro),
	PORT("gro", FACT_BOOL, ethtool.gro),
	PORT("gro_hw", FACT_BOOL, ethtool.gro_hw),
	PORT("gro_hw_fixed", FACT_BOOL, ethtool.gro_hw_fixed),
	PORT("tx_checksum", FACT_BOOL, ethtool.tx_checksum),
	PORT("lower_ifindex", FACT_U32, lower),
	PORT("lower_namespace", FACT_INT, lower_namespace),
	PORT("lower", FACT_TEXT, lower_name),
	PORT("master", FACT_TEXT, master),
	PORT("master_kind", FACT_TEXT, master_kind),
	{ "vlans", FACT_U32, AT(capability, stack.vlans), NULL, true, offsetof(struct capability, stack.known) },
	{ "macvlans", FACT_U32, AT(capability, stack.macvlans), NULL, true, offsetof(struct capability, stack.known) },
	{ "uppers", FACT_U32, AT(capability, stack.others), NULL, true, offsetof(struct capability, stack.known) },
	{ "members", FACT_U32, AT(capability, stack.members), NULL, true, offsetof(struct capability, stack.known) },
	{ "peer_takes", FACT_BOOL, AT(capability, peer_takes), NULL, true, offsetof(struct capability, peer_known) },
	{ "peer_tx_checksum", FACT_BOOL, AT(capability, peer_tx_checksum), NULL, true, offsetof(struct capability, peer_seen) },
	{ "peer_hides_tags", FACT_BOOL, AT(capability, peer_hides_tags), NULL, true, offsetof(struct capability, peer_seen) },
	PORT("pci", FACT_TEXT, pci.address),
	PORT("pci_driver", FACT_TEXT, pci.driver),
	PORT("pci_vendor", FACT_U32, pci.vendor),
	PORT("pci_device", FACT_U32, pci.device),
	PORT("numa", FACT_INT, pci.numa),
	PORT("failed_1", FACT_TEXT, failed[0]),
	PORT("failed_2", FACT_TEXT, failed[1]),
	PORT("failed_3", FACT_TEXT, failed[2]),
	PORT("program_attached", FACT_U32, program.attached),
	PORT("program_id", FACT_U32, program.id),
	PORT("program_name", FACT_TEXT, program.name),
	PORT("program_ours", FACT_BOOL, program.ours),
	{ NULL, FACT_TEXT, 0, 0, NULL, false, 0 },
};

const struct fact fact_platform[] = {
	BOX("kernel", FACT_TEXT, release),
	BOX("cpus", FACT_U32, cpus),
	BOX("net_admin", FACT_BOOL, net_admin),
	BOX("bpf", FACT_BOOL, bpf),
	BOX("xsk", FACT_BOOL, xsk),
	BOX("perfmon", FACT_BOOL, perfmon),
	BOX("capabilities", FACT_U64, capabilities),
	BOX("tells_features", FACT_BOOL, features),
	BOX("bpffs", FACT_TEXT, bpffs),
	{ "jit", FACT_U32, AT(platform, jit), NULL, true, offsetof(struct platform, jit_known) },
	BOX("lockdown", FACT_TEXT, lockdown),
	BOX("memlock", FACT_U64, memlock),
	BOX("hugepage_size", FACT_U64, hugepage_size),
	BOX("hugepages", FACT_U32, hugepages),
	BOX("hugepages_free", FACT_U32, hugepages_free),
	BOX("measured_native", FACT_U32, measured.native),
	BOX("measured_generic", FACT_U32, measured.generic),
	BOX("measured_afxdp", FACT_U32, measured.afxdp),
	BOX("measured_afxdp_generic", FACT_U32, measured.afxdp_generic),
	{ NULL, FACT_TEXT, 0, 0, NULL, false, 0 },
};
/* clang-format on */

static const void *field(const struct fact *fact, const void *object)
{
	return (const char *)object + fact->offset;
}

static bool is_known(const struct fact *fact, const void *object)
{
	return !fact->conditional || *(const bool *)((const char *)object + fact->known);
}

static unsigned long long number_of(const struct fact *fact, const void *object)
{
	const void *from = field(fact, object);

	switch (fact->kind) {
	case FACT_BOOL:
		return *(const bool *)from;
	case FACT_U16:
		return *(const __u16 *)from;
	case FACT_U32:
		return *(const __u32 *)from;
	case FACT_INT:
		return (unsigned long long)*(const int *)from;
	case FACT_U64:
	case FACT_BITS:
		return *(const __u64 *)from;
	case FACT_TEXT:
		break;
	}
	return 0;
}

static json_t *bits_json(const struct fact *fact, unsigned long long value)
{
	json_t *list = json_array();

	for (size_t i = 0; fact->bits[i]; i++)
		if (value & 1ull << i)
			json_array_append_new(list, json_string(fact->bits[i]));
	return list;
}

static json_t *value_json(const struct fact *fact, const void *object)
{
	const char *text = field(fact, object);

	if (!is_known(fact, object))
		return json_null();
	switch (fact->kind) {
	case FACT_TEXT:
		return *text ? json_string(text) : json_null();
	case FACT_BOOL:
		return json_boolean(number_of(fact, object));
	case FACT_BITS:
		return bits_json(fact, number_of(fact, object));
	default:
		return json_integer((json_int_t)number_of(fact, object));
	}
}

static void value_text(const struct fact *fact, const void *object, char *ret, size_t size)
{
	unsigned long long value = number_of(fact, object);

	ret[0] = 0;
	switch (fact->kind) {
	case FACT_TEXT:
		snprintf(ret, size, "%s", (const char *)field(fact, object));
		break;
	case FACT_BOOL:
		snprintf(ret, size, "%s", value ? "yes" : "no");
		break;
	case FACT_INT:
		snprintf(ret, size, "%d", (int)value);
		break;
	case FACT_BITS:
		for (size_t i = 0; fact->bits[i]; i++)
			if (value & 1ull << i)
				snprintf(ret + strlen(ret), size - strlen(ret), "%s%s", *ret ? " " : "",
					 fact->bits[i]);
		break;
	default:
		snprintf(ret, size, "%llu", value);
	}
}

json_t *fact_json(const struct fact *table, const void *object)
{
	json_t *document = json_object();

	for (; table->name; table++)
		json_object_set_new(document, table->name, value_json(table, object));
	return document;
}

void fact_print(const struct fact *table, const void *object, const void *usual, FILE *stream)
{
	for (; table->name; table++) {
		char text[TEXT_SIZE], other[TEXT_SIZE];
		bool known = is_known(table, object);

		value_text(table, object, text, sizeof(text));
		value_text(table, usual, other, sizeof(other));
		if (!known || (is_known(table, usual) && strcmp(text, other) == 0))
			continue;
		fprintf(stream, "%s:%s%s\n", table->name, *text ? " " : "", text);
	}
}

static int parse_bits(const struct fact *fact, const char *value, unsigned long long *ret)
{
	char copy[TEXT_SIZE], *state = NULL;

	*ret = 0;
	snprintf(copy, sizeof(copy), "%s", value);
	for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		size_t i = 0;

		while (fact->bits[i] && strcmp(fact->bits[i], word) != 0)
			i++;
		if (!fact->bits[i])
			return -EINVAL;
		*ret |= 1ull << i;
	}
	return 0;
}

static int parse_number(const struct fact *fact, const char *value, unsigned long long *ret)
{
	char *end;

	if (fact->kind == FACT_BITS)
		return parse_bits(fact, value, ret);
	if (fact->kind == FACT_BOOL) {
		*ret = strcmp(value, "yes") == 0;
		return *ret || strcmp(value, "no") == 0 ? 0 : -EINVAL;
	}
	*ret = (unsigned long long)(fact->kind == FACT_INT ? strtoll(value, &end, 10)
							   : (long long)strtoull(value, &end, 0));
	return *value && !*end ? 0 : -EINVAL;
}

static void store(const struct fact *fact, void *to, unsigned long long value)
{
	switch (fact->kind) {
	case FACT_BOOL:
		*(bool *)to = value;
		break;
	case FACT_U16:
		*(__u16 *)to = (__u16)value;
		break;
	case FACT_U32:
	case FACT_INT:
		*(__u32 *)to = (__u32)value;
		break;
	case FACT_U64:
	case FACT_BITS:
		*(__u64 *)to = value;
		break;
	case FACT_TEXT:
		break;
	}
}

int fact_set(const struct fact *table, void *object, const char *name, const char *value)
{
	unsigned long long number;

	while (table->name && strcmp(table->name, name) != 0)
		table++;
	if (!table->name)
		return -ENOENT;
	if (table->kind == FACT_TEXT) {
		if (strlen(value) >= table->size)
			return -EINVAL;
		memset((char *)object + table->offset, 0, table->size);
		memcpy((char *)object + table->offset, value, strlen(value));
		return 0;
	}
	if (parse_number(table, value, &number) < 0)
		return -EINVAL;
	store(table, (char *)object + table->offset, number);
	if (table->conditional)
		*(bool *)((char *)object + table->known) = true;
	return 0;
}

void fact_default_port(struct capability *ret)
{
	*ret = (struct capability){ .name = "eth0",
				    .ifindex = 2,
				    .type = ARPHRD_ETHER,
				    .up = true,
				    .carrier = true,
				    .mtu = 1500,
				    .lower_namespace = -1,
				    .pci.numa = -1 };
}

void fact_default_platform(struct platform *ret)
{
	*ret = (struct platform){ .release = "6.12.0",
				  .version = 61200,
				  .cpus = 8,
				  .net_admin = true,
				  .bpf = true,
				  .perfmon = true,
				  .features = true,
				  .bpffs = "/sys/fs/bpf",
				  .capabilities = (1ull << 41) - 1,
				  .xsk = true,
				  .jit = 1,
				  .jit_known = true,
				  .lockdown = "none",
				  .memlock = ~0ull };
}
