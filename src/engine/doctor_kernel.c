/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_kernel.c - what this kernel has
 *
 * Each feature is tried with arguments that cannot take effect: a kernel that has the call says what is
 * wrong with them, one that lacks it says ENOSYS.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "engine/doctor_internal.h"

#define FILESYSTEMS_MAX_BYTES 65536

static bool has_call(long result)
{
	if (result >= 0)
		(void)close((int)result);
	return result >= 0 || errno != ENOSYS;
}

static bool has_overlay(void)
{
	auto_free char *text = NULL;

	return fd_read_file_at(AT_FDCWD, "/proc/filesystems", FILESYSTEMS_MAX_BYTES, &text, NULL) ==
		       0 &&
	       strstr(text, "\toverlay\n");
}

static bool has_namespace(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool has_seccomp_action(uint32_t action)
{
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool has_user_namespaces(void)
{
	auto_free char *text = NULL;

	return has_namespace("/proc/self/ns/user") &&
	       fd_read_file_at(AT_FDCWD, "/proc/sys/user/max_user_namespaces", 32, &text, NULL) ==
		       0 &&
	       strcmp(text, "0\n") != 0;
}

static void add(struct doctor_report *report, const char *what, bool has,
		enum doctor_status otherwise, const char *without)
{
	(void)doctor_add(report, "kernel", what, has ? DOCTOR_OK : otherwise, "%s",
			 has ? "there" : without);
}

static void add_calls(struct doctor_report *report)
{
	add(report, "openat2", has_call(syscall(SYS_openat2, -1, "", NULL, 0)), DOCTOR_BROKEN,
	    "missing (Linux 5.6): paths of containers cannot be resolved safely");
	add(report, "clone3", has_call(syscall(SYS_clone3, NULL, 0)), DOCTOR_BROKEN,
	    "missing (Linux 5.3): no container can be started");
	add(report, "pidfd", has_call(syscall(SYS_pidfd_open, -1, 0)), DOCTOR_BROKEN,
	    "missing (Linux 5.3): processes cannot be waited for");
	add(report, "mount API", has_call(syscall(SYS_fsopen, NULL, ~0U)), DOCTOR_BROKEN,
	    "missing (Linux 5.2): no root can be built");
	add(report, "mount attributes", has_call(syscall(SYS_mount_setattr, -1, "", ~0U, NULL, 0)),
	    DOCTOR_WARNING, "missing (Linux 5.12): no recursive read-only mounts, no mapped IDs");
}

void doctor_kernel(struct doctor_report *report)
{
	struct utsname uts;

	if (uname(&uts) == 0)
		(void)doctor_add(report, "kernel", "version", DOCTOR_OK, "%s %s", uts.release,
				 uts.machine);
	add(report, "overlay", has_overlay(), DOCTOR_WARNING,
	    "not loaded: the first container loads it, or cannot be started");
	add_calls(report);
	add(report, "seccomp filters", has_seccomp_action(SECCOMP_RET_ERRNO), DOCTOR_BROKEN,
	    "missing: containers start with --security-opt seccomp=unconfined only");
	add(report, "user namespaces", has_user_namespaces(), DOCTOR_NOTE,
	    "missing or forbidden: --userns is refused");
	add(report, "cgroup namespaces", has_namespace("/proc/self/ns/cgroup"), DOCTOR_WARNING,
	    "missing (Linux 4.6): containers see the host's cgroups");
	add(report, "time namespaces", has_namespace("/proc/self/ns/time"), DOCTOR_NOTE,
	    "missing (Linux 5.6)");
	add(report, "IPv6", has_namespace("/proc/net/if_inet6"), DOCTOR_NOTE,
	    "missing: networks with --ipv6 do not work");
}
