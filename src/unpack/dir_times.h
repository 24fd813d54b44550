/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir_times.h - directories' times, set when nothing more is made in them
 *
 * One record per directory entry; with a million of them that is more than we want to hold, so what
 * is above DIR_TIMES_BUFFER goes to a file without a name in the layer's own filesystem.
 */
#ifndef SKIFF_UNPACK_DIR_TIMES_H
#define SKIFF_UNPACK_DIR_TIMES_H

#include <time.h>

#include "base/strbuf.h"
#include "unpack/tar_path.h"

#define DIR_TIMES_BUFFER ((size_t)4 << 20)

struct dir_times {
	int root_fd; /* borrowed */
	int spill_fd;
	struct strbuf records;
};

void dir_times_init(struct dir_times *t, int root_fd);
void dir_times_release(struct dir_times *t);

/* times: atime, mtime. 0 or a negative errno. */
int dir_times_add(struct dir_times *t, const struct tar_path *path, const struct timespec times[2]);

/* In the order they were added; a directory that is gone meanwhile is passed over. */
int dir_times_apply(struct dir_times *t);

DEFINE_CLEANUP_VALUE(struct dir_times, dir_times_release);

#endif
