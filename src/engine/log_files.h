/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_files.h - the files of a log, while a monitor writes and rotates them
 */
#ifndef SKIFF_ENGINE_LOG_FILES_H
#define SKIFF_ENGINE_LOG_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#define LOG_FILES_MAX 1000
#define LOG_LINE_MAX ((size_t)1 << 20) /* longer lines are no records, and are skipped */

struct gzFile_s;

struct log_file {
	int fd;              /* owned */
	struct gzFile_s *gz; /* owned; NULL: plain. Made when first read. */
	bool is_compressed;
	dev_t device;
	ino_t inode;
	struct strbuf pending; /* read and not given out; `at` bytes of it are done with */
	size_t at;
	bool is_skipping; /* in a line that is too long */
};

/* Newest first. */
struct log_files {
	struct log_file *items;
	size_t count;
};

/*
 * Opens all of them (`base` is the name of the newest) as they are at one moment: rotations meanwhile are noticed, and it begins
 * again.
 */
int log_files_open(int dir_fd, const char *base, struct log_files *ret_files);
void log_files_close(struct log_files *files);

/* Whether `base` is another file than this one by now. */
bool log_file_was_rotated(int dir_fd, const char *base, const struct log_file *file);

/*
 * The next whole line, without its end; it may be changed and is valid until the next call. 1, or 0
 * when there is none yet (call again after the file grew), or a negative errno.
 */
int log_file_next(struct log_file *file, char **ret_line, size_t *ret_len);

/*
 * Goes to the last `lines` lines of all the files. Returns the index of the file to begin with: it
 * and those before it in the list are to be read.
 */
ssize_t log_files_seek_tail(struct log_files *files, uint64_t lines);

DEFINE_CLEANUP_VALUE(struct log_files, log_files_close);

#endif
