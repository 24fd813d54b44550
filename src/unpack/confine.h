/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h - losing the host before the first byte is read
 *
 * Theory. The process that parses foreign bytes should have nothing to lose. It is brought there in
 * three steps, in this order:
 *
 *	confine_enter()  new mount, network and IPC namespaces; the one directory that it may change
 *	                 becomes its root, mounted nodev, nosuid, noexec; the host's tree is
 *	                 detached. Or the root is that of a container's mount namespace, with all
 *	                 that is mounted there. Then the warden is forked off:
 *	    warden       keeps CAP_SYS_ADMIN and nothing else, no descriptor but one socket, and
 *	                 eight system calls. It does two things: mark the directory whose descriptor
 *	                 it is sent as opaque, and say whether it is. Trusted attributes need
 *	                 CAP_SYS_ADMIN, which is too much for a parser. It ends when its socket closes.
 *	    worker       the process itself: six capabilities that writing a tree of files needs,
 *	                 no_new_privs, and limits.
 *	(threads are started here)
 *	confine_seal()   the system call filter, for all threads: no process, no exec, no socket, no
 *	                 executable memory, no ioctl, no mount. Then it tries some of it and checks
 *	                 that it fails.
 *
 * nodev is essential: the worker may make device nodes, since layers hold some, but must not be able
 * to open the host's disk by one, and a container may put one where a file was just now. There is no pid or user namespace: the filter has no call that
 * takes a pid, and owners are those of the initial namespace.
 */
#ifndef SKIFF_UNPACK_CONFINE_H
#define SKIFF_UNPACK_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct confinement {
	int root_fd;   /* the directory, O_RDONLY, through the confined mount */
	int warden_fd; /* NO_FD without a warden */
	pid_t warden_pid;
	bool in_container; /* the root is that of a mount namespace */
};

/* What is left of the world. */
struct confine_request {
	/*
	 * Closed. A directory, which becomes the root; or a mount namespace (setns(2)), whose root
	 * becomes ours: a container's. We work on a copy of it, so nothing that we do to mounts
	 * shows there.
	 */
	int root_fd;
	bool recursive; /* a directory: with what is mounted below it */
	bool read_only; /* all of it */
	bool warden;
};

/* There is no way back, also after a failure. */
int confine_enter(const struct confine_request *request, struct confinement *ret,
		  struct error *err);

int confine_seal(const struct confinement *c, struct error *err);

/* Asks the warden to set trusted.overlay.opaque on a directory. 0 or a negative errno. */
int confine_mark_opaque(const struct confinement *c, int dir_fd);

/* Whether a directory has that mark: 1, 0 or a negative errno. */
int confine_is_opaque(const struct confinement *c, int dir_fd);

/* Closes the descriptors and waits for the warden; the confinement itself stays. */
void confine_leave(struct confinement *c);

DEFINE_CLEANUP_VALUE(struct confinement, confine_leave);

#endif
