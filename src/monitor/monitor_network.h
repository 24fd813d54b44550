/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_network.h - the network of the container that a monitor is for
 *
 * begin() reads the plan; make() is handed to the runtime and fills the container's namespace while
 * its first process mounts; end() takes everything down and may be called at any time, more than
 * once. A container without a network of its own costs nothing here.
 */
#ifndef SKIFF_MONITOR_MONITOR_NETWORK_H
#define SKIFF_MONITOR_MONITOR_NETWORK_H

#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"

struct monitor_network;

/* NULL in *ret_network when there is no plan. */
int monitor_network_begin(const json_t *plan, struct monitor_network **ret_network,
			  struct error *err);

/* For struct runtime_request: `network` is the context. */
int monitor_network_make(void *network, pid_t pid, struct error *err);

/* `network` may be NULL for both. */
void monitor_network_end(struct monitor_network *network);
void monitor_network_free(struct monitor_network *network);

DEFINE_CLEANUP(struct monitor_network *, monitor_network_free);

#endif
