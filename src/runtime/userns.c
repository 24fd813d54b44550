/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/userns.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "sys/cgroup.h"
#include "sys/mount.h"
#include "sys/process.h"
#include "sys/user_namespace.h"

/* Those that the parent enters for the child, and what they are called below /proc/self/ns. */
static const struct joined {
	enum spec_namespace ns;
	const char *path;
} joined[] = {
	{SPEC_NS_NETWORK, "/proc/self/ns/net"},
	{SPEC_NS_IPC, "/proc/self/ns/ipc"},
	{SPEC_NS_UTS, "/proc/self/ns/uts"},
};

bool userns_is_used(const struct spec *spec)
{
	return spec->namespaces[SPEC_NS_USER] != SPEC_NS_HOST;
}

bool userns_maps_files(const struct start *start)
{
	return userns_is_used(&start->spec) &&
	       !(id_map_is_identity(&start->spec.uids) && id_map_is_identity(&start->spec.gids));
}

int userns_prepare(struct start *start, struct error *err)
{
	struct spec *spec = &start->spec;
	int r = 0;

	if (!userns_is_used(spec))
		return 0;
	for (size_t i = 0; i < spec->mount_count; i++)
		if (spec->mounts[i].uid_map)
			return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
				       "mount on '%s': a map of its own and a user namespace "
				       "together are not supported",
				       spec->mounts[i].destination);
	if (spec->namespaces[SPEC_NS_USER] == SPEC_NS_JOIN && spec->uids.count == 0)
		r = user_namespace_read(start->namespace_fds[SPEC_NS_USER], &spec->uids,
					&spec->gids);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "read the maps of user namespace '%s'",
			       spec->namespace_paths[SPEC_NS_USER])
		     : 0;
}

void userns_give_streams(const struct spec *spec, const int streams[3])
{
	uint32_t uid, gid;

	if (!id_map_outside(&spec->uids, 0, &uid) || !id_map_outside(&spec->gids, 0, &gid))
		return;
	for (int i = 0; i < 3; i++) {
		struct stat st;

		if (streams[i] >= 0 && fstat(streams[i], &st) == 0 &&
		    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
			(void)fchown(streams[i], uid, gid);
	}
}

/* ---- namespaces of others ---- */

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cleanup_close_fd(&fds[i]);
}

/* `own` gets what leave_joined() goes back to. */
static int enter_joined(const struct start *start, int own[ARRAY_SIZE(joined)], struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(joined); i++) {
		enum spec_namespace ns = joined[i].ns;

		if (start->spec.namespaces[ns] != SPEC_NS_JOIN)
			continue;
		own[i] = open(joined[i].path, O_RDONLY | O_CLOEXEC);
		if (own[i] < 0)
			return err_set(err, ERR_SYSTEM, errno, "open '%s'", joined[i].path);
		if (setns(start->namespace_fds[ns], (int)spec_namespace_flag(ns)) < 0)
			return err_set(err, ERR_SYSTEM, errno, "join namespace '%s'",
				       start->spec.namespace_paths[ns]);
	}
	return 0;
}

static int leave_joined(int own[ARRAY_SIZE(joined)], struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(joined); i++)
		if (own[i] >= 0 && setns(own[i], (int)spec_namespace_flag(joined[i].ns)) < 0)
			r = -errno;
	close_all(own, ARRAY_SIZE(joined));
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "go back to our own namespaces") : 0;
}

/* ---- the clone ---- */

/*
 * stage_join_user() - clone the child from inside an existing user namespace
 *
 * Where:    a child of the monitor, which ends at once; the new process is the monitor's child.
 * Must not: become root in there: who made the cgroup may clone into it.
 * Leaves:   SYNC_PID sent over `sock`.
 */
static pid_t stage_join_user(struct start *start, uint64_t flags, int cgroup_fd, int sock)
{
	auto_(error_release) struct error err = {0};
	auto_close int pidfd = NO_FD;
	pid_t pid;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setns(start->namespace_fds[SPEC_NS_USER], CLONE_NEWUSER) < 0) {
		(void)err_set(&err, ERR_SYSTEM, errno, "join user namespace '%s'",
			      start->spec.namespace_paths[SPEC_NS_USER]);
		sync_fail(sock, &err);
		_exit(1);
	}
	pid = process_clone(flags | CLONE_PARENT, cgroup_fd, &pidfd);
	if (pid == 0)
		return 0;
	if (pid < 0) {
		(void)err_set(&err, ERR_SYSTEM, -pid, "clone the container's first process");
		sync_fail(sock, &err);
		_exit(1);
	}
	_exit(sync_send(sock, SYNC_PID, pidfd) < 0);
}

