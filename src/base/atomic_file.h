/* SPDX-License-Identifier: Apache-2.0 */
/*
 * atomic_file.h - files that others read are replaced whole
 *
 * The bytes go to a temporary name in the same directory, are flushed when asked, and are renamed
 * over `name`. A reader sees the old file or the new one. Killed in between, a name that begins
 * with ".tmp-" is left, which sweeping removes.
 */
#ifndef SKIFF_BASE_ATOMIC_FILE_H
#define SKIFF_BASE_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

int atomic_file_write(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
		      bool sync);

/*
 * Removes what writers that were killed left in this directory: our own regular files with such a name.
 * The caller holds a lock that every writer there holds.
 */
void atomic_file_sweep(int dir_fd);

#endif
