/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/mount.h>

#include "base/alloc.h"
#include "base/path.h"
#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "sys/mount.h"

static int open_bundle_dir(int bundle_fd, const char *name, struct error *err)
{
	int fd = path_open_beneath(bundle_fd, name, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, -fd, "open '%s' of the container", name);
	return fd;
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cleanup_close_fd(&fds[i]);
}

static int open_lowers(int root_fd, const struct strv *lowers, int *fds, struct error *err)
{
	for (size_t i = 0; i < lowers->count; i++) {
		fds[i] = path_open_beneath(root_fd, lowers->items[i], O_PATH | O_DIRECTORY, 0);
		if (fds[i] < 0)
			return err_set(err, ERR_SYSTEM, -fds[i], "open layer '%s'",
				       lowers->items[i]);
	}
	return 0;
}

/*
 * The upper directory stays writable under --read-only: only the mount is read-only, and it becomes
 * so in stage_hide(), when mount points have been made.
 */
static int mount_image(const struct start *start, struct error *err)
{
	const struct runtime_request *request = start->request;
	const struct strv *lowers = &request->launch->lowers;
	auto_free int *lower_fds = xcalloc(lowers->count, sizeof(int));
	auto_close int upper_fd = NO_FD;
	auto_close int work_fd = NO_FD;
	struct mount_overlay overlay;
	int r, mount_fd;

	for (size_t i = 0; i < lowers->count; i++)
		lower_fds[i] = NO_FD;
	upper_fd = open_bundle_dir(request->bundle_fd, "upper", err);
	if (upper_fd < 0)
		return upper_fd;
	work_fd = open_bundle_dir(request->bundle_fd, "work", err);
	if (work_fd < 0)
		return work_fd;
	r = open_lowers(request->root_fd, lowers, lower_fds, err);
	if (r < 0) {
		close_all(lower_fds, lowers->count);
		return r;
	}
	/* The mark of an earlier volatile mount, which the kernel refuses; --rm vouches for the
	 * loss. */
	if (request->launch->volatile_upper)
		(void)path_remove_tree(work_fd, "work/incompat");
	overlay = (struct mount_overlay){
		.lowers = lower_fds,
		.lower_count = lowers->count,
		.upper_fd = upper_fd,
		.work_fd = work_fd,
		.is_volatile = request->launch->volatile_upper,
	};
	mount_fd = mount_overlay(&overlay);
	close_all(lower_fds, lowers->count);
	if (mount_fd < 0)
		return err_set(err, ERR_SYSTEM, -mount_fd, "mount the overlay of %zu layers",
			       lowers->count);
	return mount_fd;
}

/* A bundle whose root is a plain directory: a recursive bind of it. */
static int mount_directory(const struct start *start, struct error *err)
{
	const char *path = start->spec.root_path;
	auto_close int dir_fd = NO_FD;
	int mount_fd;

	if (!path || path[0] != '/')
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: root.path must be an absolute path");
	dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open root '%s'", path);
	mount_fd = mount_copy(dir_fd, /* recursive= */ true);
	if (mount_fd < 0)
		return err_set(err, ERR_SYSTEM, -mount_fd, "bind root '%s'", path);
	return mount_fd;
}

/*
 * start_make_root() - the container's root, detached
 *
 * Where:    the monitor, beside its child, which makes its namespaces meanwhile.
 * Must:     reach layers, upper and work by descriptor.
 * Leaves:   a mount that is attached nowhere: the host's mount table never shows it.
 */
int start_make_root(const struct start *start, struct error *err)
{
	if (start->request->launch->lowers.count > 0)
		return mount_image(start, err);
	return mount_directory(start, err);
}

/*
 * stage_root() - make the root that the parent built ours
 *
 * Where:    child, new mount namespace; still a copy of the host's tree.
 * Needs:    SYNC_ROOT.
 * Must:     make that copy private before the first mount; pivot, and drop the old tree.
 * Must not: open any host path by name but "/", which is about to go.
 * Leaves:   cwd is "/" of the container; start->root_fd is it.
 */
int stage_root(struct start *start, struct error *err)
{
	auto_close int mount_fd = NO_FD;
	auto_close int old_root_fd = NO_FD;
	int r;

	old_root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (old_root_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the old root");
	r = mount_change(old_root_fd, 0, 0, MS_PRIVATE, /* recursive= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make the mount namespace private");
	r = sync_expect(start->sync_child, SYNC_ROOT, &mount_fd, err);
	if (r < 0)
		return r;
	r = mount_attach(mount_fd, old_root_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "attach the root");
	r = mount_pivot(mount_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "pivot into the root");
	start->root_fd = TAKE_FD(mount_fd);
	return 0;
}
