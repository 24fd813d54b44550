/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/child_setup.h"
#include "runtime/container.h"
#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "runtime/userns.h"
#include "sys/cgroup.h"
#include "sys/process.h"

/* How long the kernel may take to let go of the last process before rmdir of its cgroup works. */
#define CGROUP_REMOVE_TIMEOUT_MS 10000

/* This machine's hierarchies, looked up in advance; the one who starts something takes them. */
static struct cgroup_host *warm_cgroup_host;

void runtime_warm_up(void)
{
	if (!warm_cgroup_host && cgroup_host_open(&warm_cgroup_host) < 0)
		warm_cgroup_host = NULL; /* who needs it will hear why */
}

static int take_cgroup_host(struct cgroup_host **ret_host)
{
	if (!warm_cgroup_host)
		return cgroup_host_open(ret_host);
	*ret_host = TAKE_PTR(warm_cgroup_host);
	return 0;
}

/* What must exist before the child, which is cloned into it on v2. */
static int begin_cgroup(struct start *start, struct runtime_process *process, struct error *err)
{
	const char *path = start->spec.cgroups_path;
	int r;

	r = take_cgroup_host(&process->cgroup_host);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "look at this machine's cgroups");
	start->cgroup_host = process->cgroup_host;
	process->cgroup_path = xstrdup(path);
	r = cgroup_create_begin(process->cgroup_host, path, &process->cgroup);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "create cgroup '%s'", path);
	start->cgroup = process->cgroup;
	return 0;
}

/* The rest of it, its limits, and the way in for the child. */
static int finish_cgroup(const struct start *start, int sock, struct error *err)
{
	auto_free char *what = NULL;
	int fds[CGROUP_JOIN_MAX];
	size_t count;
	int r;

	r = cgroup_create_finish(start->cgroup);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "create cgroup '%s'", start->spec.cgroups_path);
	r = cgroup_apply(start->cgroup, &start->spec.limits, &what);
	if (r == -EOPNOTSUPP)
		return err_set(err, ERR_UNAVAILABLE, 0, "%s", what);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "%s", what);
	r = cgroup_join_files(start->cgroup, fds, &count);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "open cgroup '%s'", start->spec.cgroups_path);
	r = sync_send_fds(sock, SYNC_CGROUP, fds, count);
	for (size_t i = 0; i < count; i++)
		cleanup_close_fd(&fds[i]);
	/* A child that failed has said why; that is read next. */
	if (r < 0 && r != -EPIPE)
		return err_set(err, ERR_SYSTEM, -r, "speak to the container's first process");
	return start_send_view(start, sock, err);
}

static int send_root(const struct start *start, int sock, struct error *err)
{
	auto_close int root_fd = start_make_root(start, err);
	int r;

	if (root_fd < 0)
		return root_fd;
	log_debug("runtime", "root made");
	r = sync_send(sock, SYNC_ROOT, root_fd);
	if (r < 0 && r != -EPIPE)
		return err_set(err, ERR_SYSTEM, -r, "speak to the container's first process");
	return 0;
}

static _Noreturn void run_child(struct start *start)
{
	auto_(error_release) struct error err = {0};
	sigset_t none;

	child_name("skiff:init");
	/* A monitor that starts a container once more has every signal blocked. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Until the exec: a half-made container does not outlive whoever makes it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* Mount points and directories that we make must not depend on the user's. */
	(void)umask(022);
	(void)start_child(start, &err);
	sync_fail(start->sync_child, &err);
	_exit(125);
}

/* CLONE_NEWNS and CLONE_NEWPID here; the child makes the others itself, beside us. */
static int clone_child(struct start *start, struct runtime_process *process, struct error *err)
{
	uint64_t flags = CLONE_NEWNS;
	int socks[2], r;
	pid_t pid;

	if (start->spec.namespaces[SPEC_NS_PID] == SPEC_NS_NEW)
		flags |= CLONE_NEWPID;
	r = sync_pair(socks);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	start->sync_parent = socks[0];
	start->sync_child = socks[1];
	pid = userns_clone(start, process, flags, err);
	if (pid < 0)
		return pid;
	if (pid == 0) {
		cleanup_close_fd(&start->sync_parent);
		run_child(start);
	}
	process->pid = pid;
	/* Else we would never see the child's end as end of file. */
	cleanup_close_fd(&start->sync_child);
	process->start_sock = TAKE_FD(start->sync_parent);
	return 0;
}

static int tell_made(const struct start *start, const struct runtime_process *process,
		     struct error *err)
{
	const struct runtime_foreign *foreign = start->request->foreign;

	return foreign ? foreign->made(foreign->context, process->pid, err) : 0;
}

static int run_hooks(const struct start *start, const struct runtime_process *process,
		     struct error *err)
{
	const struct runtime_foreign *foreign = start->request->foreign;
	int r;

	if (!foreign || !start_pivots_late(start))
		return 0;
	r = sync_expect(process->start_sock, SYNC_HOOKS, NULL, err);
	if (r < 0)
		return r;
	r = foreign->run_hooks(foreign->context, &start->spec, process->pid, err);
	if (r < 0)
		return r;
	r = sync_send(process->start_sock, SYNC_HOOKED, NO_FD);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "speak to the container's first process") : 0;
}

