/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive.h - named files in a tar archive or a directory
 *
 * A tar archive is known by its index, which skiff-unpack made (unpack/protocol.h); nothing here
 * reads tar. Names are relative and clean; links are followed inside the archive only: in a tar
 * by looking targets up in the index, in a directory by the kernel with the directory as root.
 */
#ifndef SKIFF_IMAGE_ARCHIVE_H
#define SKIFF_IMAGE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct archive;

/* A region of an open file; read it with pread(2). */
struct archive_file {
	int fd;
	bool owned; /* else fd belongs to the archive */
	uint64_t offset, size_bytes;
	const char *part; /* its name in parts_fd, when it is a file of its own there; borrowed */
};

void archive_file_release(struct archive_file *file);

/*
 * `index` is the helper's object ("entries": …); offsets are positions in fd, parts (archive_part.h)
 * lie in parts_fd, which is NO_FD when there can be none. Both are borrowed.
 */
int archive_new_tar(const json_t *index, int fd, int parts_fd, struct archive **ret_archive,
		    struct error *err);

/* Removes the parts. Those that were linked elsewhere stay there. Only fd is of use afterwards. */
void archive_remove_parts(const struct archive *archive);

/* dir_fd is borrowed. */
int archive_new_directory(int dir_fd, struct archive **ret_archive, struct error *err);
void archive_free(struct archive *archive);

/* ERR_NOT_FOUND when there is no such file; ERR_INVALID when it is none or its links lead out. */
int archive_open(const struct archive *archive, const char *name, struct archive_file *ret_file,
		 struct error *err);

/* Whether archive_open() would find something. */
bool archive_has(const struct archive *archive, const char *name);

/* The whole file, NUL-terminated; ERR_INVALID when it is longer than max_bytes. */
int archive_read(const struct archive *archive, const char *name, size_t max_bytes, char **ret_text,
		 size_t *ret_len, struct error *err);

DEFINE_CLEANUP(struct archive *, archive_free);
DEFINE_CLEANUP_VALUE(struct archive_file, archive_file_release);

#endif
