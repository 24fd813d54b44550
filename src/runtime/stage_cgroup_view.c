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
#include "sys/cgroup.h"
#include "sys/mount.h"

#define CONTROLLERS_MAX 16

static const struct spec_mount *find_view(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (!spec->mounts[i].bind && strcmp(spec->mounts[i].type, "cgroup") == 0)
			return &spec->mounts[i];
	return NULL;
}

/* "cpu,cpuacct" or "none,name=systemd" as the options of one v1 hierarchy. */
static int mount_hierarchy(const struct cgroup_hierarchy *hierarchy, unsigned int attributes)
{
	struct mount_option options[CONTROLLERS_MAX];
	auto_(strv_release) struct strv words = {0};
	size_t count = 0;

	if (hierarchy->is_v2)
		return mount_new("cgroup2", NULL, 0, attributes);
	strv_split(&words, hierarchy->mount_data, ',');
	for (size_t i = 0; i < words.count && count < CONTROLLERS_MAX; i++) {
		char *equals = strchr(words.items[i], '=');

		if (equals)
			*equals = '\0';
		options[count++] =
			(struct mount_option){words.items[i], equals ? equals + 1 : NULL};
	}
	return mount_new("cgroup", options, count, attributes);
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

static int add_hierarchy(int view_fd, const struct cgroup_hierarchy *hierarchy,
			 unsigned int attributes)
{
	auto_close int mount_fd = NO_FD;
	auto_close int target_fd = NO_FD;
	int r;

	if (mkdirat(view_fd, hierarchy->name, 0755) < 0)
		return -errno;
	target_fd = openat(view_fd, hierarchy->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target_fd < 0)
		return -errno;
	mount_fd = mount_hierarchy(hierarchy, attributes);
	if (mount_fd < 0)
		return mount_fd;
	r = mount_attach(mount_fd, target_fd);
	if (r < 0)
		return r;
	return link_controllers(view_fd, hierarchy->name);
}

/* A tmpfs with one directory per v1 hierarchy; it is closed when all are in. */
static int mount_v1_view(const struct start *start, const struct spec_mount *view, int target_fd)
{
	static const struct mount_option options[] = {{"mode", "755"}, {"size", "64k"}};
	const struct cgroup_host *host = start->cgroup_host;
	auto_close int view_fd = NO_FD;
	int r;

	view_fd = mount_new("tmpfs", options, ARRAY_SIZE(options),
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (view_fd < 0)
		return view_fd;
	r = mount_attach(view_fd, target_fd);
	if (r < 0)
		return r;
	for (size_t i = 0; i < cgroup_host_count(host); i++) {
		const struct cgroup_hierarchy *hierarchy = cgroup_host_get(host, i);

		if (hierarchy->is_v2)
			continue;
		r = add_hierarchy(view_fd, hierarchy, (unsigned int)view->attr_set);
		if (r < 0)
			return r;
	}
	return mount_change(view_fd, view->attr_set & MOUNT_ATTR_RDONLY, 0, 0,
			    /* recursive= */ false);
}

static int mount_v2_view(const struct spec_mount *view, int target_fd)
{
	auto_close int mount_fd = mount_new("cgroup2", NULL, 0, (unsigned int)view->attr_set);

	if (mount_fd < 0)
		return mount_fd;
	return mount_attach(mount_fd, target_fd);
}

/*
 * stage_cgroup_view() - the cgroup namespace, and /sys/fs/cgroup as seen in it
 *
 * Where:    child, inside the container's root.
 * Needs:    to be in its cgroup already (cgroup_attach_self(), CLONE_INTO_CGROUP): the namespace's
 * root is where we are when it is made. Leaves:   /sys/fs/cgroup mounted as the configuration's
 * "cgroup" entry asks.
 */
int stage_cgroup_view(struct start *start, struct error *err)
{
	const struct spec_mount *view = find_view(&start->spec);
	auto_close int target_fd = NO_FD;
	int r;

	if (start->spec.namespaces[SPEC_NS_CGROUP] == SPEC_NS_NEW && unshare(CLONE_NEWCGROUP) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make the cgroup namespace");
	if (start->spec.namespaces[SPEC_NS_CGROUP] == SPEC_NS_JOIN &&
	    setns(start->namespace_fds[SPEC_NS_CGROUP], CLONE_NEWCGROUP) < 0)
		return err_set(err, ERR_SYSTEM, errno, "join the cgroup namespace");
	if (!view || !start->cgroup_host ||
	    cgroup_host_mode(start->cgroup_host) == CGROUP_MODE_NONE)
		return 0;
	target_fd =
		path_mkdir_in_root(start->root_fd, view->destination, 0755, (uid_t)-1, (gid_t)-1);
	if (target_fd < 0)
		return err_set(err, ERR_SYSTEM, -target_fd, "make mount point '%s'",
			       view->destination);
	if (cgroup_host_mode(start->cgroup_host) == CGROUP_MODE_V2)
		r = mount_v2_view(view, target_fd);
	else
		r = mount_v1_view(start, view, target_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "mount the cgroup view on '%s'",
			       view->destination);
	return 0;
}
