/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_path.h - docker's rules for the paths of cp
 *
 * Pure functions on text. A '/' or "/." at the end of a path means something to cp and is kept:
 *
 *	SOURCE         DESTINATION          result
 *	file           no such name         is made, with that name
 *	file           no such name + "/"   error
 *	file           file                 is replaced
 *	file           directory            goes into it
 *	directory      no such name         is made; gets what SOURCE has in it
 *	directory      file                 error
 *	directory      directory            SOURCE goes into it; of "SOURCE/." only what is in it
 *
 * The parent of DESTINATION must exist.
 */
#ifndef SKIFF_ENGINE_COPY_PATH_H
#define SKIFF_ENGINE_COPY_PATH_H

#include <stdbool.h>

#include "base/error.h"

/* "/tmp" and "a/../b/." are "/tmp/b/."; caller frees. */
char *copy_path_absolute(const char *directory, const char *path);

/* The last component, "." of "a/.", "/" of "/"; caller frees. */
char *copy_path_base(const char *path);

/* What stands before copy_path_base(); caller frees. */
char *copy_path_parent(const char *path);

/* Says of itself that it is a directory: "a/", "a/.". */
bool copy_path_is_directory(const char *path);

struct copy_destination {
	const char *path;
	bool exists, is_dir;
};

/*
 * Where to unpack, and under which name what is copied goes there. Both are the caller's. ERR_INVALID
 * with docker's words.
 */
int copy_path_plan(const char *source_name, bool source_is_dir,
		   const struct copy_destination *destination, char **ret_directory, char **ret_as,
		   struct error *err);

#endif
