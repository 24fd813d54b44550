/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/path.h"
#include "runtime/start_internal.h"
#include "sys/mount.h"

/* What stands over a hidden file or directory; each made when first needed, then copied. */
struct cover {
	int empty_dir_fd; /* a tmpfs, read-only */
	int null_fd;      /* borrowed: the container's /dev/null, checked */
};

static int cover_directory(struct cover *cover, int target_fd)
{
	static const struct mount_option options[] = {
		{"size", "0"}, {"nr_inodes", "2"}, {"mode", "0555"}};
	auto_close int copy_fd = NO_FD;
	int r;

	if (cover->empty_dir_fd < 0) {
		cover->empty_dir_fd = mount_new("tmpfs", options,
						sizeof(options) / sizeof(options[0]),
						MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
							MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
		if (cover->empty_dir_fd < 0)
			return cover->empty_dir_fd;
		/* Attached, it is of this namespace, and can be copied on kernels before 6.15 too.
		 */
		return mount_attach(cover->empty_dir_fd, target_fd);
	}
	copy_fd = mount_copy(cover->empty_dir_fd, /* recursive= */ false);
	if (copy_fd < 0)
		return copy_fd;
	r = mount_attach(copy_fd, target_fd);
	return r;
}

static int cover_file(const struct cover *cover, int target_fd)
{
	auto_close int copy_fd = mount_copy(cover->null_fd, /* recursive= */ false);

	if (copy_fd < 0)
		return copy_fd;
	return mount_attach(copy_fd, target_fd);
}

static int mask_path(struct start *start, struct cover *cover, const char *path, struct error *err)
{
	auto_close int target_fd = NO_FD;
	struct stat st;
	int r;

	target_fd = path_open_in_root(start->root_fd, path, O_PATH, 0);
	if (target_fd == -ENOENT || target_fd == -ENOTDIR)
		return 0;
	if (target_fd < 0)
		return err_set(err, ERR_SYSTEM, -target_fd, "mask '%s'", path);
	if (fstat(target_fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "mask '%s'", path);
	r = S_ISDIR(st.st_mode) ? cover_directory(cover, target_fd) : cover_file(cover, target_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "mask '%s'", path);
	return 0;
}

static int make_read_only(struct start *start, const char *path, struct error *err)
{
	auto_close int target_fd = NO_FD;
	auto_close int copy_fd = NO_FD;
	int r;

	target_fd = path_open_in_root(start->root_fd, path, O_PATH, 0);
	if (target_fd == -ENOENT || target_fd == -ENOTDIR)
		return 0;
	if (target_fd < 0)
		return err_set(err, ERR_SYSTEM, -target_fd, "make '%s' read-only", path);
	copy_fd = mount_copy(target_fd, /* recursive= */ true);
	if (copy_fd < 0)
		return err_set(err, ERR_SYSTEM, -copy_fd, "make '%s' read-only", path);
	r = mount_change(copy_fd, MOUNT_ATTR_RDONLY, 0, 0, /* recursive= */ true);
	if (r == 0)
		r = mount_attach(copy_fd, target_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make '%s' read-only", path);
	return 0;
}

static int read_only_root(struct start *start, struct error *err)
{
	int r;

	if (!start->spec.root_readonly)
		return 0;
	r = mount_change(start->root_fd, MOUNT_ATTR_RDONLY, 0, 0, /* recursive= */ false);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make the root read-only");
	return 0;
}

/*
 * The working directory may be created by us, which docker does too; under --read-only that must
 * happen before the root is closed.
 */
static int make_workdir(struct start *start, struct error *err)
{
	auto_close int fd = NO_FD;

	if (!start->spec.root_readonly)
		return 0;
	fd = path_mkdir_in_root(start->root_fd, start->spec.cwd, 0755, (uid_t)-1, (gid_t)-1);
	if (fd < 0 && fd != -ELOOP && fd != -ENOTDIR && fd != -EROFS)
		return err_set(err, ERR_SYSTEM, -fd, "make working directory '%s'",
			       start->spec.cwd);
	return 0;
}

/*
 * stage_hide() - read-only paths, masked paths, the read-only root
 *
 * Where:    child, inside the container's root, everything mounted and written.
 * Must:     reach every path beneath the root; cover with checked descriptors.
 * Must not: be followed by a stage that writes to /proc/sys or makes mount points.
 */
int stage_hide(struct start *start, struct error *err)
{
	struct cover cover = {.empty_dir_fd = NO_FD, .null_fd = start->null_fd};
	auto_close int empty_dir_fd = NO_FD;
	int r = 0;

	for (size_t i = 0; r == 0 && i < start->spec.readonly_paths.count; i++)
		r = make_read_only(start, start->spec.readonly_paths.items[i], err);
	for (size_t i = 0; r == 0 && i < start->spec.masked_paths.count; i++)
		r = mask_path(start, &cover, start->spec.masked_paths.items[i], err);
	empty_dir_fd = cover.empty_dir_fd;
	if (r < 0)
		return r;
	r = make_workdir(start, err);
	if (r < 0)
		return r;
	return read_only_root(start, err);
}
