/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/start_internal.h"
#include "sys/mount.h"

#define KEYCTL_JOIN_SESSION_KEYRING 1

/*
 * Opens a file of our own procfs for writing: no link, no other mount on the way (CVE-2025-52881),
 * and it must lie on procfs.
 */
static int open_proc_file(int proc_fd, const char *path)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	auto_close int fd = NO_FD;
	struct statfs fs;

	fd = (int)syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == PROC_SUPER_MAGIC ? TAKE_FD(fd) : -EXDEV;
}

static int write_sysctl(struct start *start, const char *setting, struct error *err)
{
	const char *equals = strchr(setting, '=');
	auto_free char *path = xasprintf("sys/%.*s", (int)(equals - setting), setting);
	auto_close int fd = NO_FD;
	int r;

	fd = open_proc_file(start->proc_fd, path);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, -fd, "sysctl '%s'", path + 4);
	r = fd_write_all(fd, equals + 1, strlen(equals + 1));
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "sysctl '%s' = '%s'", path + 4, equals + 1);
	return 0;
}

static int write_oom_score(struct start *start, struct error *err)
{
	auto_close int fd = NO_FD;
	char path[32], text[16];
	int r;

	/* In a user namespace the file is not ours: the parent has written it. */
	if (!start->spec.has_oom_score_adj || start->spec.namespaces[SPEC_NS_USER] != SPEC_NS_HOST)
		return 0;
	(void)snprintf(path, sizeof(path), "%d/oom_score_adj", (int)getpid());
	(void)snprintf(text, sizeof(text), "%d", start->spec.oom_score_adj);
	fd = open_proc_file(start->proc_fd, path);
	r = fd < 0 ? fd : fd_write_all(fd, text, strlen(text));
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "set the oom score to %s", text);
	return 0;
}

static int set_names(struct start *start, struct error *err)
{
	const struct spec *spec = &start->spec;

	if (spec->namespaces[SPEC_NS_UTS] != SPEC_NS_NEW)
		return 0;
	if (spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return err_set(err, ERR_SYSTEM, errno, "set hostname '%s'", spec->hostname);
	if (spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		return err_set(err, ERR_SYSTEM, errno, "set domain name '%s'", spec->domainname);
	return 0;
}

/* A bind of the terminal itself, by descriptor, on a file that we make in our own /dev. */
static int bind_console(struct start *start, struct error *err)
{
	auto_close int target_fd = NO_FD;
	auto_close int mount_fd = NO_FD;
	int r;

	if (start->terminal_fd < 0)
		return 0;
	target_fd = path_mkfile_in_root(start->root_fd, "/dev/console", 0600);
	if (target_fd < 0)
		return err_set(err, ERR_SYSTEM, -target_fd, "make /dev/console");
	mount_fd = mount_copy(start->terminal_fd, /* recursive= */ false);
	r = mount_fd < 0 ? mount_fd : mount_attach(mount_fd, target_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "put the terminal on /dev/console");
	return 0;
}

/* Of its own, so that keys of the session that started us are out of reach. */
static void leave_keyring(const char *id)
{
	auto_free char *name = xasprintf("_ses.%.32s", id);

	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) < 0)
		log_debug("runtime", "new session keyring: %s, ignoring", errno_text(errno));
}

/*
 * stage_system() - hostname, sysctls, console, keyring
 *
 * Where:    child, inside the container's root, in all of its namespaces.
 * Must:     write only to our own procfs, verified.
 * Needs:    SYNC_CONSOLE sent when there is a terminal.
 */
int stage_system(struct start *start, struct error *err)
{
	int r;

	r = set_names(start, err);
	if (r < 0)
		return r;
	r = bind_console(start, err);
	if (r < 0)
		return r;
	if (start->proc_fd < 0 && (start->spec.sysctls.count > 0 || start->spec.has_oom_score_adj))
		return err_set(err, ERR_INVALID, EINVAL,
			       "sysctls and the oom score need a procfs mounted on /proc");
	for (size_t i = 0; i < start->spec.sysctls.count; i++) {
		r = write_sysctl(start, start->spec.sysctls.items[i], err);
		if (r < 0)
			return r;
	}
	r = write_oom_score(start, err);
	if (r < 0)
		return r;
	if (!start->request->foreign || !start->request->foreign->keep_keyring)
		leave_keyring(start->request->id);
	return 0;
}
