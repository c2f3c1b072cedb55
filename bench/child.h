// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

// Benches that run other benches, each as a process of its own.

#define CHILD_WORDS 16

// Catches SIGINT, SIGTERM and SIGHUP, and passes them on to the bench that runs.
void child_catch_signals(void);

// Has a signal come?
bool child_is_stopped(void);

// Not 0 then.
const volatile sig_atomic_t *child_stop_flag(void);

// Runs `penstock bench WORDS... --json`, up to CHILD_WORDS words with NULL behind them. Returns its record;
// NULL: it failed, and has said why.
json_t *child_run(const char *const *words);

// Writes the same command as people type it.
void child_print(char *text, size_t size, const char *const *words);
