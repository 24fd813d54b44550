/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - making processes and holding them by descriptor
 */
#ifndef SKIFF_SYS_PROCESS_H
#define SKIFF_SYS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

/*
 * fork() with clone3(2): `flags` are CLONE_NEW* and CLONE_PARENT; CLONE_INTO_CGROUP is added when
 * cgroup_fd is open. Returns the pid in the parent, 0 in the child, or a negative errno. The pidfd
 * (close-on-exec) is stored in *ret_pidfd. Nothing that the C library registers for fork runs.
 */
pid_t process_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd);

/* pidfd_open(2). The caller must know that the pid cannot have been given to somebody else. */
int process_open(pid_t pid);

/* Its number in our pid namespace; 0 when it has none there. */
pid_t process_pid_of(int pidfd);

/* pidfd_send_signal(2). */
int process_signal(int pidfd, int signal);

/* 1 when it has ended, 0 when `timeout_ms` passed first (-1: no limit). */
int process_wait_end(int pidfd, int timeout_ms);

/*
 * Reaps a child and gives its exit code, 128 + n for a death by signal n. -ECHILD when it is not
 * ours.
 */
int process_reap(int pidfd);

/*
 * The exit code of a process that is not our child, once its parent has reaped it (PIDFD_GET_INFO,
 * Linux 6.15); -EAGAIN before that, -EOPNOTSUPP on older kernels.
 */
int process_exit_code(int pidfd);

/*
 * Default dispositions and an empty mask: what a fresh program expects. The mask alone is enough in a
 * process that is known to ignore nothing.
 */
void process_reset_signals(void);
void process_unblock_signals(void);

/* Sends SIGKILL and reaps; the guard of a half-made child. */
struct process_guard {
	pid_t pid;
	int pidfd; /* borrowed */
};
void process_guard_kill(struct process_guard *guard);

DEFINE_CLEANUP_VALUE(struct process_guard, process_guard_kill);

#endif
