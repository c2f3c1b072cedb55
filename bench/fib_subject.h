// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include "bench/fib_structure.h"

// Ways to find a route that are measured against each other. Several may use the same structure.

struct fib_subject {
	const char *name;
	const char *summary;                        // for the help text
	const struct fib_structure_kind *structure; // NULL: none, the harness of eBPF alone
	__u8 family;                                // 0: both
	bool optional;                              // only when asked for
	// In eBPF:
	bool ebpf;
	enum lookup_structure lookup;
	// In memory:
	fib_find *burst, *chain;                         // NULL: cannot
	bool wide;                                       // results are
	__u32 found;                                     // bits that all results have but those of no route
	int (*prepare)(struct fib_structure *structure); // before lookups; NULL: nothing to do
	bool (*works)(void);                             // on this CPU; NULL: yes
};

// All subjects; ret_count says how many.
const struct fib_subject *fib_subject_list(unsigned int *ret_count);

// Returns the subject of that name, or NULL.
const struct fib_subject *fib_subject_find(const char *name);

// A subject at work on a structure of its kind.
struct fib_entry {
	const struct fib_subject *subject;
	struct fib_structure *structure;
	const struct fib_bed *bed;
	size_t at; // in the stream
};

// Can it do independent, or dependent lookups?
bool fib_entry_can(const struct fib_entry *entry, bool dependent);

// Looks up count addresses (a multiple of LOOKUP_BATCH), going on where it ended before. The trace of the bed
// holds the same stream.
int fib_entry_run(struct fib_entry *entry, const struct fib_stream *stream, bool dependent, size_t count);

// Looks up all addresses of the stream; 0 in ret_nexthops (FIB_STREAM_SIZE) stands for no route.
int fib_entry_answers(struct fib_entry *entry, const struct fib_stream *stream, __u32 *ret_nexthops);
