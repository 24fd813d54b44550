/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall-fail - a kernel that lacks some system calls
 *
 *	syscall-fail NAME[,NAME…] PROGRAM [ARGUMENT…]
 *
 * The named calls fail with ENOSYS, in the program and all its descendants. no_new_privs stays
 * off, so nothing else changes; needs CAP_SYS_ADMIN.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail_named(scmp_filter_ctx filter, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR) {
		fprintf(stderr, "syscall-fail: no system call '%s'\n", name);
		return -1;
	}
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0);
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter;
	char *names, *name;

	if (argc < 3) {
		fprintf(stderr, "usage: syscall-fail NAME[,NAME...] PROGRAM [ARGUMENT...]\n");
		return 2;
	}

	filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter || seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) < 0)
		return 1;

	names = argv[1];
	while ((name = strsep(&names, ",")))
		if (fail_named(filter, name) < 0)
			return 1;

	if (seccomp_load(filter) < 0) {
		fprintf(stderr, "syscall-fail: cannot load the filter\n");
		return 1;
	}
	execvp(argv[2], argv + 2);
	fprintf(stderr, "syscall-fail: %s: %s\n", argv[2], strerror(errno));
	return 127;
}
