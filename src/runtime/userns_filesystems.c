/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "runtime/userns.h"
#include "sys/process.h"

/*
 * stage_proc() - a procfs of a pid namespace that is not the container's own
 *
 * Where:    a child of the monitor, in that namespace, all else the host's.
 * Leaves:   SYNC_ROOT sent, with the mount.
 */
static _Noreturn void stage_proc(const struct spec_mount *mount, int sock)
{
	auto_(error_release) struct error err = {0};
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	fd = mount_filesystem(mount, (unsigned int)mount->attr_set, &err);
	if (fd < 0)
		sync_fail(sock, &err);
	else
		(void)sync_send(sock, SYNC_ROOT, fd);
	_exit(0);
}

static int make_proc(const struct spec_mount *mount, struct error *err)
{
	auto_close int ours = NO_FD, theirs = NO_FD, pidfd = NO_FD;
	int socks[2], fd = NO_FD, r;
	pid_t pid;

	r = sync_pair(socks);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	ours = socks[0];
	theirs = socks[1];
	pid = process_clone(0, NO_FD, &pidfd);
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, -pid, "clone");
	if (pid == 0)
		stage_proc(mount, theirs);
	cleanup_close_fd(&theirs);
	r = sync_expect(ours, SYNC_ROOT, &fd, err);
	(void)process_reap(pidfd);
	return r < 0 ? r : fd;
}

static int make_dev(struct start *start, const struct spec_mount *mount, struct error *err)
{
	auto_close int fd = mount_filesystem(mount, (unsigned int)mount->attr_set, err);
	int r = fd < 0 ? fd : devices_make(start, fd, err);

	return r < 0 ? r : TAKE_FD(fd);
}

/* NO_FD: the child makes it. */
static int make_one(struct start *start, const struct spec_mount *mount, struct error *err)
{
	const enum spec_namespace_mode *modes = start->spec.namespaces;

	if (strcmp(mount->destination, "/dev") == 0)
		return make_dev(start, mount, err);
	if (strcmp(mount->type, "sysfs") == 0 && modes[SPEC_NS_NETWORK] != SPEC_NS_NEW)
		return mount_filesystem(mount, (unsigned int)mount->attr_set, err);
	if (strcmp(mount->type, "mqueue") == 0 && modes[SPEC_NS_IPC] != SPEC_NS_NEW)
		return mount_filesystem(mount, (unsigned int)mount->attr_set, err);
	if (strcmp(mount->type, "proc") == 0 && modes[SPEC_NS_PID] != SPEC_NS_NEW)
		return make_proc(mount, err);
	return NO_FD;
}

int userns_make_filesystems(struct start *start, struct error *err)
{
	for (size_t i = 0; i < start->spec.mount_count; i++) {
		const struct spec_mount *mount = &start->spec.mounts[i];
		int fd;

		if (mount->bind)
			continue;
		fd = make_one(start, mount, err);
		if (fd < 0 && fd != NO_FD)
			return fd;
		start->sources[i].mount_fd = fd;
		start->sources[i].is_dir = true;
	}
	return 0;
}
