// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Constants baked into each instance of the program when it is loaded: which port it serves, how large the
 * image is, where the maps' values are. They stand in the object as immediates that no compiler folds; the
 * loader (host/engine/bake.h) finds and replaces them before the verifier sees the program. A load from a
 * read-only map would cost two instructions each time, a map lookup seven and a register that is then
 * spilled.
 *
 * An immediate is BAKED_MAGIC | enum baked. A value's address is a 64-bit immediate load, whose upper half is
 * an offset into the value and which becomes a BPF_PSEUDO_MAP_VALUE; a number is the immediate of a 32-bit
 * move or "and".
 */
#pragma once

#define BAKED_MAGIC 0x70570000 /* "pW": no offset, length or mask of the program looks like it */

enum baked {
	BAKED_TABLES = 1,    /* address: struct image_tables */
	BAKED_NODE = 2,      /* address: node[] */
	BAKED_RUN = 3,       /* address: run[] */
	BAKED_PORT = 4,      /* number: the port's id */
	BAKED_NODE_MASK = 5, /* number: u64 words of node[] - 1 */
	BAKED_RUN_MASK = 6,  /* number: cells of run[] - 1 */
	BAKED_INGRESS = 7,   /* address: the port's struct image_interface */
	BAKED_LEAF_MASK = 8, /* number: half cells of run[] - 1 */
	BAKED_QUEUES = 9,    /* number: receive queues to choose from; 0: none is chosen */
	BAKED_MAX,
};
