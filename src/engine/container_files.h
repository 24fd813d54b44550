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

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"

/* The root filesystem without volumes and mounts, as a tar archive. */
struct export_request {
	const char *path; /* appears whole or not at all; NULL: `fd` */
	int fd;
};

int container_export(struct engine *engine, const char *selector,
		     const struct export_request *request, struct error *err);

/* Between a container and the host, with docker's rules for names (engine/copy_path.h). */
struct copy_request {
	const char *container;      /* selector */
	const char *container_path; /* as it was typed; relative ones begin at "/" */
	const char *host_path;      /* as it was typed; NULL: `stream_fd` is a tar archive */
	int stream_fd;
	bool follow_link; /* the source, when it is a link */
	bool archive;     /* -a: owners */
};

struct copy_result {
	uint64_t bytes;    /* of the archive, as docker counts */
	char *destination; /* owned; for a message; NULL for a stream */
};

int container_copy_out(struct engine *engine, const struct copy_request *request,
		       struct copy_result *ret_result, struct error *err);
int container_copy_in(struct engine *engine, const struct copy_request *request,
		      struct copy_result *ret_result, struct error *err);
void copy_result_release(struct copy_result *result);

/* What the container wrote since it was made: 'A' added, 'C' changed, 'D' deleted, as docker's diff. */
struct diff_request {
	void (*change)(void *context, char kind, const char *path);
	void *context;
};

int container_diff(struct engine *engine, const char *selector, const struct diff_request *request,
		   struct error *err);

/* An image of what the container wrote, on top of its own. */
struct commit_request {
	const char *name; /* reference; NULL: none */
	const char *author, *message;
	struct strv changes; /* instructions (engine/image_change.h); borrowed */
	bool pause;          /* while it is read, when it runs */
};

/* *ret_id ("sha256:…") is the caller's. */
int container_commit(struct engine *engine, const char *selector,
		     const struct commit_request *request, char **ret_id, struct error *err);

DEFINE_CLEANUP_VALUE(struct copy_result, copy_result_release);

#endif
