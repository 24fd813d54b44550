/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tree.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/child_setup.h"
#include "runtime/root_overlay.h"
#include "runtime/spec_internal.h"
#include "runtime/start_internal.h"
#include "runtime/state.h"
#include "runtime/sync.h"
#include "runtime/user_lookup.h"
#include "sys/mount.h"
#include "sys/process.h"

#define OWN_NAMESPACE "self/ns/mnt"

/* What the parent opens and the child, in a namespace of its own, puts together. */
struct tree {
	const struct tree_request *request;
	struct launch launch;
	struct runtime_request runtime; /* what the stages of a start look at */
	struct start start;
	int init_pidfd;
	int root_mount_fd, upper_mount_fd;
	int proc_fd; /* the host's: a container's may be anything */
	int sync_parent, sync_child;
};

static void tree_release(struct tree *t)
{
	start_release(&t->start);
	cleanup_close_fd(&t->init_pidfd);
	cleanup_close_fd(&t->root_mount_fd);
	cleanup_close_fd(&t->upper_mount_fd);
	cleanup_close_fd(&t->proc_fd);
	cleanup_close_fd(&t->sync_parent);
	cleanup_close_fd(&t->sync_child);
	launch_release(&t->launch);
}

DEFINE_CLEANUP_VALUE(struct tree, tree_release);

static int has_ended(struct error *err)
{
	return err_set(err, ERR_CONFLICT, ESRCH, "the container has just ended");
}

/* ---- in the parent ---- */

static int make_overlay(const struct tree_request *q, enum root_use use, struct error *err)
{
	const struct root_overlay overlay = {
		.root_fd = q->root_fd,
		.bundle_fd = q->bundle_fd,
		.lowers = q->lowers,
		.use = use,
		.user_ns_fd = NO_FD,
	};

	return root_overlay_mount(&overlay, err);
}

static int prepare_files(struct tree *t, struct error *err)
{
	const struct tree_request *q = t->request;
	int r;

	t->root_mount_fd = make_overlay(q, ROOT_FOR_WRITING, err);
	if (t->root_mount_fd < 0)
		return t->root_mount_fd;
	if (q->mount_extras) {
		t->launch.mounts = *q->mount_extras;
		*q->mount_extras = (struct launch_mounts){0};
	}
	r = spec_parse_mounts(q->mounts, &t->start.spec, err);
	return r < 0 ? r : start_open_sources(&t->start, err);
}

static int prepare_layers(struct tree *t, struct error *err)
{
	auto_close int upper_fd = NO_FD;
	int r;

	t->root_mount_fd = make_overlay(t->request, ROOT_OF_IMAGE, err);
	if (t->root_mount_fd < 0)
		return t->root_mount_fd;
	upper_fd =
		path_open_beneath(t->request->bundle_fd, ROOT_UPPER_NAME, O_PATH | O_DIRECTORY, 0);
	if (upper_fd < 0)
		return err_set(err, ERR_SYSTEM, -upper_fd, "open what the container wrote");
	t->upper_mount_fd = mount_copy(upper_fd, /* recursive= */ false);
	r = t->upper_mount_fd;
	if (r >= 0)
		r = mount_change(t->upper_mount_fd, MOUNT_ATTR_RDONLY, 0, 0,
				 /* recursive= */ false);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "copy the mount of what the container wrote")
		     : 0;
}

