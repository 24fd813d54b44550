/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_internal.h - joining a running container: what its two ways in have in common
 *
 * runtime_exec() clones the joiner, exec_agent_run() has started it beforehand. The theory is in
 * exec.c.
 */
#ifndef SKIFF_RUNTIME_EXEC_INTERNAL_H
#define SKIFF_RUNTIME_EXEC_INTERNAL_H

#include "runtime/confine.h"
#include "runtime/container.h"
#include "runtime/seccomp.h"
#include "runtime/spec.h"
#include "sys/cgroup.h"

/* The way into the container's cgroup. */
struct exec_cgroup {
	int clone_fd; /* v2: to clone into; NO_FD without */
	int join_fds[CGROUP_JOIN_MAX];
	size_t join_count;
};

#define EXEC_CGROUP_EMPTY ((struct exec_cgroup){.clone_fd = NO_FD})

struct exec {
	const struct exec_request *request;
	struct spec spec;
	struct strv env;
	struct spec_capabilities capabilities;
	struct seccomp_filter seccomp;
	bool has_seccomp;
	struct exec_cgroup cgroup;
	int init_pidfd;
	int proc_root_fd;              /* /proc/PID/root of the container's PID 1 */
	int sync_parent, sync_child;   /* with the command */
	int chain_parent, chain_child; /* with whoever clones it: the two speak at the same time */
	bool linger;                   /* the joiner stays until chain_parent is closed */
	pid_t middle;                  /* of as_child, in the container's pid namespace */
	/* In the command's process. */
	int root_fd, null_fd, terminal_fd;
	struct user_identity identity;
};

#define EXEC_OF(the_request)                                                                       \
	((struct exec){                                                                            \
		.request = (the_request),                                                          \
		.cgroup.clone_fd = NO_FD,                                                          \
		.init_pidfd = NO_FD,                                                               \
		.proc_root_fd = NO_FD,                                                             \
		.sync_parent = NO_FD,                                                              \
		.sync_child = NO_FD,                                                               \
		.chain_parent = NO_FD,                                                             \
		.chain_child = NO_FD,                                                              \
		.root_fd = NO_FD,                                                                  \
		.null_fd = NO_FD,                                                                  \
		.terminal_fd = NO_FD,                                                              \
	})

/* Nothing is opened when the command does not enter it. ERR_CONFLICT when it is gone. */
int exec_cgroup_open(const struct exec_request *request, struct exec_cgroup *ret_cgroup,
		     struct error *err);
void exec_cgroup_release(struct exec_cgroup *cgroup);

/* Reads all else that the command needs of the container, which must be running. */
int exec_prepare(struct exec *exec, struct error *err);

/*
 * The joiner's whole life: enters the container, clones the command (a child of our parent), and sends its
 * pidfd with SYNC_PID, or the error, over chain_child.
 */
_Noreturn void exec_join(struct exec *exec);

/*
 * With process->pidfd there: waits for the terminal's master, if there is to be one, and for the exec.
 * `sync_sock` is our end of the pair with the command.
 */
int exec_await_command(int sync_sock, bool tty, struct exec_process *process, struct error *err);

/* After a failure: reaps the command, if it was cloned and is ours to reap. */
void exec_abandon(struct exec_process *process, bool as_child);

void exec_release(struct exec *exec);
DEFINE_CLEANUP_VALUE(struct exec_cgroup, exec_cgroup_release);
DEFINE_CLEANUP_VALUE(struct exec, exec_release);

#endif
