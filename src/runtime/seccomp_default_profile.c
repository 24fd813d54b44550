/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_default_profile.c - docker's default policy, as a table
 *
 * Which system calls a container may make, in the version of moby 28 with the later change to
 * socket(2) that keeps containers from AF_ALG (CVE-2026-31431). Everything that is not here gets
 * EPERM. Names that an architecture does not have are no mistake: there is one table for all.
 *
 * docker lets ptrace(2) and its relatives through from Linux 4.8 on; our minimum is above that.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "runtime/seccomp_internal.h"

#define CAP_BIT(cap) (1ULL << (cap))

/* clone(2) without these does not make a namespace. CLONE_NEWTIME is not possible through it. */
#define NAMESPACE_FLAGS                                                                            \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP)

static const char always[] =
	"accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown "
	"chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
	"clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect "
	"copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old "
	"epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit "
	"exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir "
	"fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr "
	"flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 "
	"fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv "
	"futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 "
	"getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer "
	"getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 "
	"getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid "
	"gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init "
	"inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents "
	"io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set ipc kill "
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 "
	"lgetxattr link linkat listen listmount listxattr listxattrat llistxattr _llseek "
	"lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier "
	"memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap "
	"mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
	"mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync "
	"munlock munlockall munmap name_to_handle_at nanosleep newfstatat _newselect open openat "
	"openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect "
	"poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease "
	"process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev "
	"pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 "
	"recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 "
	"restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask "
	"rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 "
	"rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity "
	"sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
	"sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
	"sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop "
	"semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list "
	"set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 "
	"setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid "
	"setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid "
	"setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd "
	"signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 "
	"statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time "
	"timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
	"timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
	"timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat "
	"uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid "
	"write writev";

/* What one architecture (and those that it runs beside itself) has more. */
static const struct {
	uint32_t native;
	const char *names;
} by_arch[] = {
	{SCMP_ARCH_X86_64, "arch_prctl modify_ldt"},
	{SCMP_ARCH_X86, "modify_ldt"},
	{SCMP_ARCH_AARCH64, "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint "
			    "cacheflush set_tls"},
	{SCMP_ARCH_ARM, "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint "
			"cacheflush set_tls"},
	{SCMP_ARCH_RISCV64, "riscv_flush_icache"},
};

static const struct {
	int capability;
	const char *names;
} by_capability[] = {
	{CAP_DAC_READ_SEARCH, "open_by_handle_at"},
	{CAP_SYS_ADMIN, "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick "
			"lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount "
			"mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd "
			"setdomainname sethostname setns syslog umount umount2 unshare"},
	{CAP_SYS_BOOT, "reboot"},
	{CAP_SYS_CHROOT, "chroot"},
	{CAP_SYS_MODULE, "delete_module init_module finit_module"},
	{CAP_SYS_PACCT, "acct"},
	{CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev "
			 "ptrace"},
	{CAP_SYS_RAWIO, "iopl ioperm"},
	{CAP_SYS_TIME, "settimeofday stime clock_settime clock_settime64"},
	{CAP_SYS_TTY_CONFIG, "vhangup"},
	{CAP_SYS_NICE, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
	{CAP_SYSLOG, "syslog"},
	{CAP_BPF, "bpf"},
	{CAP_PERFMON, "perf_event_open"},
};

/* Address families without the ones that nobody audits, AF_ALG and AF_VSOCK among them. */
static const int socket_families[] = {13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29,
				      30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45};
#define SOCKET_FAMILIES_BELOW 12

/* Linux, Linux with 32-bit addresses (PER_LINUX32), each with UNAME26; asking which it is. */
static const uint32_t personalities[] = {0, 8, 0x20000, 0x20008, 0xffffffff};

static void allow(struct seccomp_plan *plan, const char *names)
{
	(void)seccomp_plan_add(plan, names, SECCOMP_RET_ALLOW, NULL, 0);
}

static void allow_if(struct seccomp_plan *plan, const char *names, enum scmp_compare op,
		     uint64_t value, uint64_t datum)
{
	struct seccomp_arg arg = {.index = 0, .op = op, .value = value, .datum = datum};

	(void)seccomp_plan_add(plan, names, SECCOMP_RET_ALLOW, &arg, 1);
}

uint64_t seccomp_default_capabilities(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(by_capability); i++)
		mask |= CAP_BIT(by_capability[i].capability);
	return mask;
}

void seccomp_default_plan(uint64_t capabilities, struct seccomp_plan *ret_plan)
{
	uint32_t native = seccomp_arch_native();

	seccomp_plan_init(ret_plan);
	ret_plan->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	seccomp_plan_add_arch(ret_plan, SCMP_ARCH_X86);
	seccomp_plan_add_arch(ret_plan, SCMP_ARCH_X32);
	seccomp_plan_add_arch(ret_plan, SCMP_ARCH_ARM);

	allow(ret_plan, always);
	for (size_t i = 0; i < ARRAY_SIZE(by_arch); i++)
		if (by_arch[i].native == native)
			allow(ret_plan, by_arch[i].names);
	for (size_t i = 0; i < ARRAY_SIZE(by_capability); i++)
		if (capabilities & CAP_BIT(by_capability[i].capability))
			allow(ret_plan, by_capability[i].names);

	allow_if(ret_plan, "socket", SCMP_CMP_LT, SOCKET_FAMILIES_BELOW, 0);
	for (size_t i = 0; i < ARRAY_SIZE(socket_families); i++)
		allow_if(ret_plan, "socket", SCMP_CMP_EQ, (uint64_t)socket_families[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
		allow_if(ret_plan, "personality", SCMP_CMP_EQ, personalities[i], 0);

	if (capabilities & CAP_BIT(CAP_SYS_ADMIN))
		return;
	allow_if(ret_plan, "clone", SCMP_CMP_MASKED_EQ, NAMESPACE_FLAGS, 0);
	/* Its flags are in memory, where a filter cannot look; with ENOSYS libc uses clone(2). */
	(void)seccomp_plan_add(ret_plan, "clone3", SECCOMP_RET_ERRNO | ENOSYS, NULL, 0);
}
