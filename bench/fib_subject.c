// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/fib_subject.h"

#include "bench/lookup_layout.h"
#include "host/fib/bulk.h"

#include <errno.h>
#include <string.h>

static bool fib_subject_has_avx2(void)
{
	return bulk_way_works(BULK_AVX2);
}

static const struct fib_subject fib_subjects[] = {
	{ .name = "harness-ebpf",
	  .summary = "no lookup: what the harness costs that all eBPF figures contain",
	  .ebpf = true,
	  .lookup = LOOKUP_NOTHING },
	{ .name = "image-ebpf",
	  .summary = "penstock's image and search, as in native XDP",
	  .structure = &fib_image_maps,
	  .ebpf = true,
	  .lookup = LOOKUP_IMAGE },
	{ .name = "dir24-ebpf",
	  .summary = "DIR-24-8 in a BPF array",
	  .structure = &fib_dir24,
	  .family = AF_INET,
	  .ebpf = true,
	  .lookup = LOOKUP_DIR },
	{ .name = "lpmtrie",
	  .summary = "the kernel's BPF LPM_TRIE",
	  .structure = &fib_trie,
	  .ebpf = true,
	  .lookup = LOOKUP_TRIE },
	{ .name = "fiblookup",
	  .summary = "bpf_fib_lookup in the kernel's own routes, without the neighbour",
	  .structure = &fib_kernel,
	  .ebpf = true,
	  .lookup = LOOKUP_KERNEL },
	{ .name = "image-bulk",
	  .summary = "penstock's image, in bursts, the best way of this CPU",
	  .structure = &fib_image_memory,
	  .burst = fib_image_bulk },
	{ .name = "image-avx2",
	  .summary = "the same with AVX2",
	  .structure = &fib_image_memory,
	  .optional = true,
	  .burst = fib_image_bulk_avx2,
	  .works = fib_subject_has_avx2 },
	{ .name = "image-plain",
	  .summary = "the same without vector instructions",
	  .structure = &fib_image_memory,
	  .optional = true,
	  .burst = fib_image_bulk_plain },
	{ .name = "image",
	  .summary = "penstock's image, one address at a time",
	  .structure = &fib_image_memory,
	  .burst = fib_image_one_by_one,
	  .chain = fib_image_chain },
#ifdef HAVE_DPDK
	{ .name = "rte_fib",
	  .summary = "DPDK's DIR-24-8, in bursts",
	  .structure = &fib_rte_fib,
	  .family = AF_INET,
	  .burst = fib_rte_fib_bulk,
	  .wide = true,
	  .prepare = fib_rte_fib_scalar },
	{ .name = "rte_fib-avx512",
	  .summary = "the same with AVX-512",
	  .structure = &fib_rte_fib,
	  .family = AF_INET,
	  .burst = fib_rte_fib_bulk,
	  .wide = true,
	  .prepare = fib_rte_fib_avx512 },
	{ .name = "rte_fib6",
	  .summary = "DPDK's trie for IPv6, in bursts",
	  .structure = &fib_rte_fib6,
	  .family = AF_INET6,
	  .burst = fib_rte_fib6_bulk,
	  .wide = true,
	  .prepare = fib_rte_fib6_scalar },
	{ .name = "rte_fib6-avx512",
	  .summary = "the same with AVX-512",
	  .structure = &fib_rte_fib6,
	  .family = AF_INET6,
	  .burst = fib_rte_fib6_bulk,
	  .wide = true,
	  .prepare = fib_rte_fib6_avx512 },
	{ .name = "rte_lpm",
	  .summary = "DPDK's older DIR-24-8; a full table takes it minutes to load",
	  .structure = &fib_rte_lpm,
	  .family = AF_INET,
	  .optional = true,
	  .burst = fib_rte_lpm_one_by_one,
	  .chain = fib_rte_lpm_chain },
	{ .name = "rte_lpm-bulk",
	  .summary = "the same in bursts",
	  .structure = &fib_rte_lpm,
	  .family = AF_INET,
	  .optional = true,
	  .burst = fib_rte_lpm_bulk,
	  .found = FIB_RTE_LPM_FOUND },
	{ .name = "rte_lpm6",
	  .summary = "DPDK's older trie for IPv6",
	  .structure = &fib_rte_lpm6,
	  .family = AF_INET6,
	  .burst = fib_rte_lpm6_one_by_one,
	  .chain = fib_rte_lpm6_chain },
	{ .name = "rte_lpm6-bulk",
	  .summary = "the same in bursts",
	  .structure = &fib_rte_lpm6,
	  .family = AF_INET6,
	  .burst = fib_rte_lpm6_bulk },
#endif
};

