/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync.h - what a container's first process and the one that made it tell each other
 *
 * Over one SOCK_SEQPACKET pair, close-on-exec on both sides: when the child executes the container's
 * command its end closes, and that end-of-file is how the parent learns that it runs. Every message
 * names a point of the enum; receiving another one than expected is an error of ours, except
 * SYNC_FAILED, which carries the child's error whole and may come at any time.
 *
 *	child                         parent
 *	  | <------ SYNC_IDMAP -------- |   with a user namespace: it has its maps
 *	  | namespaces                  | the root's overlay
 *	  | ------- SYNC_NETWORK -----> |   when the parent makes the network: it can
 *	  | <------- SYNC_ROOT -------- |   carries its mount
 *	  | root, mounts, devices       | cgroups of v1, limits
 *	  | <------ SYNC_CGROUP ------- |   carries the files to join them by
 *	  | <------- SYNC_VIEW -------- |   v1: carries mounts of them to look at
 *	  | cgroup view                 |
 *	  | -------- SYNC_HOOKS ------> |   with hooks of creation only: it runs those of its
 *	  | <------- SYNC_HOOKED ------ |   namespaces
 *	  | ------- SYNC_CONSOLE -----> |   with a terminal only; carries its master
 *	  | hide, confine               |
 *	  | ------- SYNC_READY -------> |
 *	  | <------ SYNC_START -------- |   runtime_start()
 *	  | exec ------ end of file --> |
 */
#ifndef SKIFF_RUNTIME_SYNC_H
#define SKIFF_RUNTIME_SYNC_H

#include <stddef.h>

#include "base/error.h"

enum sync_point {
	SYNC_ROOT = 1,
	SYNC_CGROUP,
	SYNC_VIEW,
	SYNC_NETWORK,
	SYNC_HOOKS, /* with hooks only: the parent's turn, and SYNC_HOOKED: it is done */
	SYNC_HOOKED,
	SYNC_CONSOLE,
	SYNC_READY,
	SYNC_START,
	SYNC_PID, /* exec only: the pid of a grandchild, which is not ours to reap */
	SYNC_IDMAP,
	SYNC_FAILED,
};

/* Both ends, close-on-exec. */
int sync_pair(int ret_socks[2]);

#define SYNC_FDS_MAX 16

/* `fd` NO_FD: none goes along. */
int sync_send(int sock, enum sync_point point, int fd);
int sync_send_fds(int sock, enum sync_point point, const int *fds, size_t count);

/*
 * Waits for `point`. SYNC_FAILED becomes the error it carries; end of file is ERR_INTERNAL ("ended
 * without a word"). ret_fd (may be NULL) gets the one descriptor that must come along; the _fds
 * form takes up to SYNC_FDS_MAX, owned by the caller.
 */
int sync_expect(int sock, enum sync_point point, int *ret_fd, struct error *err);
int sync_expect_fds(int sock, enum sync_point point, int ret_fds[SYNC_FDS_MAX], size_t *ret_count,
		    struct error *err);

/* Waits for end of file: the exec happened. SYNC_FAILED becomes the error it carries. */
int sync_expect_exec(int sock, struct error *err);

/* The child's last words. */
void sync_fail(int sock, const struct error *err);

#endif
