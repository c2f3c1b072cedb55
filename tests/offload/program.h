// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the programs beside the table share. Each does one thing that a card would not have, at the line
 * marked HERE, and nothing else that it would not; those named "fine" do what it would.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MAP(name, kind, type_of_key, type_of_value, entries)                                                 \
	struct {                                                                                             \
		__uint(type, kind);                                                                          \
		__uint(max_entries, entries);                                                                \
		__type(key, type_of_key);                                                                    \
		__type(value, type_of_value);                                                                \
	} name SEC(".maps")
#define ARRAY(name, type_of_value, entries) MAP(name, BPF_MAP_TYPE_ARRAY, __u32, type_of_value, entries)
#define HASH(name, type_of_key, type_of_value, entries)                                                      \
	MAP(name, BPF_MAP_TYPE_HASH, type_of_key, type_of_value, entries)
