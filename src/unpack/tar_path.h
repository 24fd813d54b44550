/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_path.h - names in a layer: made clean, and what they ask for
 *
 * Pure functions on memory.
 */
#ifndef SKIFF_UNPACK_TAR_PATH_H
#define SKIFF_UNPACK_TAR_PATH_H

#include <limits.h>
#include <stddef.h>

/* A clean path; "" is the layer's root. */
struct tar_path {
	size_t len;
	char text[PATH_MAX];
};

/*
 * Lexically: leading '/' away, no empty component, no ".", "a/../b" is "b", no trailing '/'.
 * -EXDEV when ".." climbs out of the root, -ENAMETOOLONG when the result is longer than
 * PATH_MAX - 1 or a component longer than NAME_MAX. The output is untouched on failure.
 */
int tar_path_clean(const char *raw, struct tar_path *ret_path);

/*
 * Splits a clean path that is not the root: *ret_parent becomes its parent ("" for the root), the
 * result is the last component, borrowed from `path`.
 */
const char *tar_path_split(const struct tar_path *path, struct tar_path *ret_parent);

/* What a name means in a layer (the "whiteouts" of the OCI image specification). */
enum whiteout {
	WHITEOUT_NONE,    /* an ordinary name */
	WHITEOUT_FILE,    /* ".wh.NAME": hides NAME of the layers below */
	WHITEOUT_OPAQUE,  /* ".wh..wh..opq": hides everything below in this directory */
	WHITEOUT_META,    /* any other component ".wh..wh.*": bookkeeping of aufs, not for us */
	WHITEOUT_INVALID, /* hides "", "." or ".." */
};

/* For WHITEOUT_FILE, *ret_hidden is NAME, borrowed from `path`. */
enum whiteout tar_path_whiteout(const struct tar_path *path, const char **ret_hidden);

/*
 * A name for a message: control characters and bytes that are not UTF-8 become '?', and it is cut
 * after some 200 bytes. The struct form lets it be used in an argument list.
 */
struct shown_name {
	char text[208];
};
struct shown_name tar_path_show(const char *name);

#endif
