/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"

pid_t process_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	int pidfd = NO_FD;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = (flags & CLONE_PARENT) ? 0 : SIGCHLD,
	};
	long pid;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

int process_open(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

/* "Pid:" of /proc/self/fdinfo/N: the number in our pid namespace. */
pid_t process_pid_of(int pidfd)
{
	auto_free char *text = NULL;
	char path[40], *line;
	uint32_t pid;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (fd_read_file_at(AT_FDCWD, path, 4096, &text, NULL) < 0)
		return 0;
	line = strstr(text, "\nPid:");
	if (!line)
		return 0;
	line += 5 + strspn(line + 5, " \t");
	line[strcspn(line, "\n")] = '\0';
	return parse_u32(line, &pid) < 0 ? 0 : (pid_t)pid;
}

int process_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int process_wait_end(int pidfd, int timeout_ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int r;

	do
		r = poll(&p, 1, timeout_ms);
	while (r < 0 && errno == EINTR && timeout_ms < 0);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r > 0;
}

int process_reap(int pidfd)
{
	siginfo_t info = {0};
	int r;

	do
		r = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* <linux/pidfd.h> of Linux 6.15; Debian 12's headers are older. */
struct pidfd_info_v6_15 {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};

#define PIDFD_INFO_EXIT_V6_15 (UINT64_C(1) << 3)
#define PIDFD_GET_INFO_V6_15 _IOWR(0xFF, 11, struct pidfd_info_v6_15)

int process_exit_code(int pidfd)
{
	struct pidfd_info_v6_15 info = {.mask = PIDFD_INFO_EXIT_V6_15};
	int status;

	if (ioctl(pidfd, PIDFD_GET_INFO_V6_15, &info) < 0)
		return errno == EINVAL || errno == ENOTTY ? -EOPNOTSUPP : -errno;
	if (!(info.mask & PIDFD_INFO_EXIT_V6_15))
		return -EAGAIN;
	status = info.exit_code;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void process_reset_signals(void)
{
	/* The kernel's struct: handler, flags, restorer, mask. All zero is SIG_DFL. */
	static const unsigned long plain[4];

	/*
	 * Not sigaction(3), which refuses 32 and 33: posix_spawn(3) leaves them ignored. SIGKILL and
	 * SIGSTOP refuse; nothing to do.
	 */
	for (int n = 1; n < NSIG; n++)
		(void)syscall(SYS_rt_sigaction, n, plain, NULL, NSIG / 8);
	process_unblock_signals();
}

void process_unblock_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void process_guard_kill(struct process_guard *guard)
{
	if (guard->pid <= 0)
		return;
	(void)process_signal(guard->pidfd, SIGKILL);
	(void)process_reap(guard->pidfd);
	guard->pid = 0;
}
