/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_remove.c - until nothing of a group is left, groups that a container made inside included */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/cgroup_internal.h"

/* A container may nest groups in its own; deeper than this nobody does in earnest. */
#define REMOVE_DEPTH_MAX 128

static int remove_tree(int parent_fd, const char *name, unsigned int depth);

static int remove_children(int parent_fd, const char *name, unsigned int depth)
{
	auto_closedir DIR *dir = NULL;
	auto_close int fd = NO_FD;
	const struct dirent *entry;
	int result = 0;

	if (depth >= REMOVE_DEPTH_MAX)
		return -ELOOP;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!cgroup_has_children(fd))
		return 0;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	fd = NO_FD;
	while ((entry = readdir(dir))) {
		int r;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		r = remove_tree(dirfd(dir), entry->d_name, depth + 1);
		if (r < 0 && result == 0)
			result = r;
	}
	return result;
}

static int remove_tree(int parent_fd, const char *name, unsigned int depth)
{
	int r;

	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return -errno;
	r = remove_children(parent_fd, name, depth);
	if (r < 0 && r != -ENOENT)
		return r;
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

int cgroup_remove_tree(int root_fd, const char *path)
{
	return remove_tree(root_fd, path, 0);
}

static unsigned int path_depth(const char *path)
{
	unsigned int depth = 1;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/* Parents of ours that are still in use by another group are busy, which is as it should be. */
void cgroup_remove_parents(const struct cgroup *group, size_t index)
{
	int root_fd = group->host->items[index].root_fd;
	unsigned int from = group->dirs[index].made_from;
	const char *own = &CGROUP_OWN_PARENT[1];
	char prefix[PATH_MAX];

	if (strncmp(group->path, own, strlen(own)) == 0 && group->path[strlen(own)] == '/')
		from = 1;
	if (from == 0)
		return;
	for (unsigned int n = path_depth(group->path) - 1; n >= from; n--)
		if (!cgroup_path_prefix(group->path, n, prefix) ||
		    unlinkat(root_fd, prefix, AT_REMOVEDIR) < 0)
			break;
}

static int remove_one(struct cgroup *group, size_t index, struct cgroup_deadline *deadline)
{
	struct cgroup_dir *dir = &group->dirs[index];
	int r;

	for (;;) {
		r = cgroup_remove_tree(group->host->items[index].root_fd, group->path);
		if (r != -EBUSY || !cgroup_wait_change(dir->fd, deadline))
			break;
	}
	if (r < 0)
		return r;
	cleanup_close_fd(&dir->fd);
	cgroup_remove_parents(group, index);
	dir->made_from = 0;
	return 0;
}

int cgroup_remove(struct cgroup *group, unsigned int timeout_ms)
{
	struct cgroup_deadline deadline = cgroup_deadline_in(timeout_ms);
	int result = 0;

	/* v2 first: it tells when it is empty, and then the others are too. */
	for (int v2 = 1; v2 >= 0; v2--) {
		for (size_t i = 0; i < group->host->count; i++) {
			int r;

			if (group->host->items[i].view.is_v2 != v2 || group->dirs[i].fd < 0)
				continue;
			r = remove_one(group, i, &deadline);
			if (r < 0 && result == 0)
				result = r;
		}
	}
	return result;
}
