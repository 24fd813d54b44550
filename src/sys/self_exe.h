/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_exe.h - running ourselves from a place that cannot be written
 *
 * A process that enters a container can be looked at from inside: /proc/PID/exe leads to its
 * executable, and an image whose entry point is "/proc/self/exe" runs it there (CVE-2019-5736). So
 * nothing of ours enters a container unless it was executed from a private read-only mount of its
 * own file: opening that for writing gives EROFS, whoever asks.
 */
#ifndef SKIFF_SYS_SELF_EXE_H
#define SKIFF_SYS_SELF_EXE_H

#include <sys/types.h>

/*
 * A descriptor of our own executable, on a read-only detached mount (open_tree(2) and
 * mount_setattr(2), Linux 5.12; a sealed memfd where those are missing), to be executed with
 * execveat(fd, "", …, AT_EMPTY_PATH).
 */
int self_exe_open(void);

/* The same for another program of ours, such as skiff-init. */
int self_exe_open_file(const char *path);

/*
 * Starts ourselves from self_exe_open() with this argv, `sock` as descriptor 3 and nothing else but
 * stdio (from `stdio`, NO_FD: /dev/null) and SELF_EXE_FD open. Returns the pid, or a negative errno.
 * `new_session` makes it a session leader.
 *
 * SELF_EXE_FD is the mount that it runs from. Closing the last descriptor of a detached mount waits for a
 * grace period (namespace_unlock(), some 0.2 ms), so it is left open over the exec, to be closed by the new
 * program when nobody waits for it.
 */
#define SELF_EXE_FD 4

struct self_exe_spawn {
	const char *const *argv;
	int sock;
	int stdio[3];
	int new_session;
};
pid_t self_exe_spawn(const struct self_exe_spawn *spawn, int *ret_pidfd);

#endif
