/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/mount.h>

#include "runtime/root_overlay.h"
#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "sys/mount.h"

static int mount_image(const struct start *start, struct error *err)
{
	const struct runtime_request *request = start->request;
	/*
	 * Writable under --read-only too: only the mount is read-only, and it becomes so in
	 * stage_hide(), when mount points have been made.
	 */
	const struct root_overlay overlay = {
		.root_fd = request->root_fd,
		.bundle_fd = request->bundle_fd,
		.lowers = &request->launch->lowers,
		.use = ROOT_FOR_WRITING,
		.is_volatile = request->launch->volatile_upper,
	};

	return root_overlay_mount(&overlay, err);
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