static int prepare(struct tree *t, struct error *err)
{
	const struct tree_request *q = t->request;

	t->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (t->proc_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open /proc");
	switch (q->kind) {
	case TREE_LAYERS:
		return prepare_layers(t, err);
	case TREE_FILES:
		return prepare_files(t, err);
	case TREE_ROOT:
		break;
	}
	/* The overlay of a container with a user namespace would show us owners of the host's. */
	if (!q->init || q->has_user_ns) {
		t->root_mount_fd = make_overlay(q, ROOT_FOR_READING, err);
		return t->root_mount_fd < 0 ? t->root_mount_fd : 0;
	}
	t->init_pidfd = process_id_open(q->init);
	return t->init_pidfd < 0 ? has_ended(err) : 0;
}

/* ---- in the child ---- */

/* The root of a running container without what is mounted on it: the same overlay, so no second one. */
static int copy_running_root(struct tree *t, struct error *err)
{
	auto_close int root_fd = NO_FD;

	if (setns(t->init_pidfd, CLONE_NEWNS) < 0)
		return errno == ESRCH
			       ? has_ended(err)
			       : err_set(err, ERR_SYSTEM, errno, "enter the container's mounts");
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the container's root");
	t->root_mount_fd = mount_copy(root_fd, /* recursive= */ false);
	if (t->root_mount_fd < 0)
		return err_set(err, ERR_SYSTEM, -t->root_mount_fd, "copy the container's root");
	return 0;
}

/* A new root that is `mount_fd`; everything else is gone from our namespace. */
static int change_root(int mount_fd, struct error *err)
{
	auto_close int old_root_fd = NO_FD;
	int r;

	if (unshare(CLONE_NEWNS) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a mount namespace");
	old_root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (old_root_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the old root");
	r = mount_change(old_root_fd, 0, 0, MS_PRIVATE, /* recursive= */ true);
	if (r >= 0)
		r = mount_attach(mount_fd, old_root_fd);
	if (r >= 0)
		r = mount_pivot(mount_fd);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "change to the container's root") : 0;
}

static int mount_sources(struct tree *t, struct error *err)
{
	const struct spec *spec = &t->start.spec;
	int r = 0;

	t->start.root_fd = fcntl(t->root_mount_fd, F_DUPFD_CLOEXEC, 3);
	if (t->start.root_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the container's root");
	for (size_t i = 0; r >= 0 && i < spec->mount_count; i++)
		if (t->start.sources[i].mount_fd >= 0)
			r = stage_mount_one(&t->start, i, err);
	if (r < 0 || !t->request->root_read_only)
		return r;
	/* Only now: mount points had to be made. */
	r = mount_change(t->root_mount_fd, MOUNT_ATTR_RDONLY, 0, 0, /* recursive= */ false);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "make the root read-only") : 0;
}

static int attach_at(int mount_fd, int root_fd, const char *name, struct error *err)
{
	auto_close int fd = NO_FD;
	int r = mkdirat(root_fd, name, 0755) < 0 ? -errno : 0;

	if (r >= 0) {
		fd = openat(root_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? -errno : mount_attach(mount_fd, fd);
	}
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "mount '/%s'", name) : 0;
}

static int build_layers(struct tree *t, struct error *err)
{
	static const struct mount_option options[] = {{"size", "64k"}, {"mode", "755"}};
	auto_close int root_fd = mount_new("tmpfs", options, 2, 0);
	int r;

	if (root_fd < 0)
		return err_set(err, ERR_SYSTEM, -root_fd, "mount a tmpfs");
	r = change_root(root_fd, err);
	if (r >= 0)
		r = attach_at(t->upper_mount_fd, root_fd, &TREE_UPPER[1], err);
	return r < 0 ? r : attach_at(t->root_mount_fd, root_fd, &TREE_LOWER[1], err);
}

static int build(struct tree *t, struct error *err)
{
	int r;

	if (t->request->kind == TREE_LAYERS)
		return build_layers(t, err);
	r = t->init_pidfd >= 0 ? copy_running_root(t, err) : 0;
	if (r >= 0)
		r = change_root(t->root_mount_fd, err);
	if (r >= 0 && t->request->kind == TREE_FILES)
		r = mount_sources(t, err);
	return r;
}

/*
 * stage_tree() - put the tree together in a mount namespace and give that away
 *
 * Where:    a child of the engine, the host's namespaces but for the mounts.
 * Needs:    mounts and sources that the parent has opened.
 * Must:     make mounts private before the first one; resolve targets beneath the new root.
 * Must not: open paths of the host but "/" and, by descriptor, its /proc.
 * Leaves:   SYNC_ROOT sent, with the namespace.
 */
static _Noreturn void stage_tree(struct tree *t)
{
	auto_(error_release) struct error err = {0};
	auto_close int namespace_fd = NO_FD;
	int r;

	child_name("skiff:tree");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	r = build(t, &err);
	if (r >= 0) {
		/* Not dumpable, what is below /proc/self is root's, which we are. */
		namespace_fd = openat(t->proc_fd, OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
		r = namespace_fd < 0 ? err_set(&err, ERR_SYSTEM, errno, "open " OWN_NAMESPACE) : 0;
	}
	if (r >= 0) {
		r = sync_send(t->sync_child, SYNC_ROOT, namespace_fd);
		_exit(r < 0);
	}
	sync_fail(t->sync_child, &err);
	_exit(1);
}

static int run_child(struct tree *t, struct error *err)
{
	auto_close int pidfd = NO_FD, namespace_fd = NO_FD;
	int socks[2], r;
	pid_t pid;

	r = sync_pair(socks);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	t->sync_parent = socks[0];
	t->sync_child = socks[1];
	pid = process_clone(0, NO_FD, &pidfd);
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, -pid, "clone");
	if (pid == 0)
		stage_tree(t);
	cleanup_close_fd(&t->sync_child);
	r = sync_expect(t->sync_parent, SYNC_ROOT, &namespace_fd, err);
	(void)process_reap(pidfd);
	return r < 0 ? r : TAKE_FD(namespace_fd);
}

/* ---- who is who ---- */

struct looked_up {
	uid_t uid;
	gid_t gid;
};

static int look_up_inside(int tree_fd, const char *user, struct looked_up *ret, struct error *err)
{
	auto_(user_identity_release) struct user_identity identity = {0};
	auto_close int root_fd = NO_FD;
	int r;

	if (setns(tree_fd, CLONE_NEWNS) < 0)
		return err_set(err, ERR_SYSTEM, errno, "enter the container's mounts");
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the container's root");
	r = user_lookup(root_fd, user, NULL, &identity, err);
	if (r >= 0)
		*ret = (struct looked_up){identity.uid, identity.gid};
	return r;
}

/*
 * stage_lookup() - read the container's passwd file
 *
 * Where:    a child of the engine, in the container's mounts.
 * Must not: run, load or ask anything of the container's.
 * Leaves:   the answer on `answer_fd`, or SYNC_FAILED sent.
 */
static _Noreturn void stage_lookup(int tree_fd, const char *user, int answer_fd, int sock)
{
	auto_(error_release) struct error err = {0};
	struct looked_up answer;

	child_name("skiff:lookup");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (look_up_inside(tree_fd, user, &answer, &err) < 0)
		sync_fail(sock, &err);
	else
		(void)fd_write_all(answer_fd, &answer, sizeof(answer));
	_exit(0);
}

int tree_lookup_user(int tree_fd, const char *user, uid_t *ret_uid, gid_t *ret_gid,
		     struct error *err)
{
	auto_close int pidfd = NO_FD, sync_fd = NO_FD, child_fd = NO_FD;
	auto_close int read_fd = NO_FD, write_fd = NO_FD;
	struct looked_up answer;
	int fds[2], r;
	ssize_t n;
	pid_t pid;

	r = sync_pair(fds);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	sync_fd = fds[0];
	child_fd = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	pid = process_clone(0, NO_FD, &pidfd);
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, -pid, "clone");
	if (pid == 0)
		stage_lookup(tree_fd, user, write_fd, child_fd);
	cleanup_close_fd(&write_fd);
	cleanup_close_fd(&child_fd);
	n = fd_read_full(read_fd, &answer, sizeof(answer));
	(void)process_reap(pidfd);
	if (n != sizeof(answer)) {
		/* End of file means that it died; anything else is what it said. */
		r = sync_expect_exec(sync_fd, err);
		return r < 0 ? r : err_set(err, ERR_INTERNAL, 0, "the lookup ended without a word");
	}
	*ret_uid = answer.uid;
	*ret_gid = answer.gid;
	return 0;
}

/* ---- the whole ---- */

/* The container's own namespace: which process it is of is asked again when it is open. */
static int open_running(const struct process_id *init, struct error *err)
{
	auto_close int fd = NO_FD;
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)init->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !process_id_is_alive(init))
		return has_ended(err);
	return TAKE_FD(fd);
}

int tree_open(const struct tree_request *request, struct error *err)
{
	auto_(tree_release) struct tree t = {
		.request = request,
		.init_pidfd = NO_FD,
		.root_mount_fd = NO_FD,
		.upper_mount_fd = NO_FD,
		.proc_fd = NO_FD,
		.sync_parent = NO_FD,
		.sync_child = NO_FD,
	};
	int r;

	if (request->kind == TREE_FILES && request->init)
		return open_running(request->init, err);
	t.runtime = (struct runtime_request){
		.root_fd = request->root_fd,
		.bundle_fd = request->bundle_fd,
		.launch = &t.launch,
	};
	start_init(&t.start, &t.runtime);
	r = prepare(&t, err);
	return r < 0 ? r : run_child(&t, err);
}
