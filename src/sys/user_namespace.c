/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/user_namespace.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/id_map.h"
#include "sys/process.h"

#define MAP_MAX_BYTES 16384

/* The kernel takes a map in one write(2). */
static int write_map(pid_t pid, const char *name, const struct id_map *map)
{
	auto_free char *text = id_map_proc_text(map);
	auto_close int fd = NO_FD;
	char path[40];
	size_t len = strlen(text);
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int user_namespace_map(pid_t pid, const struct id_map *uids, const struct id_map *gids)
{
	int r = write_map(pid, "uid_map", uids);

	return r < 0 ? r : write_map(pid, "gid_map", gids);
}

int user_namespace_open(pid_t pid)
{
	char path[40];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A child that waits to be killed. */
static pid_t clone_waiting(uint64_t flags, int *ret_pidfd)
{
	pid_t pid = process_clone(flags, NO_FD, ret_pidfd);

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	return pid;
}

static int read_map(pid_t pid, const char *name, struct id_map *map)
{
	auto_free char *text = NULL;
	char path[40];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	r = fd_read_file_at(AT_FDCWD, path, MAP_MAX_BYTES, &text, NULL);
	return r < 0 ? r : id_map_parse_proc(text, map);
}

/* The numbers outside are told as whoever opens the file sees them, so a child goes there and we read. */
int user_namespace_read(int ns_fd, struct id_map *uids, struct id_map *gids)
{
	struct process_guard guard = {0};
	auto_close int pidfd = NO_FD, read_fd = NO_FD, write_fd = NO_FD;
	int fds[2], r;
	char byte = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	read_fd = fds[0];
	write_fd = fds[1];
	pid = process_clone(0, NO_FD, &pidfd);
	if (pid < 0)
		return pid;
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setns(ns_fd, CLONE_NEWUSER) < 0 || write(write_fd, &byte, 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	guard = (struct process_guard){.pid = pid, .pidfd = pidfd};
	cleanup_close_fd(&write_fd);
	r = read(read_fd, &byte, 1) == 1 ? read_map(pid, "uid_map", uids) : -EPERM;
	if (r == 0)
		r = read_map(pid, "gid_map", gids);
	process_guard_kill(&guard);
	return r;
}

int user_namespace_new(const struct id_map *uids, const struct id_map *gids)
{
	struct process_guard guard = {0};
	auto_close int pidfd = NO_FD;
	pid_t pid = clone_waiting(CLONE_NEWUSER, &pidfd);
	int r;

	if (pid < 0)
		return pid;
	guard = (struct process_guard){.pid = pid, .pidfd = pidfd};
	r = user_namespace_map(pid, uids, gids);
	if (r == 0)
		r = user_namespace_open(pid);
	process_guard_kill(&guard);
	return r;
}

/* What setfsuid(2) took away from a root that is none any more (capabilities(7)). */
static int raise_permitted(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		data[i].effective = data[i].permitted;
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int file_owner_become(uid_t uid, gid_t gid)
{
	int r;

	(void)setfsgid(gid);
	(void)setfsuid(uid);
	r = raise_permitted();
	if (r < 0)
		file_owner_reset();
	return r;
}

void file_owner_reset(void)
{
	(void)setfsuid(0);
	(void)setfsgid(0);
}

int user_namespace_become_root(void)
{
	if (setgroups(0, NULL) < 0)
		return -errno;
	if (setresgid(0, 0, 0) < 0)
		return -errno;
	return setresuid(0, 0, 0) < 0 ? -errno : 0;
}
