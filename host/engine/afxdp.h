// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The engine in user space behind AF_XDP sockets: the program in the kernel picks what can be forwarded and
 * hands just that to the sockets, all else takes the same ways as with native XDP.
 */
#pragma once

struct engine_ops;

extern const struct engine_ops engine_afxdp;
