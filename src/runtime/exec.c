/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory. Joining a pid namespace takes effect for children only, so an exec is a chain:
 *
 *	caller -- joiner -- command                 PPID 0 inside: its parent is outside
 *	caller -- joiner -- middle -- command       as_child: the middle ends, PID 1 adopts the command
 *
 * The joiner enters the container's cgroup and, through the pidfd of its PID 1, all of its
 * namespaces in one setns(2); no path is involved, so no race with a reused pid or a replaced file
 * is possible. The command is cloned with CLONE_PARENT: a child of the caller, who can wait for it.
 * What it then does is what the container's first process does at its end (confine.h).
 *
 * The joiner must run from a read-only copy of its executable: the command is this program until it
 * execs, and the container can look at it through /proc. A caller that does clones it; for one that
 * does not there is exec_agent.c.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "runtime/child_setup.h"
#include "runtime/confine.h"
#include "runtime/confine_tuning.h"
#include "runtime/exec_internal.h"
#include "runtime/sync.h"
#include "runtime/userns.h"
#include "sys/process.h"
#include "sys/user_namespace.h"

#define ENVIRON_MAX_BYTES ((size_t)2 << 20)
#define ADOPTION_MS 10000 /* the process in between only has to exit */

void exec_release(struct exec *exec)
{
	spec_release(&exec->spec);
	strv_release(&exec->env);
	if (exec->has_seccomp)
		seccomp_filter_release(&exec->seccomp);
	exec_cgroup_release(&exec->cgroup);
	cleanup_close_fd(&exec->init_pidfd);
	cleanup_close_fd(&exec->proc_root_fd);
	cleanup_close_fd(&exec->sync_parent);
	cleanup_close_fd(&exec->sync_child);
	cleanup_close_fd(&exec->chain_parent);
	cleanup_close_fd(&exec->chain_child);
}

static int not_running(struct error *err)
{
	return err_set(err, ERR_CONFLICT, ESRCH, "the container is not running");
}

/* NUL-separated; what has no '=' is not a variable. */
static void split_environ(const char *text, size_t len, struct strv *env)
{
	for (const char *p = text; p < text + len; p += strlen(p) + 1) {
		const char *equals = strchr(p, '=');

		if (equals && equals != p)
			strv_add(env, p);
	}
}

static int read_environ(pid_t pid, struct strv *env, struct error *err)
{
	char path[32];
	auto_free char *text = NULL;
	size_t len;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	r = fd_read_file_at(AT_FDCWD, path, ENVIRON_MAX_BYTES, &text, &len);
	if (r == -ENOENT || r == -ESRCH)
		return not_running(err);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read the container's environment");
	split_environ(text, len, env);
	return 0;
}

static void merge_env(struct exec *exec)
{
	const struct strv *extra = exec->request->env;

	for (size_t i = 0; extra && i < extra->count; i++) {
		const char *equals = strchr(extra->items[i], '=');
		auto_free char *key = NULL;

		if (!equals)
			continue;
		key = xstrndup(extra->items[i], (size_t)(equals - extra->items[i]));
		strv_env_set(&exec->env, key, equals + 1);
	}
	if (exec->request->tty && !strv_env_find(&exec->env, "TERM"))
		strv_env_set(&exec->env, "TERM", "xterm");
}

static int load_filter(struct exec *exec, struct error *err)
{
	const char *path = exec->request->launch->seccomp;
	auto_free char *directory = NULL;
	auto_close int dir_fd = NO_FD;
	int r;

	if (!path || exec->request->privileged)
		return 0;
	directory = xstrndup(path, (size_t)(path_basename(path) - path));
	dir_fd = openat(exec->request->root_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", directory);
	r = seccomp_filter_read(dir_fd, path_basename(path), &exec->seccomp, err);
	if (r < 0)
		return r;
	exec->has_seccomp = true;
	return 0;
}

static int open_cgroup(const char *path, struct exec_cgroup *ret_cgroup)
{
	auto_(exec_cgroup_release) struct exec_cgroup files = EXEC_CGROUP_EMPTY;
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_(cgroup_free) struct cgroup *group = NULL;
	int r;

	r = cgroup_host_open(&host);
	if (r < 0)
		return r;
	r = cgroup_open(host, path, &group);
	if (r < 0)
		return r;
	if (cgroup_clone_fd(group) >= 0) {
		files.clone_fd = fd_dup(cgroup_clone_fd(group));
		if (files.clone_fd < 0)
			return files.clone_fd;
	}
	r = cgroup_join_files(group, files.join_fds, &files.join_count);
	if (r < 0)
		return r;
	*ret_cgroup = files;
	files = EXEC_CGROUP_EMPTY;
	return 0;
}

int exec_cgroup_open(const struct exec_request *request, struct exec_cgroup *ret_cgroup,
		     struct error *err)
{
	const char *path = request->state->cgroup_path;
	int r;

	if (request->enter == EXEC_ENTER_CHROOT || !path || !*path)
		return 0;
	r = open_cgroup(path, ret_cgroup);
	if (r == -ENOENT)
		return not_running(err);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "open cgroup '%s'", path) : 0;
}

