/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bridge.h - the link that a network is on the host
 *
 * A bridge is made when the first container needs it, and again after a reboot. That it is *up* is the
 * mark of being complete: whoever finds it missing or down configures it, every step of which may be
 * done twice, so no lock is needed and a process killed half-way leaves nothing that the next one
 * would not finish. Its hardware address follows from the network's id: by that a link of somebody
 * else's with the same name is told apart, from its first moment on, and neighbours can rely on it
 * while ports come and go.
 *
 * The bridge of a network that nobody asked for (on_demand: the predefined one) goes with its last
 * port. Whoever is about to put a port on it holds the state directory's bridges with a shared lock;
 * who takes it down needs the lock for himself and leaves it alone otherwise: then the other one will.
 */
#ifndef SKIFF_NETWORK_BRIDGE_H
#define SKIFF_NETWORK_BRIDGE_H

#include "base/error.h"
#include "network/plan.h"
#include "sys/link.h"

/* Makes sure that the bridge and its part of the firewall are there; gives its index. */
int bridge_ensure(int route_sock, int nft_sock, const struct network_link *link,
		  uint32_t *ret_index, struct error *err);

/* STATE, of which no bridge goes until the descriptor is closed. */
int bridge_hold(int state_fd, struct error *err);

/* Removes an on_demand bridge that has no ports and that nobody holds. */
int bridge_remove_unused(int route_sock, int nft_sock, int state_fd,
			 const struct network_link *link, struct error *err);

/* Whether a link of this name is this network's bridge. */
bool bridge_is_ours(const struct network_link *link, const struct link_info *info);

/* Removes both. What is not there is success, a link that is not ours ERR_CONFLICT. */
int bridge_remove(int route_sock, int nft_sock, const struct network_link *link, struct error *err);

#endif
