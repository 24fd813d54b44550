/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_join.c - processes into a group; what each way costs is told in cgroup.h */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/cgroup_internal.h"

int cgroup_clone_fd(const struct cgroup *group)
{
	return cgroup_v2_dir(group);
}

int cgroup_join_files(const struct cgroup *group, int ret_fds[CGROUP_JOIN_MAX], size_t *ret_count)
{
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < group->host->count; i++) {
		int fd;

		if (group->host->items[i].view.is_v2 || group->dirs[i].fd < 0)
			continue;
		fd = count < CGROUP_JOIN_MAX
			     ? openat(group->dirs[i].fd, "tasks", O_WRONLY | O_CLOEXEC)
			     : -1;
		if (fd < 0)
			r = count < CGROUP_JOIN_MAX ? -errno : -E2BIG;
		else
			ret_fds[count++] = fd;
	}
	if (r < 0) {
		while (count > 0)
			cleanup_close_fd(&ret_fds[--count]);
		return r;
	}
	*ret_count = count;
	return 0;
}

int cgroup_join(int *fds, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		/* `tasks`, not cgroup.procs: for one's own thread the kernel needs no lock. */
		if (r == 0 && write(fds[i], "0", 1) != 1)
			r = -errno;
		cleanup_close_fd(&fds[i]);
	}
	return r;
}

int cgroup_attach(const struct cgroup *group, pid_t pid)
{
	char text[16];

	if (pid <= 0)
		return -EINVAL;
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	for (size_t i = 0; i < group->host->count; i++) {
		int r;

		if (group->dirs[i].fd < 0)
			continue;
		r = fd_write_file_at(group->dirs[i].fd, "cgroup.procs", text);
		if (r < 0)
			return r;
	}
	return 0;
}
