// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * An address and a port as people write them: "127.0.0.1:9477", "[::1]:9477".
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* -EINVAL: not an address (names are not looked up) or not a port. */
int endpoint_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size);
/* Whether only this host can reach it. */
bool endpoint_is_local(const struct sockaddr_storage *address);
