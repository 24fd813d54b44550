/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/mount.h"
#include "sys/user_namespace.h"
#include "unpack/syscall_filter.h"

#define OPAQUE_XATTR "trusted.overlay.opaque"

/* What writing a tree of files with any owner, mode and attribute needs. */
#define WORKER_CAPS                                                                                \
	(1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER | 1U << CAP_FSETID |          \
	 1U << CAP_MKNOD | 1U << CAP_SETFCAP)
#define WARDEN_CAPS (1U << CAP_SYS_ADMIN)

/* Address space: the rings, the largest windows of zstd and xz, and a good deal of slack. */
#define MAX_ADDRESS_SPACE ((rlim_t)512 << 20)
#define MAX_FDS 1024

static int failed(struct error *err, const char *what, int errnum)
{
	return err_set(err, ERR_SYSTEM, errnum, "confine: %s", what);
}

static int restrict_mounts(int mount_fd, const struct confine_request *request, struct error *err)
{
	uint64_t attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC |
			      (request->read_only ? MOUNT_ATTR_RDONLY : 0);
	int r = mount_change(mount_fd, attributes, 0, 0, /* recursive= */ true);

	return r < 0 ? failed(err, "forbid devices", -r) : 0;
}

static int attach_root(int mount_fd, int target_fd, const struct confine_request *request,
		       struct error *err)
{
	int r;

	r = mount_change(target_fd, 0, 0, MS_PRIVATE, /* recursive= */ true);
	if (r < 0)
		return failed(err, "make mounts private", -r);
	if (restrict_mounts(mount_fd, request, err) < 0)
		return err_result(err);
	r = mount_attach(mount_fd, target_fd);
	if (r < 0)
		return failed(err, "mount the directory", -r);
	r = mount_pivot(mount_fd);
	return r < 0 ? failed(err, "change the root", -r) : 0;
}

/*
 * A detached copy of the directory's mount is put on top of "/" and becomes the root; the host's tree
 * is then what is stacked on it, and is detached. The copy is made before unshare(2): open_tree(2)
 * wants its source in the caller's namespace.
 */
static int change_root(const struct confine_request *request, struct error *err)
{
	auto_close int mount_fd = NO_FD;
	auto_close int target_fd = NO_FD;

	mount_fd = mount_copy(request->root_fd, request->recursive);
	if (mount_fd < 0)
		return failed(err, "copy the directory's mount", -mount_fd);
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return failed(err, "new namespaces", errno);
	target_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target_fd < 0)
		return failed(err, "open the host's root", errno);
	return attach_root(mount_fd, target_fd, request, err);
}

/* The user namespace that a mount namespace belongs to; NO_FD when it is ours. */
static int open_owner(int mount_ns_fd, int *ret_fd, struct error *err)
{
	auto_close int fd = ioctl(mount_ns_fd, NS_GET_USERNS);
	struct stat theirs, ours;

	if (fd < 0 || fstat(fd, &theirs) < 0 || stat("/proc/self/ns/user", &ours) < 0)
		return failed(err, "look at the container's user namespace", errno);
	*ret_fd = theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev ? NO_FD
									       : TAKE_FD(fd);
	return 0;
}

/* Files there have the container's owners, and what we make belongs to its root. */
static int change_user(int user_ns_fd, struct error *err)
{
	int r;

	if (user_ns_fd < 0)
		return 0;
	if (setns(user_ns_fd, CLONE_NEWUSER) < 0)
		return failed(err, "enter the container's user namespace", errno);
	r = user_namespace_become_root();
	return r < 0 ? failed(err, "become root of the user namespace", -r) : 0;
}

/* setns(2) makes that namespace's root our root and our working directory. */
static int change_namespace(const struct confine_request *request, struct error *err)
{
	auto_close int root_fd = NO_FD;
	auto_close int user_ns_fd = NO_FD;
	int r;

	r = open_owner(request->root_fd, &user_ns_fd, err);
	if (r < 0)
		return r;
	if (setns(request->root_fd, CLONE_NEWNS) < 0)
		return failed(err, "enter the container's mounts", errno);
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return failed(err, "new namespaces", errno);
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return failed(err, "open the container's root", errno);
	r = mount_change(root_fd, 0, 0, MS_PRIVATE, /* recursive= */ true);
	if (r < 0)
		return failed(err, "make mounts private", -r);
	r = restrict_mounts(root_fd, request, err);
	return r < 0 ? r : change_user(user_ns_fd, err);
}

static bool is_namespace(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

static int set_caps(uint32_t caps, struct error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{.effective = caps, .permitted = caps}};

	/* The bounding set shrinks while CAP_SETPCAP is still there; the end is EINVAL. */
	for (unsigned long cap = 0; cap < 64; cap++)
		if (!(cap < 32 && caps & 1U << cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				break;
			return failed(err, "drop a capability", errno);
		}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return failed(err, "clear ambient capabilities", errno);
	if (syscall(SYS_capset, &header, data) < 0)
		return failed(err, "set capabilities", errno);
	return 0;
}

static int set_limit(int resource, rlim_t value)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	return setrlimit((__rlimit_resource_t)resource, &limit);
}

static int harden(uint32_t caps, struct error *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return failed(err, "process attributes", errno);
	if (set_limit(RLIMIT_CORE, 0) < 0 || set_limit(RLIMIT_NOFILE, MAX_FDS) < 0)
		return failed(err, "limits", errno);
	if (!syscall_filter_is_off() && set_limit(RLIMIT_AS, MAX_ADDRESS_SPACE) < 0)
		return failed(err, "limits", errno);
	if (set_caps(caps, err) < 0)
		return err_result(err);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failed(err, "no new privileges", errno);
	return 0;
}