static int join_pid_namespace(struct start *start, struct error *err)
{
	if (start->spec.namespaces[SPEC_NS_PID] != SPEC_NS_JOIN)
		return 0;
	if (setns(start->namespace_fds[SPEC_NS_PID], CLONE_NEWPID) < 0)
		return err_set(err, ERR_SYSTEM, errno, "join pid namespace");
	return 0;
}

/* A time namespace begins with a child (time_namespaces(7)). */
static int clone_in_time(struct start *start, struct runtime_process *process, struct error *err)
{
	auto_close int own_fd = NO_FD;
	int r;

	if (start->spec.namespaces[SPEC_NS_TIME] == SPEC_NS_HOST)
		return clone_child(start, process, err);
	r = start_enter_time(start, &own_fd, err);
	if (r < 0)
		return r;
	r = clone_child(start, process, err);
	return r < 0 ? r : start_leave_time(own_fd, err);
}

static int make_network(const struct start *start, const struct runtime_process *process,
			struct error *err)
{
	const struct runtime_request *request = start->request;
	int r;

	r = sync_expect(process->start_sock, SYNC_NETWORK, NULL, err);
	return r < 0 ? r : request->make_network(request->network_context, process->pid, err);
}

/* The parent's half of the start, while the child mounts; see the theory in start_internal.h. */
static int parent_side(struct start *start, struct runtime_process *process, struct error *err)
{
	int r;

	r = userns_finish(start, process, err);
	if (r < 0)
		return r;
	r = send_root(start, process->start_sock, err);
	if (r < 0)
		return r;
	if (start->cgroup) {
		r = finish_cgroup(start, process->start_sock, err);
		if (r < 0)
			return r;
	}
	if (start->request->make_network) {
		r = make_network(start, process, err);
		if (r < 0)
			return r;
	}
	r = run_hooks(start, process, err);
	if (r < 0)
		return r;
	if (start->spec.terminal)
		return sync_expect(process->start_sock, SYNC_CONSOLE, &process->console_fd, err);
	return 0;
}

static void undo(struct runtime_process *process)
{
	auto_(error_release) struct error ignored = {0};
	struct process_guard guard = {.pid = process->pid, .pidfd = process->pidfd};

	process_guard_kill(&guard);
	process->pid = 0;
	(void)runtime_cleanup(process, &ignored);
}

static int create(struct start *start, struct runtime_process *process, struct error *err)
{
	int r;

	if (start->spec.cgroups_path) {
		r = begin_cgroup(start, process, err);
		if (r < 0)
			return r;
	}
	log_debug("runtime", "cgroup made");
	r = join_pid_namespace(start, err);
	if (r < 0)
		return r;
	r = clone_in_time(start, process, err);
	if (r < 0)
		return r;
	log_debug("runtime", "cloned");
	r = tell_made(start, process, err);
	if (r < 0)
		return r;
	r = parent_side(start, process, err);
	log_debug("runtime", "limits set");
	return r;
}

int runtime_create(const struct runtime_request *request, struct runtime_process *ret_process,
		   struct error *err)
{
	auto_(start_release) struct start start = {0};
	struct runtime_process process = {
		.pidfd = NO_FD,
		.console_fd = NO_FD,
		.start_sock = NO_FD,
	};
	int r;

	log_debug("runtime", "prepare");
	r = start_prepare(&start, request, err);
	if (r == 0)
		r = create(&start, &process, err);
	if (r < 0) {
		undo(&process);
		runtime_process_release(&process);
		return r;
	}
	*ret_process = process;
	return 0;
}

int runtime_start(struct runtime_process *process, struct error *err)
{
	int r;

	r = sync_expect(process->start_sock, SYNC_READY, NULL, err);
	if (r < 0)
		return r;
	r = sync_send(process->start_sock, SYNC_START, NO_FD);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "start the container's command");
	r = sync_expect_exec(process->start_sock, err);
	if (r < 0)
		return r;
	cleanup_close_fd(&process->start_sock);
	log_debug("runtime", "started");
	return 0;
}

int runtime_leave_waiting(struct runtime_process *process, struct error *err)
{
	int r = sync_expect(process->start_sock, SYNC_READY, NULL, err);

	if (r == 0)
		cleanup_close_fd(&process->start_sock);
	return r;
}

int runtime_cleanup(struct runtime_process *process, struct error *err)
{
	int r;

	if (!process->cgroup)
		return 0;
	log_debug("runtime", "clean up");
	r = cgroup_kill_all(process->cgroup);
	if (r < 0)
		log_debug("runtime", "kill cgroup %s: %s, ignoring", process->cgroup_path,
			  errno_text(-r));
	r = cgroup_remove(process->cgroup, CGROUP_REMOVE_TIMEOUT_MS);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "remove cgroup '%s'", process->cgroup_path);
	log_debug("runtime", "cleaned up");
	return 0;
}

void runtime_process_release(struct runtime_process *process)
{
	if (process->start_sock >= 0 && process->pid > 0) {
		struct process_guard guard = {.pid = process->pid, .pidfd = process->pidfd};

		process_guard_kill(&guard);
	}
	cleanup_close_fd(&process->pidfd);
	cleanup_close_fd(&process->console_fd);
	cleanup_close_fd(&process->start_sock);
	free(process->cgroup_path);
	if (process->cgroup)
		cgroup_free(process->cgroup);
	if (process->cgroup_host)
		cgroup_host_free(process->cgroup_host);
	*process = (struct runtime_process){
		.pidfd = NO_FD,
		.console_fd = NO_FD,
		.start_sock = NO_FD,
	};
}
