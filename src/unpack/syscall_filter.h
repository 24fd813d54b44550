/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall_filter.h - what the helper's processes may ask of the kernel
 *
 * Two small allow-lists, written as BPF by the preprocessor: they are constants, so that nothing
 * needs to be compiled at start. Everything else kills the process, with two exceptions: ioctl(2)
 * answers ENOTTY, which C libraries try when they look for a terminal, and socket(2) answers EPERM,
 * so that we can try it and see that it fails.
 */
#ifndef SKIFF_UNPACK_SYSCALL_FILTER_H
#define SKIFF_UNPACK_SYSCALL_FILTER_H

#include <stdbool.h>

enum syscall_set {
	SYSCALLS_OF_WORKER,
	SYSCALLS_OF_WARDEN,
};

/* For all threads of this process, for ever. Needs no_new_privs. 0 or a negative errno. */
int syscall_filter_install(enum syscall_set set);

/* In builds with a sanitizer, whose own calls nobody can list; the install does nothing then. */
bool syscall_filter_is_off(void);

#endif
