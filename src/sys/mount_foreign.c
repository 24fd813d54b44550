/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/mount.h"
#include "sys/process.h"

/* In the other namespace, whose files may be anything: no link is followed. */
static int copy_there(int mount_ns_fd, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_DIRECTORY,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	auto_close int fd = NO_FD;

	if (setns(mount_ns_fd, CLONE_NEWNS) < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	return mount_copy(fd, /* recursive= */ false);
}

static _Noreturn void run_copier(int sock, int mount_ns_fd, const char *path)
{
	int fd, result;

	(void)prctl(PR_SET_DUMPABLE, 0);
	fd = copy_there(mount_ns_fd, path);
	result = fd < 0 ? fd : 0;
	(void)fd_send(sock, &result, sizeof(result), &fd, fd < 0 ? 0 : 1);
	_exit(0);
}

static int receive_copy(int sock)
{
	int fds[1], result = -EIO;
	size_t count = 0;
	ssize_t n = fd_recv(sock, &result, sizeof(result), fds, 1, &count);

	if (n < 0)
		return (int)n;
	if (n != (ssize_t)sizeof(result) || (result == 0 && count != 1))
		return -EIO;
	return result < 0 ? result : fds[0];
}

int mount_copy_from(int mount_ns_fd, const char *path)
{
	auto_close int pidfd = NO_FD;
	auto_close int ours = NO_FD;
	int socks[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return -errno;
	ours = socks[0];
	pid = process_clone(0, NO_FD, &pidfd);
	if (pid == 0)
		run_copier(socks[1], mount_ns_fd, path);
	(void)close(socks[1]);
	if (pid < 0)
		return (int)pid;
	fd = receive_copy(ours);
	(void)process_reap(pidfd);
	return fd;
}
