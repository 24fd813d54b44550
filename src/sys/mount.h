/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount.h - mounts by descriptor (Linux 5.2 and later)
 *
 * A mount is made detached, known only by its descriptor, and then attached on a directory or file
 * that is itself a descriptor: no path is looked up twice. A detached mount that is never attached
 * goes away with its descriptor. All functions return a descriptor or 0, or a negative errno.
 */
#ifndef SKIFF_SYS_MOUNT_H
#define SKIFF_SYS_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One "key=value" or, with value NULL, a flag. */
struct mount_option {
	const char *key, *value;
};

/*
 * A new filesystem instance: fsopen(), fsconfig() for each option, fsmount() with `attributes`
 * (MOUNT_ATTR_*). "source" is an option like any other.
 */
int mount_new(const char *fs_type, const struct mount_option *options, size_t option_count,
	      unsigned int attributes);

/*
 * An overlay. `lowers` are directories, top first; upper_fd and work_fd may be NO_FD for a
 * read-only one. All must have been opened in the caller's own mount namespace
 * (ovl_get_lowerstack()).
 */
struct mount_overlay {
	const int *lowers;
	size_t lower_count;
	int upper_fd, work_fd;
	bool is_volatile;        /* no sync of the upper filesystem when it goes */
	unsigned int attributes; /* MOUNT_ATTR_* */
};
int mount_overlay(const struct mount_overlay *overlay);

/*
 * A detached copy of the mount at fd, with everything mounted below it when `recursive`. It is private: a
 * copy of the host's mounts, which systemd makes shared, is else a peer of them, and what is mounted
 * on it appears on the host. mount_copy_peer() leaves it one, for propagation that somebody asked for.
 */
int mount_copy(int fd, bool recursive);
int mount_copy_peer(int fd, bool recursive);

/*
 * The same of the mount that has this directory in another mount namespace. Another process goes
 * there and sends it: we stay where we are.
 */
int mount_copy_from(int mount_ns_fd, const char *path);

/*
 * Changes attributes (MOUNT_ATTR_*) of a mount that is a descriptor, and its propagation
 * (MS_PRIVATE …, 0: unchanged).
 */
int mount_change(int mount_fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive);

/*
 * Owners are shown, and written, as the user namespace has them: who is N on the disk is who N is inside.
 * For a mount that was never attached; -EINVAL when its filesystem cannot.
 */
int mount_map_owners(int mount_fd, int user_ns_fd, bool recursive);

/* Attaches a detached mount on what target_fd refers to. */
int mount_attach(int mount_fd, int target_fd);

/* Makes the mount at root_fd the root of this mount namespace and forgets the old one; cwd is "/".
 */
int mount_pivot(int root_fd);

#endif
