// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/testpmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define TESTPMD_READY  "Press enter to exit"
#define TESTPMD_MEMORY 256 // MiB

int testpmd_start(const struct lane *lane, unsigned int cpu, const volatile sig_atomic_t *stop,
		  struct dpdk_child **ret_child)
{
	struct dpdk_words *words = calloc(1, sizeof(*words));
	char lcores[32];
	int err;

	if (!words)
		return -ENOMEM;
	snprintf(lcores, sizeof(lcores), "0@%u,1@%u", cpu, cpu);
	dpdk_words_add(words, TESTPMD_BINARY);
	dpdk_child_add(words, lane, lcores, TESTPMD_MEMORY);
	dpdk_words_add(words, "--no-mlockall");
	dpdk_words_add(words, "--disable-link-check");
	dpdk_words_add(words, "--total-num-mbufs=32768");
	dpdk_words_add(words, "--forward-mode=mac");
	dpdk_child_add_gateway(words, "--eth-peer");
	err = dpdk_child_start(lane, "testpmd", words, TESTPMD_READY, stop, ret_child);
	free(words);
	return err;
}
