/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_console.h - a container's terminal: handed to whoever watches it, or shown on ours
 */
#ifndef SKIFF_OCI_OCI_CONSOLE_H
#define SKIFF_OCI_OCI_CONSOLE_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Whether a terminal goes somewhere: to a socket when we leave before the container, else to ours.
 * ERR_INVALID when the two do not fit.
 */
int oci_console_check(bool terminal, bool leaves, const char *socket_path, struct error *err);

/* Sends the master to the listener of --console-socket. */
int oci_console_send(const char *socket_path, int master_fd, struct error *err);

/*
 * Until the process ends: passes signals on and, with a terminal (master_fd, else NO_FD), shows it on ours,
 * to the last byte. Signals must have been blocked with oci_block_signals() before the process was made.
 * Returns its exit code.
 */
int oci_foreground(int pidfd, int master_fd, struct error *err);
void oci_block_signals(void);

#endif