void exec_cgroup_release(struct exec_cgroup *cgroup)
{
	cleanup_close_fd(&cgroup->clone_fd);
	for (size_t i = 0; i < cgroup->join_count; i++)
		cleanup_close_fd(&cgroup->join_fds[i]);
	cgroup->join_count = 0;
}

/* Everything that is read of the running container, pinned by the pidfd before and after. */
static int open_container(struct exec *exec, struct error *err)
{
	const struct process_id *init = &exec->request->state->init;
	char path[32];
	int r;

	r = process_id_open(init);
	if (r == -ESRCH)
		return not_running(err);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "open the container's first process");
	exec->init_pidfd = r;
	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)init->pid);
	exec->proc_root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (exec->proc_root_fd < 0)
		return not_running(err);
	r = exec->request->spec ? 0 : read_environ(init->pid, &exec->env, err);
	if (r < 0)
		return r;
	if (!process_id_is_alive(init))
		return not_running(err);
	return 0;
}

static int take_spec(struct exec *exec, struct error *err)
{
	const struct exec_request *request = exec->request;

	if (!request->spec)
		return spec_load(request->bundle_fd, &exec->spec, err);
	exec->spec = *request->spec;
	*request->spec = (struct spec){0};
	strv_copy(&exec->env, &exec->spec.env);
	return 0;
}

int exec_prepare(struct exec *exec, struct error *err)
{
	const struct exec_request *request = exec->request;
	int r;

	r = open_container(exec, err);
	if (r < 0)
		return r;
	r = take_spec(exec, err);
	if (r < 0)
		return r;
	merge_env(exec);
	exec->capabilities = exec->spec.capabilities;
	if (request->privileged) {
		uint64_t all = confine_bounding_set();

		exec->capabilities = (struct spec_capabilities){
			.bounding = all, .effective = all, .permitted = all};
	}
	return load_filter(exec, err);
}

/* ---- in the command's process ---- */

static int open_checked(int root_fd, const char *path, int flags, unsigned long magic)
{
	auto_close int fd = path_open_in_root(root_fd, path, flags, 0);
	struct statfs fs;

	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return (unsigned long)fs.f_type == magic ? TAKE_FD(fd) : -ENODEV;
}

/* Opened at once, not by way of /proc/self/fd: with only the root entered, /proc is not ours. */
static int open_null(struct exec *exec, struct error *err)
{
	struct stat st;
	int fd = path_open_in_root(exec->root_fd, "/dev/null",
				   O_RDWR | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, -fd, "open /dev/null");
	exec->null_fd = fd;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(err, ERR_DENIED, EPERM,
			       "/dev/null of the container is something else");
	return fd_set_nonblock(fd, false) < 0 ? err_set(err, ERR_SYSTEM, EBADF, "open /dev/null")
					      : 0;
}

/* The container may have put anything on /dev/pts, so what we use must be a devpts. */
static int open_terminal(struct exec *exec, struct error *err)
{
	const struct exec_request *request = exec->request;
	auto_close int devpts_fd = NO_FD;

	if (setsid() < 0)
		return err_set(err, ERR_SYSTEM, errno, "lead a session");
	if (!request->tty)
		return 0;
	devpts_fd =
		open_checked(exec->root_fd, "/dev/pts", O_RDONLY | O_DIRECTORY, DEVPTS_SUPER_MAGIC);
	if (devpts_fd < 0)
		return err_set(err, ERR_SYSTEM, -devpts_fd, "open /dev/pts of the container");
	return child_open_terminal(devpts_fd, request->tty_rows, request->tty_cols,
				   exec->sync_child, &exec->terminal_fd, err);
}

