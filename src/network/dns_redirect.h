/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_redirect.h - 127.0.0.11:53 inside a container
 *
 * The resolver's sockets are on ports of their own, so that a container's own name server can have port
 * 53; questions to 127.0.0.11 are redirected to them, by rules in the container's namespace.
 */
#ifndef SKIFF_NETWORK_DNS_REDIRECT_H
#define SKIFF_NETWORK_DNS_REDIRECT_H

#include <stdint.h>

#include "base/error.h"

#define DNS_ADDRESS "127.0.0.11"

/*
 * Opens both sockets in the namespace (owned by the caller; not blocking) and makes the rules.
 */
int dns_redirect_open(int netns_fd, int *ret_udp_fd, int *ret_tcp_fd, struct error *err);

#endif
