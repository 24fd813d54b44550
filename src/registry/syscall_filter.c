/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/syscall_filter.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "sys/seccomp_list.h"

/* What pthread_create(3) of glibc, and of musl, asks for: a thread and nothing else. */
#define THREAD_FLAGS_GLIBC 0x3d0f00
#define THREAD_FLAGS_MUSL 0x7d0f00

#define IF_ARGUMENT_ALLOW(value)                                                                   \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), ANSWER(SECCOMP_RET_ALLOW)

#define ALLOW_THREADS                                                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 6), LOAD_ARGUMENT(0),                    \
		IF_ARGUMENT_ALLOW(THREAD_FLAGS_GLIBC), IF_ARGUMENT_ALLOW(THREAD_FLAGS_MUSL),       \
		ANSWER(SECCOMP_RET_KILL_PROCESS)

/* IPv4 and IPv6. The resolver tries netlink, and lives without. */
#define ALLOW_INTERNET                                                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 6), LOAD_ARGUMENT(0),                   \
		IF_ARGUMENT_ALLOW(AF_INET), IF_ARGUMENT_ALLOW(AF_INET6),                           \
		ANSWER(SECCOMP_RET_ERRNO | EPERM)

/* How much a datagram has. */
#define ALLOW_FIONREAD                                                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4), LOAD_ARGUMENT(1),                    \
		IF_ARGUMENT_ALLOW(FIONREAD), ANSWER(SECCOMP_RET_ERRNO | ENOTTY)

/* F_SETFL: see the header. */
#define ALLOW_FCNTL                                                                                \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 10), LOAD_ARGUMENT(1),                   \
		IF_ARGUMENT_ALLOW(F_GETFL), IF_ARGUMENT_ALLOW(F_GETFD),                            \
		IF_ARGUMENT_ALLOW(F_SETFD), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 0, 1),    \
		ANSWER(SECCOMP_RET_ERRNO | 0), ANSWER(SECCOMP_RET_KILL_PROCESS)

static const struct sock_filter filter[] = {
	BEGIN,
	/* for each piece of a body */
	ALLOW(read),
	ALLOW(recvfrom),
	ALLOW(write),
	ALLOW(sendto),
	ALLOW(poll),
	ALLOW(futex),
	ALLOW(clock_gettime),
	ALLOW(pread64),
	/* connections and names */
	ALLOW_INTERNET,
	ALLOW(connect),
	ALLOW(bind),
	ALLOW(getsockopt),
	ALLOW(setsockopt),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW(sendmsg),
	ALLOW(sendmmsg),
	ALLOW(recvmsg),
	ALLOW(recvmmsg),
	ALLOW(shutdown),
	ALLOW(socketpair), /* threads of libcurl wake each other with these */
	ALLOW(pipe2),
	ALLOW(eventfd2),
	ALLOW(ppoll),
	ALLOW(select),
	ALLOW(pselect6),
	ALLOW(uname),
	ALLOW_FIONREAD,
	ALLOW_FCNTL,
	/* our own little root, which is read-only */
	ALLOW(openat),
	ALLOW(close),
	ALLOW(fstat),
	ALLOW(newfstatat),
	ALLOW(lseek),
	ON(access, SECCOMP_RET_ERRNO | ENOENT),
	ON(faccessat, SECCOMP_RET_ERRNO | ENOENT),
	ON(readlink, SECCOMP_RET_ERRNO | ENOENT),
	/* the C library: memory, threads, clocks where the vDSO has none */
	ALLOW(brk),
	ALLOW_UNLESS_EXECUTABLE(mmap),
	ALLOW_UNLESS_EXECUTABLE(mprotect),
	ALLOW(mremap),
	ALLOW(munmap),
	ALLOW(madvise),
	ALLOW_THREADS,
	ON(clone3, SECCOMP_RET_ERRNO | ENOSYS), /* its flags cannot be looked at */
	ALLOW(set_robust_list),
	ALLOW(rseq),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(sigaltstack),
	ALLOW(restart_syscall),
	ALLOW(sched_getaffinity),
	ALLOW(sched_yield),
	ALLOW(sysinfo),
	ALLOW(getrandom),
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW(exit),
	ALLOW(exit_group),
	END,
};

bool syscall_filter_is_off(void)
{
	return seccomp_list_is_off();
}

int syscall_filter_install(void)
{
	return seccomp_list_install(filter, ARRAY_SIZE(filter));
}