static int resolve_user(struct exec *exec, struct error *err)
{
	const struct launch *launch = exec->request->launch;
	const char *user = exec->request->user, *home;
	int r;

	if (!user && !launch->user && launch->groups.count == 0)
		r = user_lookup_numeric(exec->root_fd, exec->spec.uid, exec->spec.gid,
					exec->spec.groups, exec->spec.group_count, &exec->identity,
					err);
	else
		r = user_lookup(exec->root_fd, user ? user : launch->user,
				user ? NULL : &launch->groups, &exec->identity, err);
	if (r < 0)
		return r;
	home = strv_env_find(&exec->env, "HOME");
	/* Another user has another home, unless the image or -e says which. */
	if (!home || !*home ||
	    (user && !strv_env_find(&exec->spec.env, "HOME") &&
	     !(exec->request->env && strv_env_find(exec->request->env, "HOME"))))
		strv_env_set(&exec->env, "HOME", exec->identity.home);
	return 0;
}

static int open_root(struct exec *exec, struct error *err)
{
	cleanup_close_fd(&exec->root_fd);
	exec->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return exec->root_fd < 0 ? err_set(err, ERR_SYSTEM, errno, "open the root directory") : 0;
}

/* The null device is the container's; the host's where everything but the root is the host's. */
static int enter_root(struct exec *exec, struct error *err)
{
	int r;

	r = open_root(exec, err);
	if (r == 0)
		r = open_null(exec, err);
	if (r < 0 || exec->request->enter != EXEC_ENTER_CHROOT)
		return r;
	if (fchdir(exec->proc_root_fd) < 0 || chroot(".") < 0)
		return err_set(err, ERR_SYSTEM, errno, "change to the container's root");
	return open_root(exec, err);
}

static int set_up_streams(struct exec *exec, struct error *err)
{
	int streams[3];
	int *const keep[] = {&exec->sync_child, &exec->root_fd};
	int r;

	for (int i = 0; i < 3; i++) {
		int given = exec->request->tty ? exec->terminal_fd : exec->request->stdio[i];

		streams[i] = given >= 0 ? given : exec->null_fd;
	}
	r = child_open_streams(streams, NO_FD, &exec->identity, err);
	if (r < 0)
		return r;
	return child_close_others(exec->request->keep_fds, keep, ARRAY_SIZE(keep), err);
}

/* Last: from in there nothing of the host's can be entered, nor a cgroup of its. */
static int enter_user_namespace(const struct exec *exec, struct error *err)
{
	int r;

	if (!userns_is_used(&exec->spec))
		return 0;
	if (!exec->request->tty)
		userns_give_streams(&exec->spec, exec->request->stdio);
	if (setns(exec->init_pidfd, CLONE_NEWUSER) < 0)
		return err_set(err, ERR_SYSTEM, errno, "enter the container's user namespace");
	r = user_namespace_become_root();
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "become root of the user namespace");
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_PDEATHSIG, exec->request->as_child ? 0 : SIGKILL);
	return 0;
}

/*
 * Only the command, which was cloned into the cgroup, and not the joiner: with nsdelegate, as systemd
 * mounts v2, who is in the namespace may not clone from a cgroup outside of it.
 */
static int enter_cgroup_namespace(const struct exec *exec, struct error *err)
{
	if (exec->request->enter == EXEC_ENTER_CHROOT)
		return 0;
	if (setns(exec->init_pidfd, CLONE_NEWCGROUP) < 0)
		return err_set(err, ERR_SYSTEM, errno, "enter the container's cgroup namespace");
	return enter_user_namespace(exec, err);
}

static int become_command(struct exec *exec, struct error *err)
{
	const struct exec_request *request = exec->request;
	struct confine_request confine = {
		.identity = &exec->identity,
		.capabilities = &exec->capabilities,
		.rlimits = exec->spec.rlimits,
		.rlimit_count = exec->spec.rlimit_count,
		.seccomp = exec->has_seccomp ? &exec->seccomp : NULL,
		.no_new_privileges = exec->spec.no_new_privileges && !request->privileged,
		.umask = exec->spec.umask,
	};
	int r;

	r = enter_cgroup_namespace(exec, err);
	if (r < 0)
		return r;
	r = enter_root(exec, err);
	if (r < 0)
		return r;
	r = open_terminal(exec, err);
	if (r < 0)
		return r;
	r = resolve_user(exec, err);
	if (r < 0)
		return r;
	r = set_up_streams(exec, err);
	if (r < 0)
		return r;
	r = confine_workdir(exec->root_fd, request->workdir ? request->workdir : exec->spec.cwd,
			    /* create= */ false, err);
	if (r < 0)
		return r;
	cleanup_close_fd(&exec->root_fd);
	process_reset_signals();
	(void)prctl(PR_SET_PDEATHSIG, 0);
	r = confine_tuning(&exec->spec.tuning, err);
	if (r < 0)
		return r;
	r = confine_process(&confine, err);
	if (r < 0)
		return r;
	return confine_exec(request->args, &exec->env, NO_FD, err);
}

