/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/self_exe.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "sys/mount.h"
#include "sys/process.h"

/*
 * FIXME(kernel 5.12): where a read-only copy of the mount cannot be made (no mount_setattr(2), or
 * a sandbox without CAP_SYS_ADMIN) a sealed copy in memory does the same and costs the copying.
 */
static int copy_to_sealed_memfd(int fd)
{
	auto_close int mem_fd = NO_FD;
	struct stat st;
	off_t done = 0;

	mem_fd = memfd_create("skiff", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (mem_fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	while (done < st.st_size) {
		ssize_t n = sendfile(mem_fd, fd, &done, (size_t)(st.st_size - done));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	if (fchmod(mem_fd, 0555) < 0 ||
	    fcntl(mem_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) <
		    0)
		return -errno;
	return TAKE_FD(mem_fd);
}

int self_exe_open_file(const char *path)
{
	auto_close int file_fd = NO_FD;
	auto_close int mount_fd = NO_FD;
	auto_close int readable_fd = NO_FD;

	file_fd = open(path, O_PATH | O_CLOEXEC);
	if (file_fd < 0)
		return -errno;
	mount_fd = mount_copy(file_fd, /* recursive= */ false);
	if (mount_fd >= 0 && mount_change(mount_fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0,
					  /* recursive= */ false) == 0)
		return TAKE_FD(mount_fd);

	readable_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (readable_fd < 0)
		return -errno;
	return copy_to_sealed_memfd(readable_fd);
}

int self_exe_open(void)
{
	return self_exe_open_file("/proc/self/exe");
}

/* Runs in the new process; only returns on failure. Descriptors are moved out of the way first. */
static int exec_self(const struct self_exe_spawn *spawn, int exe_fd)
{
	int fds[4] = {spawn->stdio[0], spawn->stdio[1], spawn->stdio[2], spawn->sock};
	int null_fd = NO_FD;
	int exe_copy;

	exe_copy = fcntl(exe_fd, F_DUPFD_CLOEXEC, 10);
	if (exe_copy < 0)
		return -errno;
	for (int i = 0; i < 4; i++) {
		int from = fds[i];

		if (from < 0 && i < 3) {
			if (null_fd < 0)
				null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
			from = null_fd;
		}
		fds[i] = fcntl(from, F_DUPFD_CLOEXEC, 10);
		if (fds[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 4; i++)
		if (dup2(fds[i], i) < 0)
			return -errno;
	if (dup2(exe_copy, SELF_EXE_FD) < 0)
		return -errno;
	/* Nothing else of the caller's may live on in a process that outlives it. */
	if (syscall(SYS_close_range, SELF_EXE_FD + 1U, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */) < 0)
		return -errno;
	if (spawn->new_session)
		(void)setsid();
	process_reset_signals();
	(void)syscall(SYS_execveat, SELF_EXE_FD, "", spawn->argv, environ, AT_EMPTY_PATH);
	return -errno;
}

pid_t self_exe_spawn(const struct self_exe_spawn *spawn, int *ret_pidfd)
{
	auto_close int exe_fd = NO_FD;
	pid_t pid;

	exe_fd = self_exe_open();
	if (exe_fd < 0)
		return exe_fd;
	pid = process_clone(0, NO_FD, ret_pidfd);
	if (pid == 0)
		_exit(exec_self(spawn, exe_fd) == 0 ? 0 : 125);
	return pid;
}
