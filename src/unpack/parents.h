/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parents.h - the directories in which entries are made
 *
 * Theory. A name in a layer is resolved as docker resolves it, which is what a program inside the
 * chroot'ed layer would see: a parent that is a symbolic link is followed, inside the root. openat2(2)
 * does it (RESOLVE_IN_ROOT), beneath our descriptor of the root; or, in a directory of a container,
 * from its root, which is ours too then. Missing parents are made, 0755 and
 * root's. A link that leads to nothing, or a parent that is no directory, is an error.
 *
 * Archives are written directory by directory, so a small table of open directories answers nearly
 * every question. Creating entries never changes what a path that was resolved means; removing one
 * may: whoever removes something sets `stale`, and the table is emptied before the next question. (Not at
 * once: the caller still holds a descriptor of it.)
 */
#ifndef SKIFF_UNPACK_PARENTS_H
#define SKIFF_UNPACK_PARENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "unpack/confine.h"
#include "unpack/tar_path.h"

#define PARENTS_MAX 64

struct parent {
	int fd;         /* O_RDONLY; NO_FD: free */
	bool via_links; /* a symbolic link was followed on the way */
	struct tar_path path;
};

/* Where names begin, and how a link on the way is followed. */
struct parents_base {
	int fd;      /* borrowed */
	bool inside; /* as the container itself would, from its root; else this directory is the root */
};

struct parents {
	const struct confinement *confinement;
	struct parents_base base;
	struct parent *table; /* PARENTS_MAX, by hash of the path */
	uint64_t made;        /* directories that no entry asked for */
	bool stale;           /* something was removed: set by whoever did it */
};

void parents_init(struct parents *p, const struct confinement *c, struct parents_base base);
void parents_release(struct parents *p);

/*
 * The directory `path`, made when it is missing and `make` is given. The result is borrowed and valid
 * until the next call of any of these functions. Negative errno: -ENOENT, -ENOTDIR, -ELOOP …
 */
int parents_open(struct parents *p, const struct tar_path *path, bool make,
		 const struct parent **ret_parent);

/*
 * Makes a directory, or finds the one that is there, and opens it O_RDONLY. Anything else that is
 * there is -EEXIST, except a whiteout, which becomes an opaque directory: the layer says that what
 * is below is hidden, and that there is a directory.
 */
int parents_make_dir(struct parents *p, int dir_fd, const char *name);

/* A character device 0:0. */
bool parents_is_whiteout(int dir_fd, const char *name);

DEFINE_CLEANUP_VALUE(struct parents, parents_release);

#endif
