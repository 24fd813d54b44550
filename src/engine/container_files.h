/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_files.h - use cases of a container's files
 *
 * None of them reaches a container's file by a path of the host: skiff-unpack enters the container's
 * mounts, loses everything else, and streams tar (unpack/protocol.h). Running and stopped containers
 * are the same to the caller.
 */
#ifndef SKIFF_ENGINE_CONTAINER_FILES_H
#define SKIFF_ENGINE_CONTAINER_FILES_H

#include "base/error.h"
#include "engine/engine.h"

/* The root filesystem without volumes and mounts, as a tar archive. */
struct export_request {
	const char *path; /* appears whole or not at all; NULL: `fd` */
	int fd;
};

int container_export(struct engine *engine, const char *selector,
		     const struct export_request *request, struct error *err);

#endif
