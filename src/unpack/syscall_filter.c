/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/syscall_filter.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "sys/seccomp_list.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* Of fcntl(2), what fdopendir(3) needs. Not F_SETOWN: it sends signals to any pid. */
#define ALLOW_FCNTL                                                                                \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 6), LOAD_ARGUMENT(1),                    \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_DUPFD_CLOEXEC, 3, 0),                        \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFL, 2, 0),                                \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFD, 1, 0),                                \
		ANSWER(SECCOMP_RET_KILL_PROCESS), ANSWER(SECCOMP_RET_ALLOW)

static const struct sock_filter worker_filter[] = {
	BEGIN,
	/* once or more for each file */
	ALLOW(write),
	ALLOW(openat),
	ALLOW(close),
	ALLOW(utimensat),
	ALLOW(newfstatat),
	ALLOW(fstat),
	ALLOW(futex),
	ALLOW(fchown),
	ALLOW(fchmod),
	ALLOW(read),
	ALLOW(pread64),
	ALLOW(pwrite64),
	/* the rest of making and removing files */
	ALLOW(openat2),
	ALLOW(mkdirat),
	ALLOW(mknodat),
	ALLOW(symlinkat),
	ALLOW(linkat),
	ALLOW(unlinkat),
	ALLOW(renameat2),
	ALLOW(fchownat),
	ALLOW(fchmodat),
	ALLOW(fchmodat2),
	ALLOW(fsetxattr),
	ALLOW(lsetxattr),
	ALLOW(fremovexattr),
	ALLOW(fchdir),
	ALLOW(ftruncate),
	/* reading a tree */
	ALLOW(readlinkat),
	ALLOW(flistxattr),
	ALLOW(fgetxattr),
	ALLOW(fstatfs),
	ALLOW(sendfile),
	ALLOW(sysinfo), /* qsort(3) asks how much memory there is */
	ALLOW(lseek),
	ALLOW(getdents64),
	ALLOW_FCNTL,
	/* the warden */
	ALLOW(sendmsg),
	ALLOW(recvmsg),
	ALLOW(wait4),
	/* the C library: memory, threads that start and end, clocks where the vDSO has none */
	ALLOW(brk),
	ALLOW_UNLESS_EXECUTABLE(mmap),
	ALLOW_UNLESS_EXECUTABLE(mprotect),
	ALLOW(mremap),
	ALLOW(munmap),
	ALLOW(madvise),
	ALLOW(sched_getaffinity),
	ALLOW(set_robust_list),
	ALLOW(rseq),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(restart_syscall),
	ALLOW(getrandom),
	ALLOW(clock_gettime),
	ALLOW(getpid), /* in debug messages */
	ALLOW(exit),
	ALLOW(exit_group),
	ON(ioctl, SECCOMP_RET_ERRNO | ENOTTY),
	ON(socket, SECCOMP_RET_ERRNO | EPERM),
	END,
};

static const struct sock_filter warden_filter[] = {
	BEGIN,
	ALLOW(recvmsg),
	ALLOW(fsetxattr),
	ALLOW(fgetxattr),
	ALLOW(sendmsg),
	ALLOW(close),
	ALLOW(wait4),
	ALLOW(rt_sigreturn),
	ALLOW(restart_syscall),
	ALLOW(exit_group),
	END,
};

bool syscall_filter_is_off(void)
{
	return seccomp_list_is_off();
}

int syscall_filter_install(enum syscall_set set)
{
	if (set == SYSCALLS_OF_WORKER)
		return seccomp_list_install(worker_filter, ARRAY_SIZE(worker_filter));
	return seccomp_list_install(warden_filter, ARRAY_SIZE(warden_filter));
}