/*
 * Returns when the process in between is gone and PID 1 has adopted us, so that the command never
 * sees another parent. The kernel finds new parents for children before it wakes a pidfd.
 */
static int wait_for_adoption(pid_t middle, struct error *err)
{
	auto_close int pidfd = NO_FD;
	int r;

	pidfd = process_open(middle);
	if (pidfd == -ESRCH || getppid() != middle)
		return 0;
	if (pidfd < 0)
		return err_set(err, ERR_SYSTEM, -pidfd, "look at the process in between");
	/* It was still our parent after the open, so its number is not another's yet. */
	r = process_wait_end(pidfd, ADOPTION_MS);
	if (r <= 0)
		return err_set(err, ERR_SYSTEM, r < 0 ? -r : ETIME,
			       "wait for the process in between");
	return 0;
}

static _Noreturn void run_command(struct exec *exec)
{
	auto_(error_release) struct error err = {0};

	child_name("skiff:exec");
	(void)prctl(PR_SET_PDEATHSIG, exec->request->as_child ? 0 : SIGKILL);
	if (!exec->request->as_child || wait_for_adoption(exec->middle, &err) == 0)
		(void)become_command(exec, &err);
	/* As docker counts it: whatever keeps the command from running makes it 126, or 127. */
	if (err.kind != ERR_COMMAND_MISSING)
		err.kind = err.errnum == ENOENT ? ERR_COMMAND_MISSING : ERR_NOT_EXECUTABLE;
	sync_fail(exec->sync_child, &err);
	_exit(126);
}

/* ---- the chain ---- */

static int join(struct exec *exec, struct error *err)
{
	int namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	int r;

	if (exec->request->enter == EXEC_ENTER_CHROOT)
		return 0;
	if (exec->spec.namespaces[SPEC_NS_TIME] != SPEC_NS_HOST)
		namespaces |= CLONE_NEWTIME;
	r = cgroup_join(exec->cgroup.join_fds, exec->cgroup.join_count);
	exec->cgroup.join_count = 0;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "enter the container's cgroup");
	if (setns(exec->init_pidfd, namespaces) < 0) {
		if (errno == ESRCH)
			return not_running(err);
		return err_set(err, ERR_SYSTEM, errno, "enter the container's namespaces");
	}
	return 0;
}

/* Clones the command, tells the caller about it, and is done. */
static int spawn_command(struct exec *exec, uint64_t flags, struct error *err)
{
	auto_close int pidfd = NO_FD;
	pid_t pid;
	int r;

	pid = process_clone(flags, exec->cgroup.clone_fd, &pidfd);
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, -pid, "clone into the container");
	if (pid == 0)
		run_command(exec);
	r = sync_send(exec->chain_child, SYNC_PID, pidfd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "report the new process");
	return 0;
}

static int spawn_through_middle(struct exec *exec, struct error *err)
{
	auto_close int pidfd = NO_FD;
	pid_t middle;
	int r;

	middle = process_clone(0, NO_FD, &pidfd);
	if (middle < 0)
		return err_set(err, ERR_SYSTEM, -middle, "clone into the container");
	if (middle == 0) {
		auto_(error_release) struct error failure = {0};

		exec->middle = getpid();
		if (spawn_command(exec, 0, &failure) < 0)
			sync_fail(exec->chain_child, &failure);
		_exit(0);
	}
	r = process_reap(pidfd);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "wait for the process in between") : 0;
}

