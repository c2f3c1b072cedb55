// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a place that runs the program must supply. A target header (xdp/target_native.h, offload/target_nfp.h,
 * host/engine/target_user.h) defines everything below and is included before the program's headers; this
 * header then closes the door: what only a target may use is poisoned from here on.
 *
 *   struct target             what the target knows about the packet's place: tables, counters, port
 *   TARGET_HAS_CLOCK          constant 0 or 1: target_clock() exists
 *   TARGET_FRAME_WORD         attributes of an integer that is read at any address of a frame
 *   TARGET_BUFFERS            optional, 0: a frame lies in one buffer, packet.data to .end
 *
 * Reading the image. An index may be anything; a target answers with some valid cell, never with a fault.
 *
 *   const struct image_interface *target_ingress(t)    the port's own interface, for untagged frames
 *   u64 target_node(t, index)                          descriptor at a word index of node[]
 *   u32 target_run(t, index)
 *   u16 target_leaf(t, index)                          run[] as halves of cells
 *   const struct image_control *target_control(t)
 *   const struct image_vrf *target_vrf(t, index)
 *   const struct image_interface *target_interface(t, index)
 *   const struct image_nexthop *target_nexthop(t, id)
 *   u16 target_vlan(t, index)
 *   u32 target_bucket(t, index)
 *   u8 target_own(t, slot)
 *
 * The packet.
 *
 *   u32 target_port(t)                                 ingress port
 *   bool target_reaches(t, port)                       whether a packet can leave by that port from here
 *   u32 target_frame_length(t, packet)                 whole frame, all buffers
 *   bool target_grow(t, packet, bytes)                 move the front by bytes (< 0: shrink), packet.data and
 *                                                      .end follow; false and nothing changed: no room
 *   bool target_reads(t, at)                           for xdp/walk.h: the bytes before `at` are there
 *   u64 target_clock(t)                                time in the unit of image_control.deadline
 */
#pragma once

#if !defined(TARGET_HAS_CLOCK)
#error "include a target header before the program's headers"
#endif

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef TARGET_BUFFERS
#define TARGET_BUFFERS 1
#endif
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* The program itself has no libc, no BPF helper, no map, no action code of any one target. */
#pragma GCC poison malloc free printf errno memcmp
#pragma GCC poison bpf_map_lookup_elem bpf_redirect_map bpf_redirect bpf_xdp_adjust_head
#pragma GCC poison XDP_PASS XDP_DROP XDP_TX XDP_REDIRECT XDP_ABORTED
