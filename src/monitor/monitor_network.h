/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_network.h - the network of the container that a monitor is for
 *
 *	begin()   reads the plan
 *	make()    is handed to the runtime and fills the container's namespace while its first process
 *	          mounts; from here on names of it are known and questions are queued
 *	serve()   answers them, and watches the packet filter: what somebody flushes is put back
 *	reload()  the plan was changed (network connect): SIGHUP says so
 *	end()     takes everything down; may be called at any time after begin()
 *
 * A container without a network of its own costs nothing here.
 */
#ifndef SKIFF_MONITOR_MONITOR_NETWORK_H
#define SKIFF_MONITOR_MONITOR_NETWORK_H

#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"
#include "sys/event.h"

struct monitor_network;

struct monitor_network_place {
	const char *id;    /* the container's; borrowed for good, as all of these */
	const char *state; /* STATE, a path */
	int container_fd;  /* ROOT/containers/ID */
};

/* NULL in *ret_network when there is no plan. */
int monitor_network_begin(const json_t *plan, const struct monitor_network_place *place,
			  struct monitor_network **ret_network, struct error *err);

/* For struct runtime_request: `network` is the context. */
int monitor_network_make(void *network, pid_t pid, struct error *err);

/* `network` may be NULL for all of these. */
void monitor_network_serve(struct monitor_network *network, struct event_loop *loop);
void monitor_network_reload(struct monitor_network *network);
void monitor_network_end(struct monitor_network *network);
void monitor_network_free(struct monitor_network *network);

DEFINE_CLEANUP(struct monitor_network *, monitor_network_free);

#endif
