/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parent_link.h - the link of the host that macvlan and ipvlan networks are on
 *
 * It is the user's. Only "LINK.ID", a VLAN that does not exist, is made, and removed with the network
 * that made it: it carries that network's id as its alias.
 */
#ifndef SKIFF_NETWORK_PARENT_LINK_H
#define SKIFF_NETWORK_PARENT_LINK_H

#include "base/error.h"
#include "network/plan.h"

int parent_link_ensure(int route_sock, const struct network_link *link, uint32_t *ret_index,
		       struct error *err);
int parent_link_remove(int route_sock, const struct network_link *link, struct error *err);

#endif
