/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health_probe.h - one check of a container's health, in a process of its own
 *
 * The monitor stays small and never waits: a fork of it enters the container, runs the check, kills
 * it with its children when it takes too long, and sends the result over a socket.
 */
#ifndef SKIFF_MONITOR_HEALTH_PROBE_H
#define SKIFF_MONITOR_HEALTH_PROBE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "monitor/health.h"
#include "runtime/health_check.h"
#include "runtime/state.h"

struct health_probe_request {
	const struct health_check *check;
	const struct container_state *state; /* of the run */
	const char *root;                    /* path of ROOT */
	int container_fd;                    /* ROOT/containers/ID */
};

/* Returns the process, with the socket in *ret_fd (owned by the caller), or a negative errno. */
pid_t health_probe_start(const struct health_probe_request *request, int *ret_fd);

/*
 * The result, once the socket is readable. 0, or -ENODATA when the process has ended without one,
 * -EAGAIN when there is none yet.
 */
int health_probe_finish(int fd, struct health_result *ret_result);

#endif
