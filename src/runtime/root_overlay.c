/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/root_overlay.h"

#include <fcntl.h>
#include <linux/mount.h>

#include "base/alloc.h"
#include "base/path.h"
#include "sys/mount.h"
#include "sys/user_namespace.h"

static int open_dir(int dir_fd, const char *path, const char *what, int *ret_fd, struct error *err)
{
	int fd = path_open_beneath(dir_fd, path, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, -fd, "open %s '%s'", what, path);
	*ret_fd = fd;
	return 0;
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cleanup_close_fd(&fds[i]);
}

/* Top first. For reading, what the container wrote is the topmost of them. */
static int open_lowers(const struct root_overlay *q, int *fds, size_t *ret_count, struct error *err)
{
	size_t n = 0;
	int r = 0;

	if (q->use == ROOT_FOR_READING)
		r = open_dir(q->bundle_fd, ROOT_UPPER_NAME, "the container's", &fds[n++], err);
	for (size_t i = 0; r >= 0 && i < q->lowers->count; i++)
		r = open_dir(q->root_fd, q->lowers->items[i], "layer", &fds[n++], err);
	*ret_count = n;
	return r;
}

static int open_writable(const struct root_overlay *q, struct mount_overlay *overlay,
			 struct error *err)
{
	int r = open_dir(q->bundle_fd, ROOT_UPPER_NAME, "the container's", &overlay->upper_fd, err);

	if (r >= 0)
		r = open_dir(q->bundle_fd, ROOT_WORK_NAME, "the container's", &overlay->work_fd,
			     err);
	if (r < 0)
		return r;
	/* The mark of an earlier volatile mount, which the kernel refuses; --rm vouches for the
	 * loss. */
	if (q->is_volatile)
		(void)path_remove_tree(overlay->work_fd, "work/incompat");
	return 0;
}

/* An overlay without an upper layer needs two others; a single one needs no overlay. */
static int mount_lowers(const struct mount_overlay *overlay)
{
	auto_close int fd = NO_FD;
	int r;

	if (overlay->upper_fd >= 0 || overlay->lower_count > 1)
		return mount_overlay(overlay);
	fd = mount_copy(overlay->lowers[0], /* recursive= */ false);
	r = fd < 0 ? fd : mount_change(fd, MOUNT_ATTR_RDONLY, 0, 0, /* recursive= */ false);
	return r < 0 ? r : TAKE_FD(fd);
}

static int mount_as_on_disk(const struct root_overlay *q, struct error *err)
{
	auto_free int *lowers = xcalloc(q->lowers->count + 1, sizeof(int));
	auto_close int upper_fd = NO_FD, work_fd = NO_FD;
	struct mount_overlay overlay = {
		.lowers = lowers,
		.upper_fd = NO_FD,
		.work_fd = NO_FD,
		.is_volatile = q->is_volatile && q->use == ROOT_FOR_WRITING,
		.attributes = q->use == ROOT_FOR_WRITING ? 0 : MOUNT_ATTR_RDONLY,
	};
	int r, mount_fd;

	for (size_t i = 0; i < q->lowers->count + 1; i++)
		lowers[i] = NO_FD;
	r = q->use == ROOT_FOR_WRITING ? open_writable(q, &overlay, err) : 0;
	upper_fd = overlay.upper_fd;
	work_fd = overlay.work_fd;
	if (r >= 0)
		r = open_lowers(q, lowers, &overlay.lower_count, err);
	mount_fd = r < 0 ? r : mount_lowers(&overlay);
	close_all(lowers, q->lowers->count + 1);
	if (r < 0)
		return r;
	if (mount_fd < 0)
		return err_set(err, ERR_SYSTEM, -mount_fd, "mount the overlay of %zu layers",
			       q->lowers->count);
	return mount_fd;
}

/* A copy of the directory's mount in which owners are those of the user namespace. */
static int copy_mapped(int dir_fd, int user_ns_fd, struct error *err)
{
	auto_close int fd = mount_copy(dir_fd, /* recursive= */ false);
	int r = fd < 0 ? fd : mount_map_owners(fd, user_ns_fd, /* recursive= */ false);

	if (r == -EINVAL || r == -ENOSYS)
		return err_set(err, ERR_UNAVAILABLE, -r,
			       "the filesystem of the store has no id-mapped mounts, which a user "
			       "namespace needs");
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "map the owners of the store's files");
	return TAKE_FD(fd);
}

/*
 * Layers and what the container writes keep their owners on the disk, whatever the namespace: 0 is the
 * container's root. So one unpacked layer serves every mapping, and whoever looks at a container that
 * does not run needs to know of none. upper and work must be of one mount (ovl_get_workdir()). Whoever
 * mounts an overlay makes the files that it copies up, so he must be somebody there.
 */
static int mount_mapped(const struct root_overlay *q, struct error *err)
{
	auto_close int root_fd = copy_mapped(q->root_fd, q->user_ns_fd, err);
	auto_close int bundle_fd = root_fd < 0 ? root_fd
					       : copy_mapped(q->bundle_fd, q->user_ns_fd, err);
	struct root_overlay mapped = *q;
	int r;

	if (bundle_fd < 0)
		return bundle_fd;
	mapped.root_fd = root_fd;
	mapped.bundle_fd = bundle_fd;
	r = file_owner_become(q->root_uid, q->root_gid);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make files as the container's root");
	r = mount_as_on_disk(&mapped, err);
	file_owner_reset();
	return r;
}

int root_overlay_mount(const struct root_overlay *q, struct error *err)
{
	return q->user_ns_fd >= 0 ? mount_mapped(q, err) : mount_as_on_disk(q, err);
}
