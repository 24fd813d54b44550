/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_points.h - one layer below every image's, with what is always mounted over
 *
 * An image without /proc or /etc/resolv.conf would get them made in the container's own upper
 * directory at every start: a dozen files and directories, and /etc copied up. Instead they lie in a
 * layer of the store, made once, at the bottom of every container's overlay; what an image has of its
 * own is above it and wins.
 */
#ifndef SKIFF_ENGINE_MOUNT_POINTS_H
#define SKIFF_ENGINE_MOUNT_POINTS_H

#include "base/error.h"

/* Its directory, relative to ROOT. */
#define MOUNT_POINTS_PATH "cache/mount-points"

/* Makes it when it is not there. */
int mount_points_ensure(int root_fd, struct error *err);

#endif
