/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs.h - reading what a container has written
 *
 * The log is json.log, json.log.1, json.log.2, … (oldest last, rotated ones perhaps with ".gz") in
 * ROOT/containers/ID, written by the monitor in docker's json-file format. It is read while it
 * grows and while it is rotated.
 */
#ifndef SKIFF_ENGINE_LOGS_H
#define SKIFF_ENGINE_LOGS_H

#include <stdbool.h>

#include "base/error.h"

struct logs_request;

/*
 * container_dir_fd: ROOT/containers/ID. state_dir_fd: STATE/containers/ID, by which `follow` learns
 * that the container has ended; NO_FD when it does not run. `is_local`: of log driver
 * local. A log that was never written is empty.
 */
int logs_read(int container_dir_fd, int state_dir_fd, bool is_local,
	      const struct logs_request *request, struct error *err);

#endif
