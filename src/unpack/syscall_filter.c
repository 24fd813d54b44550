/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCH AUDIT_ARCH_PPC64LE
#else
#error "add this architecture's AUDIT_ARCH_ constant"
#endif

#define LOAD(field)                                                                                \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offsetof(struct seccomp_data, field))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))

/* "if the call is this one, give that answer", the number being loaded. */
#define ON(name, action) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), ANSWER(action)
#define ALLOW(name) ON(name, SECCOMP_RET_ALLOW)

/* The lower half of an argument; the kernel takes these as int or ignores the upper half. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOAD_ARGUMENT(n) LOAD(args[n])
#else
#define LOAD_ARGUMENT(n)                                                                           \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offsetof(struct seccomp_data, args[n]) + 4)
#endif

/* Foreign architectures (and x32, whose numbers have bit 30 set and match nothing) die. */
#define BEGIN                                                                                      \
	LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),                               \
		ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr)
#define END ANSWER(SECCOMP_RET_KILL_PROCESS)

/* Memory that can be executed is refused; the argument is the same in both calls. */
#define ALLOW_UNLESS_EXECUTABLE(name)                                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD_ARGUMENT(2),                   \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),                             \
		ANSWER(SECCOMP_RET_KILL_PROCESS), ANSWER(SECCOMP_RET_ALLOW)

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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FILTER_OFF true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer)
#define FILTER_OFF true
#endif
#endif
#ifndef FILTER_OFF
#define FILTER_OFF false
#endif

bool syscall_filter_is_off(void)
{
	return FILTER_OFF;
}

int syscall_filter_install(enum syscall_set set)
{
	bool worker = set == SYSCALLS_OF_WORKER;
	struct sock_fprog program = {
		.len = worker ? ARRAY_SIZE(worker_filter) : ARRAY_SIZE(warden_filter),
		.filter = (struct sock_filter *)(worker ? worker_filter : warden_filter),
	};

	if (syscall_filter_is_off())
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
		return errno ? -errno : -ESRCH;
	return 0;
}
