/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd.h - descriptors: reading, writing, passing
 *
 * Every descriptor made here is close-on-exec. All functions return a negative errno on failure.
 */
#ifndef SKIFF_BASE_FD_H
#define SKIFF_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

/* Writes everything, across short writes and EINTR. */
int fd_write_all(int fd, const void *data, size_t len);

/* Reads until `len` bytes or end of file; returns the number of bytes read. */
ssize_t fd_read_full(int fd, void *data, size_t len);

/* The same at an offset. */
ssize_t fd_pread_full(int fd, void *data, size_t len, uint64_t offset);

/*
 * Reads a whole file of at most `max_bytes` bytes (-EFBIG when it is longer). *ret_text is
 * NUL-terminated and owned by the caller; *ret_len may be NULL. The _at form opens `path`
 * relative to dir_fd with O_NOFOLLOW on its last component and refuses (-EINVAL) what is not a
 * regular file.
 */
int fd_read_text(int fd, size_t max_bytes, char **ret_text, size_t *ret_len);
int fd_read_file_at(int dir_fd, const char *path, size_t max_bytes, char **ret_text,
		    size_t *ret_len);

/* Writes `text` with one write(2) to an existing file such as a kernel control file. */
int fd_write_file_at(int dir_fd, const char *path, const char *text);

/* A duplicate from number 3 up, close-on-exec. */
int fd_dup(int fd);

int fd_set_nonblock(int fd, bool on);
int fd_set_cloexec(int fd, bool on);

/* "/proc/self/fd/N", for the few calls that take no descriptor. */
struct fd_path {
	char text[32];
};
struct fd_path fd_path(int fd);

/*
 * One SEQPACKET or STREAM message with up to FD_PASS_MAX descriptors beside it. fd_recv() fills
 * fds[] (close-on-exec, owned by the caller) and sets *ret_nfds; it returns the length of the
 * message, 0 at end of file, -EMSGSIZE when data or descriptors did not fit (they are closed).
 */
#define FD_PASS_MAX 16
ssize_t fd_send(int sock, const void *data, size_t len, const int *fds, size_t nfds);
ssize_t fd_recv(int sock, void *data, size_t len, int *fds, size_t max_fds, size_t *ret_nfds);

#endif
