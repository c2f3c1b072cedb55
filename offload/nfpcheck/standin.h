// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A device in place of a Netronome card, so that the kernel's own nfp verifier, translator and map code can
 * be asked without one. Those files are compiled as they are; what is here takes the place of the files
 * around them: firmware, control channel, PCI.
 */
#pragma once

#include <nfp_app.h>
#include <nfp_main.h>
#include <nfp_net.h>
#include <bpf/fw.h>
#include <bpf/main.h>

/* Gives back what is left of the maps. */
void standin_maps_free(void);
