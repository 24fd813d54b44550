/* SPDX-License-Identifier: Apache-2.0 */
/* host_file.h - reading the host's configuration: whole files, and the names in a directory */
#ifndef SKIFF_TRUST_HOST_FILE_H
#define SKIFF_TRUST_HOST_FILE_H

#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

/*
 * A regular file of at most max_bytes; links are followed, it is the host's. 1 and *ret_text (caller
 * frees), or 0 when there is no such file (or path is NULL), or an error that names it.
 */
int host_file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_len,
		   struct error *err);

/* Names with this ending, sorted as bytes. No directory is no names. */
int host_directory_list(const char *path, const char *suffix, struct strv *ret_names,
			struct error *err);

#endif
