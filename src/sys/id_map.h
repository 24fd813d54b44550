/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id_map.h - mounts whose files belong to somebody else than on the filesystem (Linux 5.12)
 *
 * The kernel takes the mapping from a user namespace, which may be gone afterwards but for its
 * descriptor (mount_setattr(2), MOUNT_ATTR_IDMAP).
 */
#ifndef SKIFF_SYS_ID_MAP_H
#define SKIFF_SYS_ID_MAP_H

#include <stdbool.h>

/*
 * A user namespace with these maps, in the form of /proc/PID/uid_map: lines of "FROM TO COUNT". The caller
 * must be single-threaded. Returns its descriptor, owned by the caller, or a negative errno; -EINVAL
 * when the kernel does not take the ranges (they overlap).
 */
int id_map_namespace(const char *uid_map, const char *gid_map);

/*
 * Applies it to a mount that is attached nowhere yet. -EINVAL: the filesystem cannot, or the mount
 * has a mapping.
 */
int id_map_mount(int mount_fd, int namespace_fd, bool recursive);

#endif
