/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firewall.h - our one table, "inet skiff"
 *
 * Theory. The rules are the same on every machine and are made once; what differs is in sets and
 * maps, so starting a container changes elements only, in one transaction, and costs the same with one
 * container or a thousand.
 *
 *	bridges           links of ours; what enters one from elsewhere must have been published
 *	loops             (bridge, the same bridge): traffic that comes back to where it came from
 *	internal          bridges without a way out
 *	locals4, locals6  (bridge, its subnet)
 *	nat4, nat6        bridges whose containers borrow the host's address when they leave
 *	ports4, ports6    (protocol, port) -> (container, port), whatever address of the host was meant
 *	hosts4, hosts6    the same for one address of the host
 *	port_ranges4 …    (protocol, first-last) -> container, for ranges that keep their numbers: one
 *	host_ranges4 …    element, however long the range is
 *
 * Only packets to an address of this host are redirected ("fib daddr type local"), arriving ones and
 * those of the host's own programs. 127.0.0.0/8 is for the latter only: what arrives from elsewhere
 * with such a destination is not redirected and meets the kernel's own check, which on our bridges,
 * where route_localnet is on, is replaced by the chain "guard" (CVE-2020-8558 was that).
 *
 * ::1 is not redirected at all: the kernel looks for the way back to it on the link of the answer only, where it
 * is not, and has no route_localnet for IPv6.
 *
 * The client's address is kept. It is replaced by the bridge's own only where the answer would not
 * come back through us: redirected traffic from a bridge's own subnet to that bridge, and 127.0.0.0/8.
 * (Not by the link it came in on: with br_netfilter such packets never leave the bridge and have none.)
 *
 * Accepting a packet here ends our say, not that of other tables: a host whose own rules drop
 * forwarded packets goes on to drop them.
 *
 * The table is there while there is a bridge: whoever removes the last one removes it in the same
 * transaction, which the kernel refuses when anybody has changed anything since we looked.
 *
 * Somebody may flush the whole ruleset; firewall_prepare() makes the rules again, and monitors put
 * back what is theirs (monitor_network.c).
 */
#ifndef SKIFF_NETWORK_FIREWALL_H
#define SKIFF_NETWORK_FIREWALL_H

#include "base/error.h"
#include "network/plan.h"

#define FIREWALL_TABLE "skiff"

/* Makes the rules if the table is not there; 1 when it did. Two at once do no harm. */
int firewall_prepare(int nft_sock, struct error *err);

/* What belongs to a bridge. Adding twice is success, as is removing what is not there. */
int firewall_add_bridge(int nft_sock, const struct network_link *link, struct error *err);
int firewall_remove_bridge(int nft_sock, const struct network_link *link, struct error *err);

/* ERR_CONFLICT when a port leads elsewhere already; then none of them was added. */
int firewall_publish(int nft_sock, const struct network_plan *plan, struct error *err);
/* Ports that are not there are no error. */
int firewall_unpublish(int nft_sock, const struct network_plan *plan, struct error *err);

/* 1: every number of this port is redirected to an address of this family, 0: not; or an error. */
int firewall_has_port(int nft_sock, const struct network_port *port, int family);

/* 1: our rules know this bridge, 0: not; or an error. */
int firewall_has_bridge(int nft_sock, const char *name);

#endif
