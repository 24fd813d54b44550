/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/mount.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strbuf.h"

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif

/* <sys/mount.h> and <linux/mount.h> exclude each other in glibc 2.36, hence the bare calls. */
static int sys_fsopen(const char *fs_type)
{
	long fd = syscall(SYS_fsopen, fs_type, FSOPEN_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static int sys_fsconfig(int fs_fd, unsigned int command, const char *key, const void *value,
			int aux)
{
	return syscall(SYS_fsconfig, fs_fd, command, key, value, aux) < 0 ? -errno : 0;
}

static int create_and_mount(int fs_fd, unsigned int attributes)
{
	long fd;
	int r;

	r = sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	fd = syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, attributes);
	return fd < 0 ? -errno : (int)fd;
}

int mount_new(const char *fs_type, const struct mount_option *options, size_t option_count,
	      unsigned int attributes)
{
	auto_close int fs_fd = NO_FD;
	int r;

	fs_fd = sys_fsopen(fs_type);
	if (fs_fd < 0)
		return fs_fd;
	for (size_t i = 0; i < option_count; i++) {
		const struct mount_option *o = &options[i];

		r = sys_fsconfig(fs_fd, o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, o->key,
				 o->value, 0);
		if (r < 0)
			return r;
	}
	return create_and_mount(fs_fd, attributes);
}

/*
 * How overlayfs is told its directories, newest first. Where it takes paths only, we name our own
 * descriptors, which fsconfig(2) resolves as us.
 */
enum overlay_style {
	OVERLAY_BY_FD,      /* FIXME(kernel 6.13): drop the others when it is our minimum */
	OVERLAY_ONE_BY_ONE, /* 6.7: "lowerdir+", once for each */
	OVERLAY_JOINED, /* "lowerdir", with colons between; all options fill a page at most before 6.5 */
};

static int overlay_set_dir(int fs_fd, enum overlay_style style, const char *key, int dir_fd)
{
	struct fd_path path = fd_path(dir_fd);

	if (style == OVERLAY_BY_FD)
		return sys_fsconfig(fs_fd, FSCONFIG_SET_FD, key, NULL, dir_fd);
	return sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, key, path.text, 0);
}

static int overlay_join_lowers(int fs_fd, const struct mount_overlay *overlay)
{
	auto_(strbuf_release) struct strbuf paths = {0};

	for (size_t i = 0; i < overlay->lower_count; i++) {
		if (i > 0)
			strbuf_addc(&paths, ':');
		strbuf_adds(&paths, fd_path(overlay->lowers[i]).text);
	}
	return sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "lowerdir", paths.data, 0);
}

/*
 * The first layer shows which style this kernel has: a file system that knows fsconfig(2) refuses what it does
 * not know with EINVAL; one that does not (overlayfs before 6.5) takes no descriptors (EOPNOTSUPP), and any
 * name.
 */
static int overlay_find_style(int fs_fd, int first_lower_fd, enum overlay_style *ret_style)
{
	int r;

	*ret_style = OVERLAY_BY_FD;
	r = overlay_set_dir(fs_fd, *ret_style, "lowerdir+", first_lower_fd);
	if (r == -EINVAL) {
		*ret_style = OVERLAY_ONE_BY_ONE;
		r = overlay_set_dir(fs_fd, *ret_style, "lowerdir+", first_lower_fd);
	}
	if (r == -EINVAL || r == -EOPNOTSUPP) {
		*ret_style = OVERLAY_JOINED;
		r = 0;
	}
	return r;
}

static int overlay_set_lowers(int fs_fd, const struct mount_overlay *overlay,
			      enum overlay_style *ret_style)
{
	int r;

	r = overlay_find_style(fs_fd, overlay->lowers[0], ret_style);
	if (r == 0 && *ret_style == OVERLAY_JOINED)
		return overlay_join_lowers(fs_fd, overlay);
	for (size_t i = 1; r == 0 && i < overlay->lower_count; i++)
		r = overlay_set_dir(fs_fd, *ret_style, "lowerdir+", overlay->lowers[i]);
	return r;
}

int mount_overlay(const struct mount_overlay *overlay)
{
	auto_close int fs_fd = NO_FD;
	enum overlay_style style;
	int r;

	fs_fd = sys_fsopen("overlay");
	if (fs_fd < 0)
		return fs_fd;
	r = overlay_set_lowers(fs_fd, overlay, &style);
	if (r < 0)
		return r;
	if (overlay->upper_fd >= 0) {
		r = overlay_set_dir(fs_fd, style, "upperdir", overlay->upper_fd);
		if (r < 0)
			return r;
		r = overlay_set_dir(fs_fd, style, "workdir", overlay->work_fd);
		if (r < 0)
			return r;
		if (overlay->is_volatile) {
			r = sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, "volatile", NULL, 0);
			if (r < 0)
				return r;
		}
	}
	return create_and_mount(fs_fd, overlay->attributes);
}

int mount_copy_peer(int fd, bool recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	long copy;

	copy = syscall(SYS_open_tree, fd, "", flags | (recursive ? AT_RECURSIVE : 0));
	return copy < 0 ? -errno : (int)copy;
}

int mount_copy(int fd, bool recursive)
{
	auto_close int copy_fd = mount_copy_peer(fd, recursive);
	int r;

	if (copy_fd < 0)
		return copy_fd;
	r = mount_change(copy_fd, 0, 0, MS_PRIVATE, recursive);
	return r < 0 ? r : TAKE_FD(copy_fd);
}

int mount_change(int mount_fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = set,
		.attr_clr = clear,
		.propagation = propagation,
	};
	long r;

	r = syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
		    &attr, sizeof(attr));
	return r < 0 ? -errno : 0;
}

int mount_map_owners(int mount_fd, int user_ns_fd, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)user_ns_fd,
	};
	long r;

	r = syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
		    &attr, sizeof(attr));
	return r < 0 ? -errno : 0;
}

int mount_attach(int mount_fd, int target_fd)
{
	long r;

	r = syscall(SYS_move_mount, mount_fd, "", target_fd, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	return r < 0 ? -errno : 0;
}

int mount_pivot(int root_fd)
{
	if (fchdir(root_fd) < 0)
		return -errno;
	/* The old root is stacked on the new one, and "." is then the old one (pivot_root(2)). */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	if (syscall(SYS_umount2, ".", MNT_DETACH) < 0)
		return -errno;
	if (chdir("/") < 0)
		return -errno;
	return 0;
}
