/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xattrs.h - which extended attributes travel in an archive, and reading them
 *
 * trusted.* and user.overlay.* would be believed by the overlay; of security.* only file capabilities
 * belong to the file, the rest (labels, hashes) is the host's to decide. The same rule holds both ways.
 */
#ifndef SKIFF_UNPACK_XATTRS_H
#define SKIFF_UNPACK_XATTRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "image/tar_entry.h"

bool xattr_travels(const char *name);

/* Attributes of a file, sorted by name; all memory is its own. */
struct xattr_list {
	struct pax_xattr *items;
	size_t count;
	char *memory;
};

/*
 * Reads those that travel. 0, also where the filesystem has none, or a negative errno. The list must
 * be empty or released.
 */
int xattr_list_read(int fd, struct xattr_list *ret_list);

/* Only the one of this name: no item when the file does not have it. */
int xattr_list_read_one(int fd, const char *name, struct xattr_list *ret_list);
void xattr_list_release(struct xattr_list *list);

DEFINE_CLEANUP_VALUE(struct xattr_list, xattr_list_release);

#endif
