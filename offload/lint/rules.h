// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * All that the lint knows to be wrong with a program for the card: ONE list. Each rule stands for one refusal
 * of the kernel's nfp driver, or for code that the driver takes and the card runs otherwise than meant.
 *
 * X(name, verdict, "what is wrong", "what to do")
 * REFUSED: it does not load, or does not attach. WRONG: it loads, and does something else.
 */
#pragma once

/* clang-format off */
#define LINT_RULES(X)                                                                                        \
	/* instructions */                                                                                   \
	X(modulo, REFUSED, "the card has no modulo",                                                         \
	  "mask with a power of two minus one, or scale: (__u64)hash * n >> 32")                             \
	X(little_endian, REFUSED, "the card has no conversion to little-endian",                             \
	  "leave it out: the program is little-endian already")                                              \
	X(bswap, REFUSED, "the card does not know the unconditional byte swap",                              \
	  "compile with -mcpu=v3, and swap by bpf_htons, bpf_htonl or bpf_cpu_to_be64")                      \
	X(sign_extending_move, WRONG, "the card copies without the sign: the driver does not look at it",    \
	  "compile with -mcpu=v3, never v4")                                                                 \
	X(signed_division, WRONG, "the card divides as if unsigned: the driver does not look at the sign",   \
	  "compile with -mcpu=v3, never v4, and divide what is unsigned")                                    \
	X(sign_extending_load, REFUSED, "the card cannot load with the sign",                                \
	  "compile with -mcpu=v3, never v4")                                                                 \
	X(long_jump, REFUSED, "the card does not know the 32-bit jump", "compile with -mcpu=v3, never v4")   \
	X(store_immediate, REFUSED, "the driver does not translate stores of a constant",                    \
	  "compile with clang and -mcpu=v3, which puts the constant into a register first")                  \
	X(opcode, REFUSED, "the card does not know the instruction", "compile with clang and -mcpu=v3")      \
	X(atomic_operation, REFUSED, "the only atomic operation is addition without a result",               \
	  "use __sync_fetch_and_add, and nothing of what it returns")                                        \
	X(atomic_target, REFUSED, "the card adds atomically only numbers, and only to map values",           \
	  "count in an ARRAY or HASH map")                                                                   \
	X(wide_multiply, REFUSED, "the card multiplies 32 bits only, and this factor may have more",         \
	  "cast or mask both factors to 32 bits; (__u64)a * b of two __u32 is fine")                         \
	X(variable_divisor, REFUSED, "the card divides by constants only",                                   \
	  "divide by a constant, or shift")                                                                  \
	X(wide_dividend, REFUSED, "the card divides 32 bits only, and this may have more",                   \
	  "cast the dividend to __u32")                                                                      \
	X(negative_operand, REFUSED, "the card does not multiply or divide by a negative constant",          \
	  "negate afterwards")                                                                               \
	/* calls */                                                                                          \
	X(helper, REFUSED, "the card does not have the helper function",                                     \
	  "the card has map_lookup_elem, xdp_adjust_head, xdp_adjust_tail and get_prandom_u32")              \
	X(firmware_helper, REFUSED, "this firmware does not have the helper function",                       \
	  "do without, or load a firmware with it, and say so by --profile")                                 \
	X(redirect, REFUSED, "the card cannot redirect: a packet leaves by the port it came in by",          \
	  "return XDP_TX for the same port, XDP_PASS for the host to do the rest")                           \
	X(tail_call, REFUSED, "the card has no tail calls", "make it one program; functions are fine")       \
	X(kernel_function, REFUSED, "the card cannot call functions of the kernel", "do without")            \
	X(callback, REFUSED, "the card cannot be given functions to call", "write the loop out")             \
	X(grow_tail, WRONG, "the card only makes frames shorter at the end: this fails each time",           \
	  "give bpf_xdp_adjust_tail a negative number")                                                      \
	X(key_not_on_stack, REFUSED, "the card takes keys and values of maps only from the stack",           \
	  "copy it into a local variable first")                                                             \
	X(key_alignment, REFUSED, "keys and values must begin at a multiple of 4 bytes on the stack",        \
	  "align the variable: __attribute__((aligned(4)))")                                                 \
	X(key_variable, REFUSED, "where on the stack the key or value is must not depend on data",           \
	  "give the address of one variable")                                                                \
	X(atomic_update, REFUSED, "words that are counted atomically may only be updated to zero",           \
	  "write literal zeros into these words, or count in a map of its own")                              \
	X(event_cpu, REFUSED, "the card sends events only to the CPU that hears from it",                    \
	  "use BPF_F_CURRENT_CPU as the index")                                                              \
	X(event_data, REFUSED, "the card sends only what is on the stack, in a map value or in the packet",  \
	  "copy it into an aligned local variable first")                                                    \
	/* memory */                                                                                         \
	X(context_read, REFUSED, "the card knows only data and data_end of the context",                     \
	  "load one instance for each port, and put the port's number into a map of one element")            \
	X(context_write, REFUSED, "the only field of the context that can be written is rx_queue_index",     \
	  "leave it out")                                                                                    \
	X(firmware_queue, REFUSED, "this firmware does not let programs choose a queue",                     \
	  "leave rx_queue_index alone, or load a firmware that does")                                        \
	X(map_store, REFUSED, "the card cannot write map values, only add to them atomically",               \
	  "use __sync_fetch_and_add, or leave the writing to the host")                                      \
	X(map_variable_offset, REFUSED, "where in a map value is read must not depend on data",              \
	  "make the element the value, and the index part of the key")                                       \
	X(map_bounds, REFUSED, "this is behind the end of the map value", "make the value as large")         \
	X(word_conflict, REFUSED, "each 4 bytes of a map's values are either read or counted atomically",    \
	  "put counters into words of their own, better into a map of their own")                            \
	X(stack_variable, REFUSED, "where on the stack is read or written must not depend on data",          \
	  "unroll the loop, or keep the array in a map")                                                     \
	X(stack_alignment, REFUSED, "this touches the stack at differing alignments on different paths",     \
	  "give the variables the same alignment, or access them apart")                                     \
	X(stack_size, REFUSED, "more stack than the firmware has",                                           \
	  "smaller local variables, fewer nested functions; each frame is rounded up to 64 bytes")           \
	X(mixed_pointers, REFUSED, "one instruction touches different kinds of memory on different paths",   \
	  "keep the branches apart: asm volatile(\"\") in one of them stops the compiler from merging")      \
	X(pointer_kind, REFUSED, "the card reaches context, stack, map values and packet only", "do without") \
	X(packet_offset, REFUSED, "this may lie behind what the card sees of a frame",                       \
	  "bound the offset, or keep the MTU within what the firmware sees")                                 \
	/* the program */                                                                                    \
	X(return_value, WRONG, "the card drops what returns other than ABORTED, DROP, PASS or TX",           \
	  "return XDP_PASS or XDP_TX instead; mask what cannot be known")                                    \
	X(program_length, REFUSED, "more instructions than the firmware has room for",                       \
	  "a smaller program; one BPF instruction becomes one to three of the card's")                       \
	X(program_type, REFUSED, "not an XDP program", "name the section \"xdp\"")                           \
	X(fragments, REFUSED, "the card has no frames in fragments", "name the section \"xdp\"")             \
	X(call_depth, REFUSED, "functions that call themselves, or more than 8 deep", "write a loop")        \
	X(malformed, REFUSED, "the kernel's own verifier will not have this", "mend it: see the line above") \
	X(complexity, REFUSED, "too many paths to look at them all: this program is not known to be clean",  \
	  "a simpler program; the kernel gives up, too, at a million instructions")                          \
	/* the object */                                                                                     \
	X(map_type, REFUSED, "the card has only HASH and ARRAY maps", "use one of them")                     \
	X(map_flags, REFUSED, "the card knows no map flags", "set map_flags to 0")                           \
	X(map_key_size, REFUSED, "a larger key than the firmware takes", "a smaller key")                    \
	X(map_value_size, REFUSED, "a larger value than the firmware takes",                                 \
	  "a smaller value, or several maps with the same key")                                              \
	X(map_element_size, REFUSED, "key and value together are larger than the firmware takes",            \
	  "smaller ones; each counts rounded up to 8 bytes")                                                 \
	X(map_entries, REFUSED, "more elements in all maps together than the firmware has",                  \
	  "smaller max_entries")                                                                             \
	X(map_count, REFUSED, "more maps than the firmware has", "join maps")                                \
	X(global_data, REFUSED, "global variables become a map with flags, which the card does not have",    \
	  "use a map of one element, or #define; no string literals, no bpf_printk")                         \
	X(external, REFUSED, "a symbol of the kernel or of its configuration",                               \
	  "the object must be complete in itself")                                                           \
	X(relocation, REFUSED, "a relocation that no loader understands", "compile with clang, and do not link")
/* clang-format on */

enum rule {
#define X(name, verdict, text, remedy) RULE_##name,
	LINT_RULES(X)
#undef X
		RULE_COUNT
};
_Static_assert(RULE_COUNT <= 64, "findings keep a bit for each rule");

enum rule_verdict { RULE_REFUSED, RULE_WRONG };

/* As people see it: words joined by "-". */
const char *rule_name(enum rule rule);
const char *rule_text(enum rule rule);
const char *rule_remedy(enum rule rule);
enum rule_verdict rule_verdict(enum rule rule);
