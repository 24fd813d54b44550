/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "runtime/start_internal.h"

#define OWN_TIME "/proc/self/ns/time"
#define OFFSETS "/proc/self/timens_offsets"

static int write_offset(const char *clock_name, const struct spec_clock *clock, struct error *err)
{
	auto_free char *text = NULL;
	int r;

	if (!clock->is_set)
		return 0;
	text = xasprintf("%s %" PRId64 " %" PRIu32, clock_name, clock->seconds, clock->nanoseconds);
	r = fd_write_file_at(AT_FDCWD, OFFSETS, text);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "set clock offset '%s'", text) : 0;
}

/* The offsets can be set until somebody is in it, and we are not: only our children will be. */
int start_enter_time(const struct start *start, int *ret_own_fd, struct error *err)
{
	const struct spec *spec = &start->spec;
	auto_close int own_fd = open(OWN_TIME, O_RDONLY | O_CLOEXEC);
	int r;

	if (own_fd < 0)
		return err_set(err, ERR_UNAVAILABLE, errno, "this kernel has no time namespaces");
	if (spec->namespaces[SPEC_NS_TIME] == SPEC_NS_JOIN) {
		if (setns(start->namespace_fds[SPEC_NS_TIME], CLONE_NEWTIME) < 0)
			return err_set(err, ERR_SYSTEM, errno, "join the time namespace");
	} else {
		if (unshare(CLONE_NEWTIME) < 0)
			return err_set(err, ERR_SYSTEM, errno, "make the time namespace");
		r = write_offset("monotonic", &spec->monotonic, err);
		if (r == 0)
			r = write_offset("boottime", &spec->boottime, err);
		if (r < 0)
			return r;
	}
	*ret_own_fd = TAKE_FD(own_fd);
	return 0;
}

int start_leave_time(int own_fd, struct error *err)
{
	if (setns(own_fd, CLONE_NEWTIME) < 0)
		return err_set(err, ERR_SYSTEM, errno, "return to our own time namespace");
	return 0;
}
