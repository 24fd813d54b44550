/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_network.h - a container's interfaces and ports, from a plan
 *
 *	container_network_attach()   at the start, by the monitor: links, addresses, routes, ports
 *	container_network_detach()   at the end, by the monitor or whoever cleans up after it
 *
 * The namespace belongs to the container's first process. Its interfaces are made there directly, and
 * configured through a netlink socket that we open there; the caller is back in its own namespace
 * when the functions return.
 */
#ifndef SKIFF_NETWORK_CONTAINER_NETWORK_H
#define SKIFF_NETWORK_CONTAINER_NETWORK_H

#include <sys/types.h>

#include "base/error.h"
#include "network/plan.h"

/* state_fd: STATE. On failure nothing of the container is left. */
int container_network_attach(const struct network_plan *plan, int state_fd, int netns_fd,
			     struct error *err);

/* What is not there is success. A bridge that is there on demand goes with its last container. */
int container_network_detach(const struct network_plan *plan, int state_fd, struct error *err);

/*
 * Of a running container: makes the interfaces that only `after` has, removes those that only `before`
 * has, and sets the default routes.
 */
int container_network_change(const struct network_plan *before, const struct network_plan *after,
			     int state_fd, int netns_fd, struct error *err);

/* Puts back what a container has in the packet filter, and its bridges'; what is there stays. */
int container_network_repair(const struct network_plan *plan, struct error *err);

/* Publishes or takes back all ports of the plan, and nothing else. */
int container_network_publish(const struct network_plan *plan, struct error *err);
int container_network_unpublish(const struct network_plan *plan, struct error *err);

/* The network namespace of a process. */
int container_network_namespace(pid_t pid, struct error *err);

#endif
