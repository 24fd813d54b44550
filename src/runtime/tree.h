/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h - a container's files, for those who are not in it
 *
 * Theory. Copying, comparing and exporting need a container's files as the container sees them, also
 * when it does not run, and must not go through a path of the host: whoever resolves a name in there
 * with the host's root as his own can be led out by a link (CVE-2018-15664). So what one gets is a mount
 * namespace whose root is the container's, by descriptor; skiff-unpack enters it and has nothing else.
 * The namespace lives as long as the descriptor; the host's mount table never shows it.
 *
 *	TREE_FILES     all that the container sees: its root, volumes, binds. Of a running one it is
 *	               the container's own namespace, tmpfs included; of another one it is made here,
 *	               without those filesystems that exist only while it runs, and for writing: the
 *	               caller keeps the container from being started
 *	TREE_ROOT      the root filesystem alone, read-only: what an image would be made of
 *	TREE_LAYERS    read-only; "/upper" is what the container wrote, "/lower" the image
 */
#ifndef SKIFF_RUNTIME_TREE_H
#define SKIFF_RUNTIME_TREE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

struct launch_mounts;
struct process_id;

enum tree_kind {
	TREE_FILES,
	TREE_ROOT,
	TREE_LAYERS,
};

#define TREE_UPPER "/upper"
#define TREE_LOWER "/lower"

struct tree_request {
	enum tree_kind kind;
	const struct process_id *init; /* PID 1 of a running container, else NULL */
	int root_fd;                   /* ROOT */
	int bundle_fd;                 /* ROOT/containers/ID */
	const struct strv *lowers;     /* as in launch.json */
	const json_t *mounts;          /* of an OCI configuration; those from outside are mounted */
	struct launch_mounts *mount_extras; /* what launch.json says of them; taken; may be NULL */
	bool has_user_ns;    /* what a running one sees has other owners than the disk */
	bool root_read_only; /* TREE_FILES: what is mounted below it may still be written */
};

/*
 * Returns the descriptor of the mount namespace. ERR_CONFLICT when the container ended meanwhile. The
 * caller must be single-threaded.
 */
int tree_open(const struct tree_request *request, struct error *err);

/* Who a user is in there, by the tree's own /etc/passwd and /etc/group (runtime/user_lookup.h). */
int tree_lookup_user(int tree_fd, const char *user, uid_t *ret_uid, gid_t *ret_gid,
		     struct error *err);

#endif