/* What the warden is asked, in one byte beside a directory's descriptor. */
enum warden_question {
	WARDEN_MARK = 'm',
	WARDEN_LOOK = 'l',
};

/* The answer is what confine_mark_opaque() or confine_is_opaque() returns. */
static bool serve_question(int sock)
{
	auto_close int dir_fd = NO_FD;
	size_t nfds = 0;
	int result = -EINVAL;
	char question, value;
	ssize_t len;

	if (fd_recv(sock, &question, 1, &dir_fd, 1, &nfds) != 1 || nfds != 1)
		return false;
	if (question == WARDEN_MARK) {
		result = fsetxattr(dir_fd, OPAQUE_XATTR, "y", 1, 0) < 0 ? -errno : 0;
	} else if (question == WARDEN_LOOK) {
		len = fgetxattr(dir_fd, OPAQUE_XATTR, &value, 1);
		result = len == 1 && value == 'y';
		if (len < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != ERANGE)
			result = -errno;
	}
	return fd_send(sock, &result, sizeof(result), NULL, 0) == sizeof(result);
}

/*
 * stage_warden() - mark directories until the worker is gone
 *
 * Where:    a child of the worker, in the new root.
 * Needs:    `sock`, our end of the worker's socket.
 * Must not: look at anything that the worker says but descriptors; keep any other descriptor.
 * Leaves:   nothing.
 */
static _Noreturn void stage_warden(int sock)
{
	auto_(error_release) struct error err = {0};

	(void)prctl(PR_SET_NAME, "unpack-warden");
	/* If this fails the socket is closed, and the worker is told when it asks for a mark. */
	if (dup2(sock, 0) != 0 || close_range(1, ~0U, 0) < 0 || harden(WARDEN_CAPS, &err) < 0 ||
	    syscall_filter_install(SYSCALLS_OF_WARDEN) < 0)
		_exit(1);
	while (serve_question(0))
		;
	_exit(0);
}

static int start_warden(struct confinement *c, struct error *err)
{
	int socks[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return failed(err, "socket", errno);
	pid = fork();
	if (pid == 0)
		stage_warden(socks[0]);
	(void)close(socks[0]);
	c->warden_fd = socks[1];
	c->warden_pid = pid;
	return pid < 0 ? failed(err, "fork", errno) : 0;
}

void confine_leave(struct confinement *c)
{
	cleanup_close_fd(&c->warden_fd);
	cleanup_close_fd(&c->root_fd);
	if (c->warden_pid > 0)
		(void)waitpid(c->warden_pid, NULL, 0);
	c->warden_pid = 0;
}

int confine_enter(const struct confine_request *request, struct confinement *ret, struct error *err)
{
	struct confinement c = {.root_fd = NO_FD, .warden_fd = NO_FD};
	int r;

	c.in_container = is_namespace(request->root_fd);
	r = c.in_container ? change_namespace(request, err) : change_root(request, err);
	if (r < 0)
		return r;
	(void)close(request->root_fd);
	if (request->warden && start_warden(&c, err) < 0)
		return err_result(err);
	c.root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.root_fd < 0)
		return failed(err, "open the new root", errno);
	if (harden(WORKER_CAPS, err) < 0)
		return err_result(err);
	(void)umask(0);
	*ret = c;
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Each of these must be as it is said in the header; one that is not is our mistake. */
static const char *find_hole(const struct confinement *c)
{
	struct stat root, slash, above;
	struct statvfs fs;

	if (fstat(c->root_fd, &root) < 0 || stat("/", &slash) < 0 || stat("/..", &above) < 0 ||
	    !same_file(&root, &slash) || !same_file(&root, &above))
		return "the root is not the directory";
	if (fstatvfs(c->root_fd, &fs) < 0 || !(fs.f_flag & ST_NODEV) || !(fs.f_flag & ST_NOSUID) ||
	    !(fs.f_flag & ST_NOEXEC))
		return "devices can be opened";
	if (!c->in_container && access("/proc/self", F_OK) == 0)
		return "there is a /proc";
	if (syscall(SYS_mount, NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0 || errno != EPERM)
		return "mount(2) is possible";
	if (chroot(".") == 0 || errno != EPERM)
		return "chroot(2) is possible";
	return NULL;
}

int confine_seal(const struct confinement *c, struct error *err)
{
	const char *hole = find_hole(c);
	int r;

	if (hole)
		return err_set(err, ERR_INTERNAL, 0, "confine: %s", hole);
	r = syscall_filter_install(SYSCALLS_OF_WORKER);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "confine: system call filter");
	if (!syscall_filter_is_off() && (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM))
		return err_set(err, ERR_INTERNAL, 0, "confine: socket(2) is possible");
	return 0;
}

static int ask_warden(const struct confinement *c, enum warden_question question, int dir_fd)
{
	char byte = (char)question;
	int result;

	if (c->warden_fd < 0)
		return -EOPNOTSUPP;
	if (fd_send(c->warden_fd, &byte, 1, &dir_fd, 1) != 1)
		return -EPIPE;
	if (fd_recv(c->warden_fd, &result, sizeof(result), NULL, 0, NULL) != sizeof(result))
		return -EPIPE;
	return result;
}

int confine_mark_opaque(const struct confinement *c, int dir_fd)
{
	return ask_warden(c, WARDEN_MARK, dir_fd);
}

int confine_is_opaque(const struct confinement *c, int dir_fd)
{
	return ask_warden(c, WARDEN_LOOK, dir_fd);
}
