/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child_setup.h - steps that a container's first process and an exec'd one have in common
 */
#ifndef SKIFF_RUNTIME_CHILD_SETUP_H
#define SKIFF_RUNTIME_CHILD_SETUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/user_lookup.h"

/* Names this process for ps and for log lines; a string literal of at most 15 bytes. */
void child_name(const char *stage);

/*
 * Puts `streams` on 0, 1 and 2 (NO_FD: the null device at null_fd, an O_PATH descriptor), and gives
 * pipes and terminals to the user, who may open /dev/stdout again.
 */
int child_open_streams(const int streams[3], int null_fd, const struct user_identity *identity,
		       struct error *err);

/*
 * A new terminal of the devpts at devpts_fd, for a process that leads a session: its size is set before anything can
 * read it, its master goes out with SYNC_CONSOLE, its slave is kept and is the controlling terminal.
 */
int child_open_terminal(int devpts_fd, uint16_t rows, uint16_t cols, int sync_sock,
			int *ret_terminal_fd, struct error *err);

/*
 * Closes every descriptor from 3 up but the `keep_first` first ones (0: none), and those in `keep` (NULL-free list of pointers; NO_FD entries
 * are skipped), which get new, close-on-exec numbers. No descriptor of the host survives (R2).
 */
int child_close_others(unsigned int keep_first, int *const keep[], size_t count, struct error *err);

#endif
