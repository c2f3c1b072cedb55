// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Reads pcapng (draft-ietf-opsawg-pcapng). A file is a row of blocks:
 *
 *   type:32  length:32  body, padded to 32 bits  length:32 again
 *
 * A section header says in which byte order the section is and makes the numbering of interfaces start
 * afresh; interface descriptions follow; packets name an interface by its number in the section. Blocks of
 * other kinds are passed over.
 */
#pragma once

#include <stdio.h>
#include <linux/types.h>

#include "host/why.h"

struct capture_packet;
struct pcapng;

/* The file stays the caller's; path is for errors. -ENOMEM. */
int pcapng_new(FILE *file, const char *path, struct pcapng **ret);
/* NULL is fine. */
void pcapng_free(struct pcapng *pcapng);
/* As capture_next(); interfaces are numbered through all sections. */
int pcapng_next(struct pcapng *pcapng, struct capture_packet *ret, struct why *why);
const char *pcapng_interface(const struct pcapng *pcapng, __u32 interface);
