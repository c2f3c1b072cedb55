// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "bench/stop.h"

volatile sig_atomic_t stop_asked;

static volatile pid_t stop_process;

static void stop_signalled(int number)
{
	stop_asked = number;
	if (stop_process > 0)
		kill(stop_process, SIGTERM);
}

void stop_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = stop_signalled };

	for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

void stop_pass_on(pid_t pid)
{
	stop_process = pid;
}
