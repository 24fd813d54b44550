/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_dns.h - the resolver of one container, at 127.0.0.11 inside
 *
 * theory: Sockets in the container's namespace, answers from the names of its networks
 * (network/names.h), everything else forwarded from the host's namespace to the host's own servers, so
 * that one on the host's loopback can be asked too. A question that is forwarded by UDP has a socket
 * of its own, connected to the server: the kernel chooses its port, and only that server's answers
 * come in. All of it has limits: QUERIES_MAX questions under way, CLIENTS_MAX connections, messages
 * of DNS_UDP_MAX bytes by UDP; what is beyond them is refused or dropped, and the asker asks again.
 * Nothing is kept between questions.
 */
#ifndef SKIFF_MONITOR_MONITOR_DNS_H
#define SKIFF_MONITOR_MONITOR_DNS_H

#include "base/cleanup.h"
#include "network/plan.h"
#include "sys/event.h"

struct monitor_dns;

/*
 * Takes the sockets over. `plan` is borrowed and must stay; networks_fd (STATE/networks, NO_FD: none) is
 * taken over too.
 */
struct monitor_dns *monitor_dns_new(int udp_fd, int tcp_fd, int networks_fd,
				    const struct network_plan *plan);

/* From here on it answers. */
int monitor_dns_start(struct monitor_dns *dns, struct event_loop *loop);
void monitor_dns_free(struct monitor_dns *dns);

DEFINE_CLEANUP(struct monitor_dns *, monitor_dns_free);

#endif
