/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start_wait.h - a container that waits to be started, with nobody but the kernel to remember it
 *
 * Theory. An OCI runtime makes a container in one call and starts it in another, and nothing of it runs in
 * between but the container's first process. That one holds a listening socket whose name is in the
 * container's directory. Whoever starts it connects, and from then on the connection is the channel of
 * sync.h between parent and child: SYNC_START goes in, and either end of file or the error comes back.
 *
 * The listener is close-on-exec. So whether a container waits or runs is the kernel's knowledge, not that of
 * a record: a connection is refused as soon as the command was executed. A starter that dies before it has
 * said SYNC_START changes nothing; the next one is accepted.
 */
#ifndef SKIFF_RUNTIME_START_WAIT_H
#define SKIFF_RUNTIME_START_WAIT_H

#include <stdbool.h>

#include "base/error.h"

/* Makes the socket in a directory of ours; returns its descriptor. */
int start_wait_listen(int dir_fd, struct error *err);

/* Whether a first process waits there. */
bool start_wait_is_waiting(int dir_fd);

/*
 * Starts it: returns when the command was executed. ERR_CONFLICT when nobody waits; else as
 * runtime_start().
 */
int start_wait_go(int dir_fd, struct error *err);

#endif