static pid_t clone_in_joined(struct start *start, struct runtime_process *process, uint64_t flags,
			     int cgroup_fd, struct error *err)
{
	auto_close int ours = NO_FD, theirs = NO_FD, helper_fd = NO_FD;
	int socks[2], r;
	pid_t helper;

	r = sync_pair(socks);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	ours = socks[0];
	theirs = socks[1];
	helper = process_clone(0, NO_FD, &helper_fd);
	if (helper < 0)
		return err_set(err, ERR_SYSTEM, -helper, "clone");
	if (helper == 0)
		return stage_join_user(start, flags, cgroup_fd, theirs);
	cleanup_close_fd(&theirs);
	r = sync_expect(ours, SYNC_PID, &process->pidfd, err);
	(void)process_reap(helper_fd);
	if (r < 0)
		return r;
	r = process_pid_of(process->pidfd);
	return r > 0 ? r : err_set(err, ERR_SYSTEM, ESRCH, "the container's process has ended");
}

static pid_t clone_now(struct start *start, struct runtime_process *process, uint64_t flags,
		       struct error *err)
{
	int cgroup_fd = start->cgroup ? cgroup_clone_fd(start->cgroup) : NO_FD;
	pid_t pid;

	if (start->spec.namespaces[SPEC_NS_USER] == SPEC_NS_JOIN)
		return clone_in_joined(start, process, flags, cgroup_fd, err);
	if (userns_is_used(&start->spec))
		flags |= CLONE_NEWUSER;
	pid = process_clone(flags, cgroup_fd, &process->pidfd);
	return pid < 0 ? err_set(err, ERR_SYSTEM, -pid, "clone the container's first process")
		       : pid;
}

pid_t userns_clone(struct start *start, struct runtime_process *process, uint64_t flags,
		   struct error *err)
{
	auto_(error_release) struct error second = {0};
	int own[ARRAY_SIZE(joined)] = {NO_FD, NO_FD, NO_FD};
	pid_t pid;
	int r;

	if (!userns_is_used(&start->spec))
		return clone_now(start, process, flags, err);
	if (!start->spec.terminal)
		userns_give_streams(&start->spec, start->request->stdio);
	r = enter_joined(start, own, err);
	if (r == 0)
		r = userns_make_filesystems(start, err);
	pid = r < 0 ? r : clone_now(start, process, flags, err);
	if (pid == 0)
		return 0;
	r = leave_joined(own, pid < 0 ? &second : err);
	if (pid > 0 && r < 0)
		process->pid = pid; /* the caller kills it */
	return pid < 0 ? pid : r < 0 ? r : pid;
}

/* ---- when it is cloned ---- */

/* A process may not raise its own hard limits in there; one that we may not raise it will name. */
static void raise_limits(const struct spec *spec, pid_t pid)
{
	for (size_t i = 0; i < spec->rlimit_count; i++) {
		const struct spec_rlimit *l = &spec->rlimits[i];
		const struct rlimit value = {.rlim_cur = l->soft, .rlim_max = l->hard};

		(void)prlimit(pid, (__rlimit_resource_t)l->resource, &value, NULL);
	}
}

static int write_oom_score(const struct spec *spec, pid_t pid, struct error *err)
{
	auto_close int fd = NO_FD;
	char path[40], text[16];
	int r;

	if (!spec->has_oom_score_adj)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	(void)snprintf(text, sizeof(text), "%d", spec->oom_score_adj);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "set the oom score to %s", text) : 0;
}

static int map_bind(const struct start *start, size_t index, struct error *err)
{
	const struct spec_mount *mount = &start->spec.mounts[index];
	int r;

	if (!userns_maps_files(start))
		return 0;
	r = mount_map_owners(start->sources[index].mount_fd, start->user_ns_fd,
			     mount->map_owners_below);
	if (r == -EINVAL)
		return err_set(err, ERR_UNAVAILABLE, EINVAL,
			       "the filesystem of '%s' has no id-mapped mounts: it cannot be "
			       "mounted on '%s' with other owners",
			       mount->source, mount->destination);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "map the owners of '%s'", mount->source) : 0;
}

int userns_finish(struct start *start, const struct runtime_process *process, struct error *err)
{
	const struct spec *spec = &start->spec;
	int r = 0;

	if (spec->namespaces[SPEC_NS_USER] == SPEC_NS_NEW)
		r = user_namespace_map(process->pid, &spec->uids, &spec->gids);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "map the ids of the user namespace");
	if (userns_is_used(spec)) {
		raise_limits(spec, process->pid);
		r = write_oom_score(spec, process->pid, err);
		if (r < 0)
			return r;
		r = sync_send(process->start_sock, SYNC_IDMAP, NO_FD);
		if (r < 0 && r != -EPIPE)
			return err_set(err, ERR_SYSTEM, -r,
				       "speak to the container's first process");
		start->user_ns_fd = user_namespace_open(process->pid);
		if (start->user_ns_fd < 0)
			return err_set(err, ERR_SYSTEM, -start->user_ns_fd,
				       "open the container's user namespace");
	}
	for (size_t i = 0; r >= 0 && userns_is_used(spec) && i < spec->mount_count; i++)
		if (spec->mounts[i].map_owners)
			r = map_bind(start, i, err);
	return r < 0 ? r : 0;
}