// Flags lie above the low 16 bits; all ones mean none.
static __u32 fib_entry_nexthop(const struct fib_subject *subject, __u64 result)
{
	__u32 nexthop = result & 0xffff;

	if ((__u32)result == 0xffffffff || (result & subject->found) != subject->found)
		return 0;
	return nexthop < FIB_NEXTHOP_MIN ? 0 : nexthop;
}

static int fib_entry_prepare(const struct fib_entry *entry)
{
	return entry->subject->prepare ? entry->subject->prepare(entry->structure) : 0;
}

static int fib_entry_answers_ebpf(struct fib_entry *entry, const struct fib_stream *stream,
				  __u32 *ret_nexthops)
{
	const __u32 *results;

	memcpy(lookup_trace(entry->bed->lookup), stream->network,
	       (size_t)FIB_STREAM_SIZE * table_width(stream->family) / 8);
	results = lookup_results(entry->bed->lookup, entry->subject->lookup, stream->family);
	if (!results)
		return -EIO;
	for (size_t i = 0; i < FIB_STREAM_SIZE; i++)
		ret_nexthops[i] = fib_entry_nexthop(entry->subject, results[i]);
	return 0;
}

const struct fib_subject *fib_subject_list(unsigned int *ret_count)
{
	*ret_count = sizeof(fib_subjects) / sizeof(fib_subjects[0]);
	return fib_subjects;
}

const struct fib_subject *fib_subject_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(fib_subjects) / sizeof(fib_subjects[0]); i++)
		if (strcmp(fib_subjects[i].name, name) == 0)
			return &fib_subjects[i];
	return NULL;
}

bool fib_entry_can(const struct fib_entry *entry, bool dependent)
{
	const struct fib_subject *subject = entry->subject;

	return subject->ebpf || (dependent ? subject->chain : subject->burst);
}

int fib_entry_run(struct fib_entry *entry, const struct fib_stream *stream, bool dependent, size_t count)
{
	const struct fib_subject *subject = entry->subject;
	fib_find *find = dependent ? subject->chain : subject->burst;
	union fib_results results = { .wide = { 0 } };
	int err;

	if (subject->ebpf)
		return lookup_run(entry->bed->lookup, subject->lookup, stream->family, dependent,
				  count / LOOKUP_BATCH);
	err = fib_entry_prepare(entry);
	for (; err >= 0 && count; count -= FIB_BURST) {
		find(entry->structure, stream, entry->at, &results);
		entry->at = (entry->at + FIB_BURST) % FIB_STREAM_SIZE;
	}
	return err;
}

int fib_entry_answers(struct fib_entry *entry, const struct fib_stream *stream, __u32 *ret_nexthops)
{
	const struct fib_subject *subject = entry->subject;
	union fib_results results = { .wide = { 0 } };
	int err;

	if (subject->ebpf)
		return fib_entry_answers_ebpf(entry, stream, ret_nexthops);
	err = fib_entry_prepare(entry);
	for (size_t at = 0; err >= 0 && at < FIB_STREAM_SIZE; at += FIB_BURST) {
		subject->burst(entry->structure, stream, at, &results);
		for (size_t i = 0; i < FIB_BURST; i++)
			ret_nexthops[at + i] = fib_entry_nexthop(subject, subject->wide ? results.wide[i]
											: results.nexthop[i]);
	}
	return err;
}
