// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#pragma once

#include <stddef.h>
#include <jansson.h>

// Benches that run other benches, each as a process of its own.

#define CHILD_WORDS 16

// Runs `penstock bench WORDS... --json`, up to CHILD_WORDS words with NULL behind them. Signals that
// stop_catch() catches end it, too. Returns its record; NULL: it failed, and has said why.
json_t *child_run(const char *const *words);

// Writes the same command as people type it.
void child_print(char *text, size_t size, const char *const *words);
