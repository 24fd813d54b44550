/* SPDX-License-Identifier: Apache-2.0 */
/* copy_files.h - what ends of a copy that are directories have in common */
#ifndef SKIFF_ENGINE_COPY_FILES_H
#define SKIFF_ENGINE_COPY_FILES_H

#include <stddef.h>

#include "engine/copy_internal.h"

/* All of a file in the directory, at most MANIFEST_MAX_BYTES; the digest is set. */
int copy_files_read_document(int dir_fd, const char *name, struct copy_document *ret_document,
			     struct error *err);

/* A whole file, appended to `fd`. */
int copy_files_read_blob(int dir_fd, const char *name, int fd, struct error *err);

/* A regular file of this size is there: 1, 0. */
int copy_files_have(int dir_fd, const char *name, uint64_t size_bytes);

/* A file without a name in this directory. */
int copy_files_new(int dir_fd, struct error *err);

/* Flushes it and gives it its name; what has that name already stays. */
int copy_files_place(int dir_fd, const char *name, int fd, struct error *err);

#endif
