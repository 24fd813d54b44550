/* SPDX-License-Identifier: Apache-2.0 */
/* listeners.h - which ports programs of this network namespace listen on (sock_diag(7)) */
#ifndef SKIFF_SYS_LISTENERS_H
#define SKIFF_SYS_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct listener {
	int protocol;        /* IPPROTO_TCP, IPPROTO_UDP */
	int family;          /* AF_INET, AF_INET6 */
	uint8_t address[16]; /* network order */
	bool is_any; /* every address of its family (of both, for IPv6 that is not v6-only) */
	uint16_t port;
};

struct listeners {
	struct listener *items;
	size_t count, capacity;
};

/* TCP sockets that listen and UDP sockets that are bound and not connected. */
int listeners_list(struct listeners *ret_listeners);
void listeners_release(struct listeners *listeners);

DEFINE_CLEANUP_VALUE(struct listeners, listeners_release);

#endif
