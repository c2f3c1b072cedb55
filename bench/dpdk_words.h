// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stdbool.h>

// The command line of a program of DPDK's, word by word.

#define DPDK_WORDS      32
#define DPDK_WORDS_TEXT 256

struct dpdk_words {
	char text[DPDK_WORDS][DPDK_WORDS_TEXT];
	char *word[DPDK_WORDS + 1]; // NULL behind the last one
	unsigned int count;
};

// Adds a word.
void dpdk_words_add(struct dpdk_words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Adds what says where DPDK gets its memory from, so many MiB of it; and that it leaves devices of PCI alone.
void dpdk_words_add_memory(struct dpdk_words *words, bool huge, unsigned int memory);

// MiB of huge pages that are free.
unsigned long dpdk_words_free_huge(void);
