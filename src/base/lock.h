/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.h - kernel locks: on files by name, on descriptors (directories too) with flock(2)
 *
 * They die with their holder. A forked child shares the lock until it execs or closes the
 * descriptor, so never fork a long-lived child with one held unless that is the point.
 */
#ifndef SKIFF_BASE_LOCK_H
#define SKIFF_BASE_LOCK_H

#include <stdbool.h>

/*
 * Opens (creating, mode 0600) and locks the file exclusively. Returns its descriptor, which holds
 * the lock, or -EWOULDBLOCK when `wait` is false and somebody else holds it. Not to be mixed with
 * lock_fd() on the same file: the two kinds do not see each other.
 */
int lock_file(int dir_fd, const char *name, bool wait);

/* Locks an open descriptor exclusively: 0, -EWOULDBLOCK, or another negative errno. */
int lock_fd(int fd, bool wait);

/* The same, shared with others who hold it shared. */
int lock_fd_shared(int fd, bool wait);

/* Gives the lock back while the descriptor stays open. */
int lock_release(int fd);

/* Whether somebody holds lock_file()'s lock of a file: 1, 0, -ENOENT. Takes nothing. */
int lock_is_held(int dir_fd, const char *name);

#endif
