/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_mount.h - what an OCI configuration cannot say of one of its mounts
 *
 * A member "mounts" of launch.json; each belongs to the mount of config.json with its destination.
 *
 *	{"destination": "/data", "volume": "data", "fill": true, "subpath": "a/b", "chown": true}
 *	{"destination": "/tools", "lowers": ["layers/<chain-id>/diff", …], "upper": "mounts/1"}
 *	{"destination": "/share", "volume": "share", "hostFilesystem": true}
 */
#ifndef SKIFF_RUNTIME_LAUNCH_MOUNT_H
#define SKIFF_RUNTIME_LAUNCH_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/strv.h"

struct launch_mount {
	char *destination;
	char *volume;      /* its name, for events; NULL: not one */
	char *propagation; /* for events */
	char *subpath; /* beneath the source, also where links lead out of it; NULL: all of it */
	struct strv lowers; /* an overlay of these, top first, relative to ROOT; empty: none */
	char *upper; /* where it is written to, relative to ROOT/containers/ID, emptied at every start */
	/* Not a bind, and yet mounted by the parent: with the host's network, devices and paths. */
	bool host_filesystem;
	bool fill;  /* from the image, when it is empty */
	bool chown; /* all that is in it to the container's user */
	bool read_only;
};

struct launch_mounts {
	struct launch_mount *items;
	size_t count;
};

/* A new, empty one at the end; borrowed until the next is added. */
struct launch_mount *launch_mounts_add(struct launch_mounts *list, const char *destination);

/* NULL when nothing is to be said of it. */
const struct launch_mount *launch_mounts_find(const struct launch_mounts *list,
					      const char *destination);
void launch_mounts_release(struct launch_mounts *list);

/* A new reference. What is missing or of another type reads as empty: we wrote it. */
json_t *launch_mounts_to_json(const struct launch_mounts *list);
void launch_mounts_from_json(const json_t *array, struct launch_mounts *ret_list);

DEFINE_CLEANUP_VALUE(struct launch_mounts, launch_mounts_release);

#endif
