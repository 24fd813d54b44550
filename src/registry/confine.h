/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h - losing the host before the first connection is made
 *
 * Theory. Whoever finds a hole in the parsers of HTTP, TLS or JSON shall gain a process that can talk to
 * the network, and nothing else:
 *
 *	confine_enter()  what must be read from the host is read: the names of name servers, the table of
 *	                 host names. New mount, IPC and UTS namespaces; the root is an empty, read-only tmpfs
 *	                 that holds copies of these two files, without devices and without /proc. Then
 *	                 the user "nobody", no groups, no capabilities, no new privileges, limits.
 *	confine_seal()   the system call filter (syscall_filter.h), and a look whether it all holds.
 *
 * The network namespace is the host's: registries are reached as the host reaches them. Sockets other
 * than IPv4 and IPv6 are refused by the filter, so that nothing that listens on a name in the file
 * system, or on an abstract one, can be talked to.
 */
#ifndef SKIFF_REGISTRY_CONFINE_H
#define SKIFF_REGISTRY_CONFINE_H

#include "base/error.h"

/* There is no way back, also after a failure. */
int confine_enter(struct error *err);
int confine_seal(struct error *err);

#endif
