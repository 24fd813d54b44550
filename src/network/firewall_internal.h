/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firewall_internal.h - for the rules (firewall.c) and what is in their sets (firewall_elements.c)
 */
#ifndef SKIFF_NETWORK_FIREWALL_INTERNAL_H
#define SKIFF_NETWORK_FIREWALL_INTERNAL_H

#include "base/error.h"
#include "network/firewall.h"
#include "sys/netlink.h"

/* "WHAT: …", with what is to be done where the kernel has not what we need. */
int firewall_fail(int error, const struct netlink_failure *failure, const char *what,
		  struct error *err);

/* The table with its sets, chains and rules, into a batch that has begun. */
void firewall_put_table(struct netlink_batch *batch);

#endif
