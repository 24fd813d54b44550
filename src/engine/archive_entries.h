/* SPDX-License-Identifier: Apache-2.0 */
/* archive_entries.h - what the archives that we write have in them: directories, texts, files */
#ifndef SKIFF_ENGINE_ARCHIVE_ENTRIES_H
#define SKIFF_ENGINE_ARCHIVE_ENTRIES_H

#include "base/error.h"
#include "image/tar_writer.h"

/* "blobs/" and "blobs/sha256/". */
int archive_add_blob_directories(struct tar_writer *w, struct error *err);

int archive_add_text(struct tar_writer *w, const char *name, const char *text, struct error *err);

/* The regular file `path` in dir_fd, which is no link. */
int archive_add_file(struct tar_writer *w, const char *name, int dir_fd, const char *path,
		     struct error *err);

#endif
