/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root_overlay.h - the layers of an image and a container's own, as one mount
 *
 * The mount is detached: the host's table never shows it.
 */
#ifndef SKIFF_RUNTIME_ROOT_OVERLAY_H
#define SKIFF_RUNTIME_ROOT_OVERLAY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"

/* Names inside a container's directory. */
#define ROOT_UPPER_NAME "upper"
#define ROOT_WORK_NAME "work"

enum root_use {
	ROOT_FOR_WRITING, /* nobody else may have it mounted for writing */
	ROOT_FOR_READING, /* what the container wrote on top, as it lies there now */
	ROOT_OF_IMAGE,    /* without what the container wrote */
};

struct root_overlay {
	int root_fd;               /* ROOT; lowers are relative to it */
	int bundle_fd;             /* ROOT/containers/ID: upper, work */
	const struct strv *lowers; /* top first */
	enum root_use use;
	int user_ns_fd; /* who the owners are; NO_FD: as they are on the disk */
	uid_t root_uid; /* with user_ns_fd: its root, as the host knows it */
	gid_t root_gid;
	bool is_volatile; /* for writing: no sync when it goes */
};

/* Returns the mount, owned by the caller. */
int root_overlay_mount(const struct root_overlay *request, struct error *err);

#endif
