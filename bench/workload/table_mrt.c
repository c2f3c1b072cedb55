// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/workload/table_mrt.h"

#include "bench/workload/bgp.h"
#include "bench/workload/mrt.h"
#include "bench/workload/table_read.h"

#include <errno.h>

// The subtypes of TABLE_DUMP_V2 that hold unicast prefixes (RFC 6396, 4.3; RFC 8050, 4). Others are skipped.
enum table_mrt_subtype { RIB_IPV4 = 2, RIB_IPV6 = 4, RIB_IPV4_ADD_PATH = 8, RIB_IPV6_ADD_PATH = 10 };

struct table_mrt {
	struct stream *stream;
	struct gateways *gateways;
	struct table *table;
	struct mrt *mrt;
};

static int table_mrt_entry(struct wire *wire, bool path_id, struct bgp_attributes *ret_attributes,
			   const char **ret_cause)
{
	struct wire attributes;
	__u16 length;

	// Peer index and time of origin come first.
	if (!wire_skip(wire, path_id ? 10 : 6) || !wire_u16(wire, &length) ||
	    !wire_part(wire, length, &attributes)) {
		*ret_cause = "an entry runs over its record";
		return -EBADMSG;
	}
	return bgp_attributes_read(attributes, 4, ret_attributes, ret_cause);
}

static int table_mrt_best(struct wire *wire, bool path_id, struct bgp_attributes *ret_best,
			  const char **ret_cause)
{
	__u16 count;

	if (!wire_u16(wire, &count) || !count) {
		*ret_cause = "it has no entry";
		return -EBADMSG;
	}
	for (unsigned int i = 0; i < count; i++) {
		struct bgp_attributes attributes;
		int r = table_mrt_entry(wire, path_id, &attributes, ret_cause);

		if (r < 0)
			return r;
		if (i == 0 || attributes.path_length < ret_best->path_length)
			*ret_best = attributes;
	}
	return 0;
}

static int table_mrt_rib(struct table_mrt *m, struct wire wire, __u8 family, bool path_id)
{
	const struct bgp_nexthop *nexthop;
	struct bgp_attributes best;
	struct table_route route;
	const char *cause;
	int r;

	if (!wire_skip(&wire, 4)) // sequence number
		return mrt_bad(m->mrt, "it is too short");
	r = bgp_prefix_read(&wire, family, false, &route, &cause);
	if (r == 0)
		r = table_mrt_best(&wire, path_id, &best, &cause);
	if (r < 0)
		return mrt_bad(m->mrt, cause);
	nexthop = best.mp_nexthop.family ? &best.mp_nexthop : &best.nexthop;
	r = table_read_gateway(m->stream, gateways_bgp_id(m->gateways, nexthop, best.origin_as));
	if (r < 0)
		return r;
	route.nexthop = r;
	return table_read_append(m->stream, m->table, &route);
}

static int table_mrt_record(struct table_mrt *m, const struct mrt_record *record)
{
	if (record->type == MRT_TABLE_DUMP)
		return stream_fail(m->stream, -EPROTONOSUPPORT,
				   "is of the old type TABLE_DUMP; take a dump of the type TABLE_DUMP_V2");
	if (record->type != MRT_TABLE_DUMP_V2)
		return 0;
	switch (record->subtype) {
	case RIB_IPV4:
	case RIB_IPV4_ADD_PATH:
		return table_mrt_rib(m, record->body, AF_INET, record->subtype == RIB_IPV4_ADD_PATH);
	case RIB_IPV6:
	case RIB_IPV6_ADD_PATH:
		return table_mrt_rib(m, record->body, AF_INET6, record->subtype == RIB_IPV6_ADD_PATH);
	default:
		return 0;
	}
}

int table_mrt_read(struct stream *stream, struct gateways *gateways, struct table *table)
{
	struct table_mrt m = { stream, gateways, table, mrt_new(stream) };
	struct mrt_record record;
	int r;

	if (!m.mrt)
		return stream_fail(stream, -ENOMEM, "no memory to read it");
	while ((r = mrt_next(m.mrt, &record)) > 0) {
		r = table_mrt_record(&m, &record);
		if (r < 0)
			break;
	}
	mrt_free(m.mrt);
	return r;
}
