/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/confine_tuning.h"

#include <linux/ioprio.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "sys/mount.h"

static int set_scheduler(const struct spec_tuning *tuning, struct error *err)
{
	const struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = tuning->policy,
		.sched_flags = tuning->scheduler_flags,
		.sched_nice = tuning->nice,
		.sched_priority = tuning->priority,
		.sched_runtime = tuning->runtime_ns,
		.sched_deadline = tuning->deadline_ns,
		.sched_period = tuning->period_ns,
	};

	if (!tuning->has_scheduler)
		return 0;
	if (syscall(SYS_sched_setattr, 0, &attr, 0U) < 0)
		return err_set(err, ERR_SYSTEM, errno, "process.scheduler");
	return 0;
}

/*
 * On a procfs of our own, attached nowhere: the container's may be covered, and what is written there would
 * go somewhere else (CVE-2025-52881).
 */
static int set_apparmor(const char *profile, struct error *err)
{
	auto_free char *text = xasprintf("exec %s", profile);
	auto_close int proc_fd = NO_FD, fd = NO_FD;
	int r;

	proc_fd = mount_new("proc", NULL, 0, 0);
	if (proc_fd < 0)
		return err_set(err, ERR_SYSTEM, -proc_fd, "mount a procfs");
	fd = path_open_in_root(proc_fd, "/self/attr/apparmor/exec", O_WRONLY, 0);
	if (fd == -ENOENT)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
			       "process.apparmorProfile '%s': this kernel has no AppArmor",
			       profile);
	r = fd < 0 ? fd : fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "apply AppArmor profile '%s'", profile) : 0;
}

int confine_tuning(const struct spec_tuning *tuning, struct error *err)
{
	int r;

	r = set_scheduler(tuning, err);
	if (r < 0)
		return r;
	if (tuning->has_io_priority &&
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, tuning->io_priority) < 0)
		return err_set(err, ERR_SYSTEM, errno, "process.ioPriority");
	if (tuning->has_personality && personality(tuning->personality) < 0)
		return err_set(err, ERR_SYSTEM, errno, "linux.personality");
	if (tuning->apparmor_profile && *tuning->apparmor_profile)
		return set_apparmor(tuning->apparmor_profile, err);
	return 0;
}
