/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.c - making and opening one group in every hierarchy
 *
 * Everything is done relative to a descriptor of the hierarchy's root. A group is made with one
 * mkdir where its parent exists; parents are looked at only when that fails.
 */
#include "sys/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "sys/cgroup_internal.h"

/* How often creation may race with somebody who removes the same parents. */
#define MAKE_ATTEMPTS_MAX 16

ssize_t cgroup_read_file(int dir_fd, const char *file, char *ret_text, size_t size)
{
	auto_close int fd = NO_FD;
	ssize_t n;

	fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = fd_read_full(fd, ret_text, size);
	if (n < 0)
		return n;
	if ((size_t)n == size)
		return -EFBIG;
	if (n > 0 && ret_text[n - 1] == '\n')
		n--;
	ret_text[n] = '\0';
	return n;
}

bool cgroup_has_children(int dir_fd)
{
	struct stat st;

	return fstat(dir_fd, &st) < 0 || st.st_nlink > 2;
}

/* ---- paths ---- */

static bool path_is_good(const char *path)
{
	size_t len = strlen(path);

	if (path[0] != '/' || len < 2 || len >= PATH_MAX)
		return false;
	for (const char *p = path; *p;) {
		size_t n = strcspn(++p, "/");

		if (n == 0 || n > NAME_MAX || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
	}
	return true;
}

bool cgroup_path_prefix(const char *path, unsigned int components, char ret_prefix[PATH_MAX])
{
	const char *end = path;

	for (unsigned int i = 0; i < components; i++) {
		end = strchr(i == 0 ? path : end + 1, '/');
		if (!end)
			return false;
	}
	memcpy(ret_prefix, path, (size_t)(end - path));
	ret_prefix[end - path] = '\0';
	return true;
}

static struct cgroup *cgroup_new(const struct cgroup_host *host, const char *path)
{
	struct cgroup *group = xcalloc(1, sizeof(*group));

	group->host = host;
	group->path = xstrdup(path + 1);
	for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++)
		group->dirs[i].fd = NO_FD;
	return group;
}

void cgroup_free(struct cgroup *group)
{
	if (!group)
		return;
	for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++)
		cleanup_close_fd(&group->dirs[i].fd);
	free(group->path);
	free(group);
}

/* ---- making ---- */

/*
 * A v1 cpuset takes no process before it has processors and memory nodes; a new one has none unless
 * its parent has cgroup.clone_children set. `dir_fd` is the group, `..` its parent.
 */
