/* SPDX-License-Identifier: Apache-2.0 */
/* network_host.h - the host's side of a network, without any container */
#ifndef SKIFF_NETWORK_NETWORK_HOST_H
#define SKIFF_NETWORK_NETWORK_HOST_H

#include "base/error.h"
#include "network/plan.h"

/*
 * A bridge is made; of macvlan and ipvlan the parent is looked for, and made when it is a VLAN's name
 * ("eth0.20"). Done already is success.
 */
int network_host_make(const struct network_link *link, struct error *err);

/* What is not there is success. A parent that is no VLAN of ours is left alone. */
int network_host_remove(const struct network_link *link, struct error *err);

/* Makes sure that the rules are there, and puts this network's elements into them. */
int network_host_repair(const struct network_link *link, struct error *err);

/*
 * Removes an on_demand bridge, and what rules know of it, if no port is on it and nobody is about to
 * put one.
 */
int network_host_sweep(const struct network_link *link, int state_fd, struct error *err);

#endif
