/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_namespace.h - user namespaces by descriptor (user_namespaces(7))
 */
#ifndef SKIFF_SYS_USER_NAMESPACE_H
#define SKIFF_SYS_USER_NAMESPACE_H

#include <sys/types.h>

struct id_map;

/*
 * Writes the maps of the user namespace that `pid`, a child of ours, was cloned into. Only once for each
 * namespace. We need CAP_SETUID and CAP_SETGID where it was made.
 */
int user_namespace_map(pid_t pid, const struct id_map *uids, const struct id_map *gids);

/* The user namespace of a child of ours. */
int user_namespace_open(pid_t pid);

/* The maps of an existing one, as we see the numbers; the empty ones given are filled. */
int user_namespace_read(int ns_fd, struct id_map *uids, struct id_map *gids);

/* A new one that nobody is in: it lives as long as the descriptor, or what refers to it. */
int user_namespace_new(const struct id_map *uids, const struct id_map *gids);

/*
 * For a process that has just come into a user namespace: it is nobody there that has a number, and can
 * make no file. Becomes user 0 and group 0 of it, without other groups. Clears the parent-death signal.
 */
int user_namespace_become_root(void);

/*
 * Files that we make from now on are theirs, and nothing else changes: not what we may do. For a
 * process of one thread that is root. -errno when the second half failed; the first is then undone.
 */
int file_owner_become(uid_t uid, gid_t gid);
void file_owner_reset(void);

#endif
