// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/dpdk_words.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define DPDK_WORDS_PAGE 2 // MiB, of a huge one
#define DPDK_WORDS_FREE "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

void dpdk_words_add(struct dpdk_words *words, const char *format, ...)
{
	va_list list;

	assert(words->count < DPDK_WORDS);
	va_start(list, format);
	vsnprintf(words->text[words->count], DPDK_WORDS_TEXT, format, list);
	va_end(list);
	words->word[words->count] = words->text[words->count];
	words->word[++words->count] = NULL;
}

void dpdk_words_add_memory(struct dpdk_words *words, bool huge, unsigned int memory)
{
	if (huge) {
		dpdk_words_add(words, "--in-memory");
	} else {
		dpdk_words_add(words, "--no-huge");
		dpdk_words_add(words, "--no-shconf");
	}
	dpdk_words_add(words, "-m");
	dpdk_words_add(words, "%u", memory);
	dpdk_words_add(words, "--no-pci");
}

unsigned long dpdk_words_free_huge(void)
{
	FILE *file = fopen(DPDK_WORDS_FREE, "re");
	unsigned long pages = 0;

	if (file && fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * DPDK_WORDS_PAGE;
}