static int cpuset_inherit(int root_fd, const char *path)
{
	static const char *const files[] = {"cpuset.mems", "cpuset.cpus"};
	char text[4096], from[PATH_MAX + 16], to[PATH_MAX + 16];
	const char *slash = strrchr(path, '/');
	int parent_len = slash ? (int)(slash - path) + 1 : 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		ssize_t n;
		int r;

		(void)snprintf(to, sizeof(to), "%s/%s", path, files[i]);
		/* Only a parent of ours could have passed them on; the root never does. */
		if (slash && cgroup_read_file(root_fd, to, text, sizeof(text)) > 0)
			continue;
		(void)snprintf(from, sizeof(from), "%.*s%s", parent_len, path, files[i]);
		n = cgroup_read_file(root_fd, from, text, sizeof(text));
		if (n < 0)
			return (int)n;
		r = fd_write_file_at(root_fd, to, text);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What a new directory of a hierarchy needs before it is used. */
static int prepare_dir(const struct hierarchy *h, const char *path, bool is_parent)
{
	char file[PATH_MAX + 32];
	int r;

	if (h->view.is_v2 || !cgroup_list_has(h->controllers, "cpuset"))
		return 0;
	r = cpuset_inherit(h->root_fd, path);
	if (r < 0 || !is_parent)
		return r;
	/* So that its children find theirs filled in, and cost nothing. */
	(void)snprintf(file, sizeof(file), "%s/cgroup.clone_children", path);
	return fd_write_file_at(h->root_fd, file, "1");
}

static int make_parents(const struct hierarchy *h, struct cgroup_dir *dir, const char *path)
{
	char prefix[PATH_MAX];

	for (unsigned int n = 1; cgroup_path_prefix(path, n, prefix); n++) {
		int r;

		if (mkdirat(h->root_fd, prefix, 0755) < 0) {
			if (errno == EEXIST)
				continue;
			return -errno;
		}
		if (dir->made_from == 0)
			dir->made_from = n;
		r = prepare_dir(h, prefix, /* is_parent= */ true);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * An existing group that can be removed was a leftover; one that cannot is in use. Removing it also
 * forgets its limits.
 */
static int make_leaf(const struct hierarchy *h, struct cgroup_dir *dir, const char *path)
{
	for (unsigned int attempt = 0; attempt < MAKE_ATTEMPTS_MAX; attempt++) {
		int r = mkdirat(h->root_fd, path, 0755) < 0 ? -errno : 0;

		if (r == 0)
			return prepare_dir(h, path, /* is_parent= */ false);
		if (r == -ENOENT) {
			r = make_parents(h, dir, path);
			if (r < 0 && r != -ENOENT)
				return r;
		} else if (r == -EEXIST) {
			r = cgroup_remove_tree(h->root_fd, path);
			if (r < 0)
				return r == -EBUSY ? -EEXIST : r;
		} else {
			return r;
		}
	}
	return -EAGAIN;
}

/* What of the v2 controllers our limits can use and this directory does not pass on yet. */
static void missing_controllers(const struct hierarchy *h, const char *enabled, char *ret_text,
				size_t size)
{
	static const char *const wanted[] = {"cpuset", "cpu", "io", "memory", "pids"};
	size_t len = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (cgroup_list_has(h->controllers, wanted[i]) &&
		    !cgroup_list_has(enabled, wanted[i]))
			len += (size_t)snprintf(ret_text + len, size - len, "+%s ", wanted[i]);
}

/* All at once, or, when one of them is refused, each that is not. */
static void enable_in(const struct hierarchy *h, const char *file, char *missing)
{
	char *word;

	if (fd_write_file_at(h->root_fd, file, missing) == 0)
		return;
	while ((word = strsep(&missing, " "))) {
		int r = *word ? fd_write_file_at(h->root_fd, file, word) : 0;

		if (r < 0)
			log_debug("sys", "%s: '%s': %s, ignoring it", file, word, errno_text(-r));
	}
}

/*
 * v2 passes a controller to children only when asked. Where this is refused (-EBUSY: processes in
 * a parent that is not the root) the group works without; cgroup_apply() then names what is missing.
 */
static void enable_controllers(const struct hierarchy *h, const char *path)
{
	char prefix[PATH_MAX] = "", file[PATH_MAX + 32], enabled[512], missing[128];

	for (unsigned int n = 0; n == 0 || cgroup_path_prefix(path, n, prefix); n++) {
		(void)snprintf(file, sizeof(file), "%s%scgroup.subtree_control", prefix,
			       n == 0 ? "" : "/");
		if (cgroup_read_file(h->root_fd, file, enabled, sizeof(enabled)) < 0)
			return;
		missing_controllers(h, enabled, missing, sizeof(missing));
		if (missing[0] != '\0')
			enable_in(h, file, missing);
	}
}

static bool has_useful_controllers(const struct hierarchy *h)
{
	char missing[128];

	missing_controllers(h, "", missing, sizeof(missing));
	return missing[0] != '\0';
}

static int make_one(struct cgroup *group, size_t index)
{
	const struct hierarchy *h = &group->host->items[index];
	struct cgroup_dir *dir = &group->dirs[index];
	int r;

	r = make_leaf(h, dir, group->path);
	if (r < 0)
		return r;
	dir->fd = openat(h->root_fd, group->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0)
		return -errno;
	if (h->view.is_v2 && has_useful_controllers(h))
		enable_controllers(h, group->path);
	return 0;
}

/* Takes back what was made of one kind of hierarchy up to and including this one. */
static void unmake(struct cgroup *group, bool is_v2, size_t last, bool last_is_ours)
{
	for (size_t i = 0; i <= last; i++) {
		if (group->host->items[i].view.is_v2 != is_v2)
			continue;
		if (i < last || last_is_ours)
			(void)unlinkat(group->host->items[i].root_fd, group->path, AT_REMOVEDIR);
		cgroup_remove_parents(group, i);
	}
}

static int make_all(struct cgroup *group, bool is_v2)
{
	for (size_t i = 0; i < group->host->count; i++) {
		int r;

		if (group->host->items[i].view.is_v2 != is_v2)
			continue;
		r = make_one(group, i);
		if (r < 0) {
			unmake(group, is_v2, i, /* last_is_ours= */ r != -EEXIST);
			return r;
		}
	}
	return 0;
}

int cgroup_create_begin(const struct cgroup_host *host, const char *path, struct cgroup **ret_group)
{
	auto_(cgroup_free) struct cgroup *group = NULL;
	int r;

	if (!path_is_good(path))
		return -EINVAL;
	group = cgroup_new(host, path);
	r = make_all(group, /* is_v2= */ true);
	if (r < 0)
		return r;
	*ret_group = TAKE_PTR(group);
	return 0;
}

int cgroup_create_finish(struct cgroup *group)
{
	return make_all(group, /* is_v2= */ false);
}

int cgroup_create(const struct cgroup_host *host, const char *path, struct cgroup **ret_group)
{
	auto_(cgroup_free) struct cgroup *group = NULL;
	int r;

	r = cgroup_create_begin(host, path, &group);
	if (r < 0)
		return r;
	r = cgroup_create_finish(group);
	if (r < 0) {
		(void)cgroup_remove(group, 0);
		return r;
	}
	*ret_group = TAKE_PTR(group);
	return 0;
}

int cgroup_open(const struct cgroup_host *host, const char *path, struct cgroup **ret_group)
{
	auto_(cgroup_free) struct cgroup *group = NULL;
	bool found = false;

	if (!path_is_good(path))
		return -EINVAL;
	group = cgroup_new(host, path);
	for (size_t i = 0; i < host->count; i++) {
		int *fd = &group->dirs[i].fd;

		*fd = openat(host->items[i].root_fd, group->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (*fd >= 0)
			found = true;
		else if (errno == ENOENT)
			*fd = NO_FD;
		else
			return -errno;
	}
	if (!found)
		return -ENOENT;
	*ret_group = TAKE_PTR(group);
	return 0;
}

/* ---- its directories ---- */

int cgroup_dir_fd(const struct cgroup *group, size_t index)
{
	return group->dirs[index].fd;
}

int cgroup_v2_dir(const struct cgroup *group)
{
	for (size_t i = 0; i < group->host->count; i++)
		if (group->host->items[i].view.is_v2)
			return group->dirs[i].fd;
	return NO_FD;
}

int cgroup_controller_dir(const struct cgroup *group, const char *controller, bool *ret_is_v2)
{
	for (size_t i = 0; i < group->host->count; i++) {
		const struct hierarchy *h = &group->host->items[i];

		if (group->dirs[i].fd < 0 || !cgroup_list_has(h->controllers, controller))
			continue;
		*ret_is_v2 = h->view.is_v2;
		return group->dirs[i].fd;
	}
	return NO_FD;
}
