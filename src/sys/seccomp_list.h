/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_list.h - lists of allowed system calls, as constants
 *
 *	static const struct sock_filter filter[] = {
 *		BEGIN,
 *		ALLOW(read),
 *		ON(ioctl, SECCOMP_RET_ERRNO | ENOTTY),
 *		END,
 *	};
 *	r = seccomp_list_install(filter, ARRAY_SIZE(filter));
 *
 * For the helper programs: the BPF is written by the preprocessor, nothing needs to be compiled at
 * start. What is not in the list kills the process. Containers' filters are made by
 * runtime/seccomp.h. Include this in the one file with the lists only: the names are short.
 */
#ifndef SKIFF_SYS_SECCOMP_LIST_H
#define SKIFF_SYS_SECCOMP_LIST_H

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

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

/* For all threads of this process, for ever. Needs no_new_privs. 0 or a negative errno. */
int seccomp_list_install(const struct sock_filter *filter, size_t count);

/* In builds with a sanitizer, whose own calls nobody can list; the install does nothing then. */
bool seccomp_list_is_off(void);

#endif
