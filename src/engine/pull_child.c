/* SPDX-License-Identifier: Apache-2.0 */
/* Children of a pull, each for one thing that may take long: a lock, the disk. */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "engine/pull_transfer.h"
#include "sys/process.h"

void pull_child_kill(struct pull_child *child)
{
	struct process_guard guard = {.pid = child->pid, .pidfd = child->pidfd};

	process_guard_kill(&guard);
	cleanup_close_fd(&child->pidfd);
	child->pid = 0;
}

/* Like fork(); the child dies with us. */
static pid_t pull_child_start(struct pull_child *child, struct error *err)
{
	pid_t parent = getpid();

	child->pid = process_clone(0, NO_FD, &child->pidfd);
	if (child->pid < 0) {
		pid_t failure = child->pid;

		child->pid = 0;
		return err_set(err, ERR_SYSTEM, -failure, "start a process");
	}
	if (child->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return child->pid;
}

/* Its exit status. */
int pull_child_end(struct pull_child *child)
{
	int status = process_reap(child->pidfd);

	cleanup_close_fd(&child->pidfd);
	child->pid = 0;
	return status;
}

/*
 * The lock belongs to the open file, which the child shares: what it gets, we have. It keeps no other
 * descriptor, or it would keep other layers' locks.
 */
int layer_pull_wait_for_lock(struct layer_pull *layer, struct error *err)
{
	pid_t pid = pull_child_start(&layer->locker, err);

	if (pid != 0)
		return pid < 0 ? (int)pid : 0;
	if (dup2(layer->partial.fd, 0) != 0 || close_range(1, ~0U, 0) < 0)
		_exit(1);
	_exit(lock_fd(0, /* wait= */ true) < 0);
}

int transfer_flush(struct transfer *transfer, struct error *err)
{
	pid_t pid = pull_child_start(&transfer->flusher, err);

	if (pid != 0)
		return pid < 0 ? (int)pid : 0;
	_exit(syncfs(transfer->pull->loader.staging_fd) < 0 ? errno : 0);
}
