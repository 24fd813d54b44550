/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/confine.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "registry/syscall_filter.h"
#include "sys/mount.h"

#define NOBODY 65534
#define MAX_FDS 256
#define MAX_ADDRESS_SPACE ((rlim_t)1 << 30)

/* A table that blocks advertisements may be long; nothing sensible is longer than this. */
#define HOST_FILE_MAX ((size_t)8 << 20)

static const char *const host_files[] = {"etc/hosts", "etc/resolv.conf"};

static int failed(struct error *err, const char *what, int errnum)
{
	return err_set(err, ERR_SYSTEM, errnum, "confine: %s", what);
}

/* ---- the new root ---- */

/* Missing ones are missing inside too. */
static int copy_host_file(int root_fd, const char *name, struct error *err)
{
	auto_free char *path = xasprintf("/%s", name);
	auto_close int from_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	auto_close int to_fd = NO_FD;
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (from_fd < 0 || fd_read_text(from_fd, HOST_FILE_MAX, &text, &len) < 0)
		return 0;
	to_fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	r = to_fd < 0 ? -errno : fd_write_all(to_fd, text, len);
	return r < 0 ? failed(err, "copy a file", -r) : 0;
}

static int fill_root(int root_fd, struct error *err)
{
	int r = 0;

	if (mkdirat(root_fd, "etc", 0755) < 0)
		return failed(err, "make a directory", errno);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(host_files); i++)
		r = copy_host_file(root_fd, host_files[i], err);
	return r;
}

static int change_root(struct error *err)
{
	static const struct mount_option options[] = {{"size", "32m"}, {"mode", "0755"}};
	const unsigned int attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	auto_close int mount_fd = NO_FD, target_fd = NO_FD;
	int r;

	mount_fd = mount_new("tmpfs", options, ARRAY_SIZE(options), attributes);
	if (mount_fd < 0)
		return failed(err, "make a root", -mount_fd);
	r = fill_root(mount_fd, err);
	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return failed(err, "new namespaces", errno);
	target_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target_fd < 0)
		return failed(err, "open the host's root", errno);
	r = mount_change(target_fd, 0, 0, MS_PRIVATE, /* recursive= */ true);
	if (r >= 0)
		r = mount_attach(mount_fd, target_fd);
	if (r >= 0)
		r = mount_pivot(mount_fd);
	if (r >= 0)
		r = mount_change(mount_fd, MOUNT_ATTR_RDONLY, 0, 0, /* recursive= */ false);
	return r < 0 ? failed(err, "change the root", -r) : 0;
}

/* ---- privileges ---- */

static int drop_capabilities(struct error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return failed(err, "clear ambient capabilities", errno);
	if (syscall(SYS_capset, &header, none) < 0)
		return failed(err, "drop capabilities", errno);
	return 0;
}

static int drop_bounding_set(struct error *err)
{
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				break; /* the end */
			return failed(err, "drop a capability", errno);
		}
	return 0;
}

static int set_limit(int resource, rlim_t value)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	return setrlimit((__rlimit_resource_t)resource, &limit);
}

/* The bounding set while CAP_SETPCAP is there, then groups, group, user, then the rest. */
static int drop_privileges(struct error *err)
{
	if (set_limit(RLIMIT_CORE, 0) < 0 || set_limit(RLIMIT_NOFILE, MAX_FDS) < 0)
		return failed(err, "limits", errno);
	if (!syscall_filter_is_off() && set_limit(RLIMIT_AS, MAX_ADDRESS_SPACE) < 0)
		return failed(err, "limits", errno);
	if (drop_bounding_set(err) < 0)
		return err_result(err);
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return failed(err, "become nobody", errno);
	if (drop_capabilities(err) < 0)
		return err_result(err);
	/* Changing the user has cleared the first of these. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failed(err, "process attributes", errno);
	return 0;
}

int confine_enter(struct error *err)
{
	if (change_root(err) < 0)
		return err_result(err);
	return drop_privileges(err);
}

/* ---- does it hold? ---- */

/* Each of these must be as it is said in the header; one that is not is our mistake. */
static const char *find_hole(void)
{
	static const char *const absent[] = {"/etc/passwd", "/proc/self", "/dev", "/usr", "/root"};

	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		if (access(absent[i], F_OK) == 0 || errno != ENOENT)
			return "the host's files are there";
	if (open("/made", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0)
		return "files can be made";
	if (geteuid() != NOBODY || setresuid(0, 0, 0) == 0)
		return "it is still root";
	if (chroot("/") == 0 || errno != EPERM)
		return "chroot(2) is possible";
	return NULL;
}

int confine_seal(struct error *err)
{
	const char *hole = find_hole();
	int r;

	if (hole)
		return err_set(err, ERR_INTERNAL, 0, "confine: %s", hole);
	r = syscall_filter_install();
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "confine: system call filter");
	if (!syscall_filter_is_off() && (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM))
		return err_set(err, ERR_INTERNAL, 0, "confine: local sockets are possible");
	return 0;
}
