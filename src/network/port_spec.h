/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_spec.h - ports as users write them
 *
 *	[ADDRESS:][HOST_PORT[-LAST]:]CONTAINER_PORT[-LAST][/tcp|udp|sctp]     -p
 *	CONTAINER_PORT[-LAST][/PROTOCOL]                                      --expose, EXPOSE
 *
 * An IPv6 address stands in brackets. As with docker, no host port, or 0, means that one is chosen; a
 * range of host ports for a single container port means that one of them is.
 */
#ifndef SKIFF_NETWORK_PORT_SPEC_H
#define SKIFF_NETWORK_PORT_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "network/ip.h"

struct port_spec {
	int protocol;                   /* IPPROTO_* */
	struct ip_address host;         /* family 0: every address */
	uint16_t host_first, host_last; /* 0, 0: to be chosen */
	uint16_t container_first, container_last;
};

/* ERR_INVALID in docker's words. */
int port_spec_parse(const char *text, struct port_spec *ret_spec, struct error *err);

/* --expose: only the second form; the host's ports are 0. */
int port_expose_parse(const char *text, struct port_spec *ret_spec, struct error *err);

/* In the first form, whole; parses to the same. Caller frees. */
char *port_spec_format(const struct port_spec *spec);

#endif
