/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall_filter.h - what skiff-registry may ask of the kernel
 *
 * A constant list, as that of skiff-unpack; everything else kills the process. Beside what libcurl,
 * OpenSSL and the C library's resolver need there is nothing: no process, no exec, no executable
 * memory, no call that changes a file other than by write(2). fcntl(F_SETFL) answers that it was done
 * and does nothing, so that O_APPEND stays where the engine has set it (protocol.h); sockets do
 * without, since all waiting is by poll(2).
 */
#ifndef SKIFF_REGISTRY_SYSCALL_FILTER_H
#define SKIFF_REGISTRY_SYSCALL_FILTER_H

#include <stdbool.h>

/* For all threads, for ever. Needs no_new_privs. 0 or a negative errno. */
int syscall_filter_install(void);

/* In builds with a sanitizer, whose own calls nobody can list; the install does nothing then. */
bool syscall_filter_is_off(void);

#endif
