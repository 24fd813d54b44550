/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/id_map.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/process.h"

/* It only has to be there while its namespace is opened. */
static _Noreturn void hold_namespace(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		(void)pause();
}

static int write_map(pid_t pid, const char *name, const char *map)
{
	auto_close int fd = NO_FD;
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* One write: the kernel takes a map once and whole. */
	return write(fd, map, strlen(map)) < 0 ? -errno : 0;
}

int id_map_namespace(const char *uid_map, const char *gid_map)
{
	auto_close int pidfd = NO_FD;
	auto_(process_guard_kill) struct process_guard guard = {0};
	char path[48];
	pid_t pid;
	int r, fd;

	pid = process_clone(CLONE_NEWUSER, NO_FD, &pidfd);
	if (pid < 0)
		return (int)pid;
	if (pid == 0)
		hold_namespace();
	guard = (struct process_guard){.pid = pid, .pidfd = pidfd};
	r = write_map(pid, "uid_map", uid_map);
	if (r >= 0)
		r = write_map(pid, "gid_map", gid_map);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int id_map_mount(int mount_fd, int namespace_fd, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (__u64)namespace_fd,
	};
	long r = syscall(SYS_mount_setattr, mount_fd, "",
			 AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr));

	return r < 0 ? -errno : 0;
}
