/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync.h - what a container's first process and the one that made it tell each other
 *
 * Over one SOCK_SEQPACKET pair, close-on-exec on both sides: when the child executes the
 *container's command its end closes, and that end-of-file is how the parent learns that it runs.
 *Every message names a point of the enum; receiving another one than expected is an error of ours,
 *except SYNC_FAILED, which carries the child's error whole and may come at any time.
 *
 *	child                         parent
 *	  | namespaces, root, mounts    | limits
 *	  | ------- SYNC_CONSOLE -----> |   with a terminal only; carries its master
 *	  | hide, confine               |
 *	  | ------- SYNC_READY -------> |
 *	  | <------ SYNC_START -------- |   runtime_start()
 *	  | exec ------ end of file --> |
 */
#ifndef SKIFF_RUNTIME_SYNC_H
#define SKIFF_RUNTIME_SYNC_H

#include "base/error.h"

enum sync_point {
	SYNC_CONSOLE = 1,
	SYNC_READY,
	SYNC_START,
	SYNC_PID, /* exec only: the pid of a grandchild, which is not ours to reap */
	SYNC_FAILED,
};

/* Both ends, close-on-exec. */
int sync_pair(int ret_socks[2]);

/* `fd` NO_FD: none goes along. */
int sync_send(int sock, enum sync_point point, int fd, int value);

/*
 * Waits for `point`. *ret_fd and *ret_value may be NULL. SYNC_FAILED becomes the error it carries;
 * end of file is ERR_INTERNAL ("ended without a word").
 */
int sync_expect(int sock, enum sync_point point, int *ret_fd, int *ret_value, struct error *err);

/* Waits for end of file: the exec happened. SYNC_FAILED becomes the error it carries. */
int sync_expect_exec(int sock, struct error *err);

/* The child's last words. */
void sync_fail(int sock, const struct error *err);

#endif