_Noreturn void exec_join(struct exec *exec)
{
	auto_(error_release) struct error err = {0};
	int r;

	child_name("skiff:join");
	(void)prctl(PR_SET_DUMPABLE, 0);
	r = join(exec, &err);
	if (r == 0 && exec->request->as_child)
		r = spawn_through_middle(exec, &err);
	else if (r == 0)
		r = spawn_command(exec, CLONE_PARENT, &err);
	if (r < 0)
		sync_fail(exec->chain_child, &err);
	cleanup_close_fd(&exec->sync_child);
	if (exec->linger)
		(void)sync_expect_exec(exec->chain_child, &err);
	_exit(0);
}

static int open_channels(struct exec *exec, struct error *err)
{
	int socks[2], r;

	r = sync_pair(socks);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	exec->sync_parent = socks[0];
	exec->sync_child = socks[1];
	r = sync_pair(socks);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	exec->chain_parent = socks[0];
	exec->chain_child = socks[1];
	return 0;
}

static int start_chain(struct exec *exec, struct exec_process *process, struct error *err)
{
	auto_close int joiner_fd = NO_FD;
	pid_t joiner;
	int r;

	r = open_channels(exec, err);
	if (r < 0)
		return r;
	joiner = process_clone(0, NO_FD, &joiner_fd);
	if (joiner < 0)
		return err_set(err, ERR_SYSTEM, -joiner, "clone");
	if (joiner == 0) {
		cleanup_close_fd(&exec->sync_parent);
		cleanup_close_fd(&exec->chain_parent);
		exec_join(exec);
	}
	cleanup_close_fd(&exec->sync_child);
	cleanup_close_fd(&exec->chain_child);
	r = sync_expect(exec->chain_parent, SYNC_PID, &process->pidfd, err);
	(void)process_reap(joiner_fd);
	return r;
}

int exec_await_command(int sync_sock, bool tty, struct exec_process *process, struct error *err)
{
	int r;

	process->pid = process_pid_of(process->pidfd);
	if (tty) {
		r = sync_expect(sync_sock, SYNC_CONSOLE, &process->console_fd, err);
		if (r < 0)
			return r;
	}
	return sync_expect_exec(sync_sock, err);
}

void exec_abandon(struct exec_process *process, bool as_child)
{
	if (process->pidfd >= 0 && !as_child)
		(void)process_reap(process->pidfd);
	exec_process_release(process);
}

int runtime_exec(const struct exec_request *request, struct exec_process *ret_process,
		 struct error *err)
{
	auto_(exec_release) struct exec exec = EXEC_OF(request);
	struct exec_process process = {.pidfd = NO_FD, .console_fd = NO_FD};
	int r;

	r = exec_prepare(&exec, err);
	if (r == 0)
		r = exec_cgroup_open(request, &exec.cgroup, err);
	if (r < 0)
		return r;
	r = start_chain(&exec, &process, err);
	if (r == 0)
		r = exec_await_command(exec.sync_parent, request->tty, &process, err);
	if (r < 0) {
		exec_abandon(&process, request->as_child);
		return r;
	}
	*ret_process = process;
	return 0;
}

/* Field 52 of /proc/PID/stat: a zombie's status, for whoever may trace it (proc(5)). */
static int zombie_exit_code(pid_t pid)
{
	auto_free char *text = NULL;
	const char *last;
	char path[32];
	uint32_t status;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (fd_read_file_at(AT_FDCWD, path, 4096, &text, NULL) < 0)
		return -ESRCH;
	text[strcspn(text, "\n")] = '\0';
	last = strrchr(text, ' ');
	if (!last || !strstr(text, ") Z ") || parse_u32(last + 1, &status) < 0)
		return -ESRCH;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/*
 * The status of a process that PID 1 of the container reaps, or does not: either it is a zombie
 * still, or the kernel has kept the status for its pidfd.
 */
static int adopted_exit_code(const struct exec_process *process)
{
	int r, code;

	r = process_exit_code(process->pidfd);
	if (r != -EAGAIN)
		return r;
	code = zombie_exit_code(process->pid);
	/* Reaped in between, its pid may be another's by now: the kernel's record then decides. */
	r = process_exit_code(process->pidfd);
	return r == -EAGAIN ? code : r;
}

int exec_wait(struct exec_process *process)
{
	int r;

	r = process_wait_end(process->pidfd, -1);
	if (r < 0)
		return r;
	r = process_reap(process->pidfd);
	return r == -ECHILD ? adopted_exit_code(process) : r;
}

void exec_process_release(struct exec_process *process)
{
	cleanup_close_fd(&process->pidfd);
	cleanup_close_fd(&process->console_fd);
	process->pid = 0;
}
