/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - paths beneath a directory descriptor
 *
 * Everything inside a container, an image or a layer is reached through these calls: the kernel
 * resolves the path as if `root_fd` were "/" (openat2(2), RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
 * Linux 5.6), so no link leads out of it.
 */
#ifndef SKIFF_BASE_PATH_H
#define SKIFF_BASE_PATH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens `path` as seen from inside root_fd. Returns a descriptor or a negative errno. */
int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode);

/*
 * As this process sees it from dir_fd, links to anywhere included, but none of procfs's: only for a
 * process whose root directory is the container's, with nothing else left to be led to.
 */
int path_open_inside(int dir_fd, const char *path, int flags, mode_t mode);

/*
 * The same without following any symbolic link and without ".." leading out
 * (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS): for trees of our own whose names come from outside.
 */
int path_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);

/*
 * Creates the directory and its missing parents as seen from inside root_fd, following links
 * that stay inside, and returns an O_PATH descriptor of it. New directories get `mode` and,
 * when uid is not (uid_t)-1, the given owner. -ENOTDIR when a component is something else.
 */
int path_mkdir_in_root(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid);

/* Creates an empty regular file (and its missing parents); returns an O_PATH descriptor. */
int path_mkfile_in_root(int root_fd, const char *path, mode_t mode);

/*
 * Removes a file or a whole tree below dir_fd without ever following a link and without
 * crossing into another mount. Missing is success. Clears immutable attributes it meets.
 */
int path_remove_tree(int dir_fd, const char *name);

/* mkdir -p for our own directories on the host; existing directories are success. */
int path_mkdir_parents(const char *path, mode_t mode);

/* The same for a directory that is ours alone: 0700, what is missing above it 0755. */
int path_mkdir_private(const char *path);

/* Lexical: "//a/./b/../c/" becomes "/a/c"; never leaves "/". Caller frees. */
char *path_clean(const char *path);

/* The part after the last '/'; borrowed. */
const char *path_basename(const char *path);

#endif
