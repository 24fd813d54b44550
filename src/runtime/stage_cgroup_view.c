/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "sys/cgroup.h"
#include "sys/mount.h"

static const struct spec_mount *find_view(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (!spec->mounts[i].bind && strcmp(spec->mounts[i].type, "cgroup") == 0)
			return &spec->mounts[i];
	return NULL;
}

static bool is_shown(const struct start *start, size_t index)
{
	return !cgroup_host_get(start->cgroup_host, index)->is_v2 &&
	       cgroup_dir_fd(start->cgroup, index) >= 0;
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cleanup_close_fd(&fds[i]);
}

/*
 * Copies of the host's mounts, beginning at our own groups: a fresh mount in a cgroup namespace would
 * make a superblock per hierarchy, and looks the same from inside.
 */
int start_send_view(const struct start *start, int sock, struct error *err)
{
	const struct spec_mount *view = find_view(&start->spec);
	int fds[SYNC_FDS_MAX], r = 0;
	size_t count = 0;

	if (!view || cgroup_host_mode(start->cgroup_host) == CGROUP_MODE_V2)
		return 0;
	for (size_t i = 0; r == 0 && i < cgroup_host_count(start->cgroup_host); i++) {
		if (!is_shown(start, i))
			continue;
		fds[count] = mount_copy(cgroup_dir_fd(start->cgroup, i), /* recursive= */ false);
		if (fds[count] < 0) {
			r = fds[count];
			break;
		}
		r = mount_change(fds[count++], view->attr_set, 0, 0, /* recursive= */ false);
	}
	if (r == 0)
		r = sync_send_fds(sock, SYNC_VIEW, fds, count);
	close_all(fds, count);
	if (r < 0 && r != -EPIPE)
		return err_set(err, ERR_SYSTEM, -r, "make the cgroup view");
	return 0;
}

/* "cpu" and "cpuacct" lead to "cpu,cpuacct", as every distribution has it. */
static int link_controllers(int view_fd, const char *name)
{
	auto_(strv_release) struct strv parts = {0};

	if (!strchr(name, ','))
		return 0;
	strv_split(&parts, name, ',');
	for (size_t i = 0; i < parts.count; i++)
		if (symlinkat(name, view_fd, parts.items[i]) < 0 && errno != EEXIST)
			return -errno;
	return 0;
}

static int add_hierarchy(int view_fd, const struct cgroup_hierarchy *hierarchy, int mount_fd)
{
	auto_close int target_fd = NO_FD;
	int r;

	if (mkdirat(view_fd, hierarchy->name, 0755) < 0)
		return -errno;
	target_fd = openat(view_fd, hierarchy->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target_fd < 0)
		return -errno;
	r = mount_attach(mount_fd, target_fd);
	if (r < 0)
		return r;
	return link_controllers(view_fd, hierarchy->name);
}

static int add_hierarchies(const struct start *start, int view_fd, const int *fds, size_t count)
{
	size_t next = 0;

	for (size_t i = 0; i < cgroup_host_count(start->cgroup_host) && next < count; i++) {
		const struct cgroup_hierarchy *hierarchy = cgroup_host_get(start->cgroup_host, i);
		int r;

		if (hierarchy->is_v2)
			continue;
		r = add_hierarchy(view_fd, hierarchy, fds[next++]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A tmpfs with one directory per v1 hierarchy; it is closed when all are in. */
static int mount_v1_view(const struct start *start, const struct spec_mount *view, int target_fd,
			 const int *fds, size_t count)
{
	static const struct mount_option options[] = {{"mode", "755"}, {"size", "64k"}};
	auto_close int view_fd = NO_FD;
	int r;

	view_fd = mount_new("tmpfs", options, ARRAY_SIZE(options),
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (view_fd < 0)
		return view_fd;
	r = mount_attach(view_fd, target_fd);
	if (r < 0)
		return r;
	r = add_hierarchies(start, view_fd, fds, count);
	if (r < 0)
		return r;
	return mount_change(view_fd, view->attr_set & MOUNT_ATTR_RDONLY, 0, 0,
			    /* recursive= */ false);
}

static int receive_v1_view(struct start *start, const struct spec_mount *view, int target_fd,
			   struct error *err)
{
	int fds[SYNC_FDS_MAX], r;
	size_t count;

	r = sync_expect_fds(start->sync_child, SYNC_VIEW, fds, &count, err);
	if (r < 0)
		return r;
	r = mount_v1_view(start, view, target_fd, fds, count);
	close_all(fds, count);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "mount the cgroup view") : 0;
}

static int mount_v2_view(const struct spec_mount *view, int target_fd)
{
	auto_close int mount_fd = mount_new("cgroup2", NULL, 0, (unsigned int)view->attr_set);

	if (mount_fd < 0)
		return mount_fd;
	return mount_attach(mount_fd, target_fd);
}

/* v2 we were cloned into; the others we enter ourselves, by the files that the parent opened. */
static int enter_cgroup(struct start *start, struct error *err)
{
	int fds[SYNC_FDS_MAX];
	size_t count;
	int r;

	if (!start->cgroup)
		return 0;
	r = sync_expect_fds(start->sync_child, SYNC_CGROUP, fds, &count, err);
	if (r < 0)
		return r;
	r = cgroup_join(fds, count);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "enter cgroup '%s'", start->spec.cgroups_path);
	return 0;
}

/*
 * stage_cgroup_view() - the cgroup, its namespace, and /sys/fs/cgroup as seen in it
 *
 * Where:    child, inside the container's root.
 * Needs:    SYNC_CGROUP.
 * Leaves:   every limit in force; /sys/fs/cgroup mounted as the "cgroup" entry asks.
 */
int stage_cgroup_view(struct start *start, struct error *err)
{
	const struct spec_mount *view = find_view(&start->spec);
	auto_close int target_fd = NO_FD;
	int r;

	r = enter_cgroup(start, err);
	if (r < 0)
		return r;
	if (start->spec.namespaces[SPEC_NS_CGROUP] == SPEC_NS_NEW && unshare(CLONE_NEWCGROUP) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make the cgroup namespace");
	if (start->spec.namespaces[SPEC_NS_CGROUP] == SPEC_NS_JOIN &&
	    setns(start->namespace_fds[SPEC_NS_CGROUP], CLONE_NEWCGROUP) < 0)
		return err_set(err, ERR_SYSTEM, errno, "join the cgroup namespace");
	if (!view || !start->cgroup || cgroup_host_mode(start->cgroup_host) == CGROUP_MODE_NONE)
		return 0;
	target_fd =
		path_mkdir_in_root(start->root_fd, view->destination, 0755, (uid_t)-1, (gid_t)-1);
	if (target_fd < 0)
		return err_set(err, ERR_SYSTEM, -target_fd, "make mount point '%s'",
			       view->destination);
	if (cgroup_host_mode(start->cgroup_host) != CGROUP_MODE_V2)
		return receive_v1_view(start, view, target_fd, err);
	r = mount_v2_view(view, target_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "mount the cgroup view");
	return 0;
}
