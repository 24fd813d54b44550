/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_restart.h - the command line's part of a restart by policy
 *
 * A monitor that starts its container again has no database. It runs us under the name
 * MONITOR_PREPARE_ARGV0 (monitor/protocol.h), with ROOT, STATE and ID as arguments and a socket as
 * MONITOR_CONTROL_FD: we do what container_start() does before its LAUNCH, answer, and stay until
 * the monitor closes the socket.
 */
#ifndef SKIFF_ENGINE_CONTAINER_RESTART_H
#define SKIFF_ENGINE_CONTAINER_RESTART_H

#include "base/error.h"

struct engine;

/* The program's exit status. */
int container_restart_main(int argc, char **argv);

#endif
