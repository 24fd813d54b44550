/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_file.h - a file that a user names for a result: whole or not at all
 *
 *	auto_(output_file_release) struct output_file out = OUTPUT_FILE_EMPTY;
 *
 *	r = output_file_open("image.tar", &out);
 *	(write to out.fd)
 *	r = output_file_commit(&out);
 *
 * The bytes go to a file without a name in the same directory (O_TMPFILE, open(2)), which gets its
 * name at the end: whoever is killed, or fails, leaves what was there before. What exists and is no
 * regular file (a pipe, /dev/null) is written to directly.
 */
#ifndef SKIFF_BASE_OUTPUT_FILE_H
#define SKIFF_BASE_OUTPUT_FILE_H

#include <stdbool.h>

#include "base/cleanup.h"

struct output_file {
	int fd;
	int dir_fd;      /* NO_FD: written directly */
	char *name;      /* in dir_fd */
	char *temporary; /* a name that is there already; NULL: none */
};

#define OUTPUT_FILE_EMPTY                                                                          \
	{                                                                                          \
		.fd = NO_FD, .dir_fd = NO_FD                                                       \
	}

/* Mode 0600, as docker makes it: an image may hold secrets. Negative errno. */
int output_file_open(const char *path, struct output_file *ret_file);
int output_file_commit(struct output_file *file);

/* Without a commit, nothing is left. */
void output_file_release(struct output_file *file);

DEFINE_CLEANUP_VALUE(struct output_file, output_file_release);

#endif
