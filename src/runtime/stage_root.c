/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <unistd.h>

#include "runtime/root_overlay.h"
#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "runtime/userns.h"
#include "sys/mount.h"

static int mount_image(const struct start *start, struct error *err)
{
	const struct runtime_request *request = start->request;
	/*
	 * Writable under --read-only too: only the mount is read-only, and it becomes so in
	 * stage_hide(), when mount points have been made.
	 */
	struct root_overlay overlay = {
		.root_fd = request->root_fd,
		.bundle_fd = request->bundle_fd,
		.lowers = &request->launch->lowers,
		.use = ROOT_FOR_WRITING,
		.user_ns_fd = userns_maps_files(start) ? start->user_ns_fd : NO_FD,
		.is_volatile = request->launch->volatile_upper,
	};

	(void)id_map_outside(&start->spec.uids, 0, &overlay.root_uid);
	(void)id_map_outside(&start->spec.gids, 0, &overlay.root_gid);
	return root_overlay_mount(&overlay, err);
}

/* What is mounted on the host below the root's directory appears in the container too. */
static bool hears_of_host(const struct spec *spec)
{
	return spec->root_propagation == MS_SLAVE || spec->root_propagation == MS_SHARED;
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
	mount_fd = hears_of_host(&start->spec) ? mount_copy_peer(dir_fd, /* recursive= */ true)
					       : mount_copy(dir_fd, /* recursive= */ true);
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

static int set_propagation(const struct start *start, struct error *err)
{
	const struct spec *spec = &start->spec;
	int r;

	if (!spec->root_propagation)
		return 0;
	r = mount_change(start->root_fd, 0, 0, spec->root_propagation,
			 spec->root_propagation_recursive);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "propagation of the root") : 0;
}

/*
 * Where hooks are to find the container's root at its place in the host's tree, it is attached there, and a
 * chroot stands in for the pivot until stage_hooks().
 */
static int pivot_later(struct start *start, int mount_fd, int old_root_fd, struct error *err)
{
	auto_close int place_fd = NO_FD;
	int r;

	place_fd = open(start->spec.root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open root '%s'", start->spec.root_path);
	r = mount_attach(mount_fd, place_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "attach the root");
	if (fchdir(mount_fd) < 0 || chroot(".") < 0)
		return err_set(err, ERR_SYSTEM, errno, "change to the root");
	start->host_root_fd = old_root_fd;
	start->root_fd = mount_fd;
	return 0;
}

/*
 * stage_root() - make the root that the parent built ours
 *
 * Where:    child, new mount namespace; still a copy of the host's tree.
 * Needs:    SYNC_ROOT.
 * Must:     make that copy private before the first mount; pivot, and drop the old tree.
 * Must not: open any host path by name but "/", which is about to go, and with hooks of creation the
 *           root's own.
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
	if (start_pivots_late(start)) {
		r = pivot_later(start, mount_fd, old_root_fd, err);
		if (r < 0)
			return r;
		(void)TAKE_FD(mount_fd);
		(void)TAKE_FD(old_root_fd);
		return set_propagation(start, err);
	}
	r = mount_attach(mount_fd, old_root_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "attach the root");
	r = mount_pivot(mount_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "pivot into the root");
	start->root_fd = TAKE_FD(mount_fd);
	return set_propagation(start, err);
}
