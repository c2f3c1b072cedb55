// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <sys/types.h>

// What ends a bench early: SIGINT, SIGTERM and SIGHUP.

// Not 0 once one of them has come.
extern volatile sig_atomic_t stop_asked;

// Catches them from now on.
void stop_catch(void);

// Passes them on to a process, too, as SIGTERM; 0: to none any more.
void stop_pass_on(pid_t pid);
