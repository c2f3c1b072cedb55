// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a card's firmware tells its driver about itself, and so what a program may be. The kernel module of
 * offload/nfpcheck/ reads this list, too: each is a module parameter there.
 *
 * X(name, what the open firmware tree says, what bpf-2.0.6.124 says, "what it is")
 */
#pragma once

/* clang-format off */
#define NFP_LIMITS(X)                                                                                        \
	X(program_length, 2560,    2800,    "instructions that the code store has for a program")            \
	X(program_start,  3072,    3072,    "code store address of the first of them")                       \
	X(program_done,   1,       1,       "code store address to go to in the end")                        \
	X(stack,          512,     512,     "bytes of stack")                                                \
	X(inline_mtu,     2048,    2048,    "bytes of a frame that a program can see")                       \
	X(live_replace,   1,       1,       "whether a program can be replaced while packets come")          \
	X(abi,            2,       2,       "version of the messages about maps")                            \
	X(map_types,      6,       6,       "map types, a bit each: 2 hash, 4 array")                        \
	X(maps,           128,     128,     "maps")                                                          \
	X(entries,        2048000, 3072000, "max_entries of all maps together")                              \
	X(key,            56,      56,      "bytes of a key")                                                \
	X(value,          56,      56,      "bytes of a value")                                              \
	X(element,        64,      64,      "bytes of key and value, each rounded up to 8")                  \
	X(lookup,         100,     100,     "where map_lookup_elem is; 0: not there")                        \
	X(update,         0,       0,       "where map_update_elem is; 0: not there")                        \
	X(delete,         0,       0,       "where map_delete_elem is; 0: not there")                        \
	X(perf_event,     0,       0,       "where perf_event_output is; 0: not there")                      \
	X(adjust_head,    1,       1,       "flags of xdp_adjust_head: 1 no metadata")                       \
	X(head_least,     44,      44,      "offset in the packet buffer before which no frame may begin")   \
	X(head_most,      248,     248,     "and after which none may begin")                                \
	X(head_give,      84,      84,      "bytes that a frame can always lose in front")                   \
	X(head_take,      112,     112,     "and can always gain")                                           \
	X(adjust_tail,    1,       1,       "whether xdp_adjust_tail is there")                              \
	X(random,         1,       1,       "whether get_prandom_u32 is there")                              \
	X(queue_select,   1,       1,       "whether rx_queue_index can be written")
/* clang-format on */
