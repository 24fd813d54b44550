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
 */
#ifndef SKIFF_NETWORK_BRIDGE_H
#define SKIFF_NETWORK_BRIDGE_H

#include "base/error.h"
#include "network/plan.h"

/* Makes sure that the bridge and its part of the firewall are there; gives its index. */
int bridge_ensure(int route_sock, int nft_sock, const struct network_link *link,
		  uint32_t *ret_index, struct error *err);

/* Removes both. What is not there is success, a link that is not ours ERR_CONFLICT. */
int bridge_remove(int route_sock, int nft_sock, const struct network_link *link, struct error *err);

#endif
