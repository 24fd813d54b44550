/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_child.c - from clone to exec: the container's side of the floor
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- mounts ---- */

/* A new filesystem, detached. `pairs` is key, value, key, value, NULL; a NULL value is a flag. */
static int new_mount(const char *type, const char *const *pairs, unsigned int attributes)
{
	int fs_fd = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (fs_fd < 0)
		floor_die(type);
	for (; pairs && *pairs; pairs += 2)
		if (fsconfig(fs_fd, pairs[1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, pairs[0],
			     pairs[1], 0) < 0)
			floor_die(pairs[0]);
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		floor_die(type);
	fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, attributes);
	if (fd < 0)
		floor_die(type);
	close(fs_fd);
	return fd;
}

static void attach(int mount_fd, int dir_fd, const char *path)
{
	if (move_mount(mount_fd, "", dir_fd, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		floor_die(path);
}

static void mount_at(const char *type, const char *const *pairs, unsigned int attributes,
		     int dir_fd, const char *path)
{
	int fd = new_mount(type, pairs, attributes);

	attach(fd, dir_fd, path);
	close(fd);
}

/* Binds source on target, optionally read-only. Returns false when the source is not there. */
static bool bind_at(int source_fd, const char *source, int dir_fd, const char *target,
		    bool read_only)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	int fd = open_tree(source_fd, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd < 0)
		floor_die(source);
	if (read_only && mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		floor_die(source);
	attach(fd, dir_fd, target);
	close(fd);
	return true;
}

#define NOEXEC_NOSUID (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)
#define NOTHING_ALLOWED (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV)

int floor_overlay(const struct floor_options *options, const char *box)
{
	char upper[512], work[512];
	const char *pairs[] = {"lowerdir", options->layer, "upperdir", upper, "workdir",
			       work,       "volatile",     NULL,       NULL};

	(void)snprintf(upper, sizeof(upper), "%s/upper", box);
	(void)snprintf(work, sizeof(work), "%s/work", box);
	if (options->no_volatile)
		pairs[6] = NULL;
	return new_mount("overlay", pairs, 0);
}

/* The parent makes the overlay while we make our namespaces, the dearest single step of ours. */
static int stage_overlay(const struct floor_child *child)
{
	char place[512];
	int fd = floor_receive(child->told_fd);

	/* Any directory will do: pivot_root() leaves it behind. */
	(void)snprintf(place, sizeof(place), "%s/upper", child->box);
	attach(fd, AT_FDCWD, place);
	return fd;
}

static void stage_namespaces(const struct floor_child *child)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | (child->options->no_net ? 0 : CLONE_NEWNET)) < 0)
		floor_die("unshare");
	if (child->options->no_net)
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		floor_die("lo");
	close(fd);
}

static void stage_dev(int root_fd)
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} nodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
		     {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
	static const char *const links[][2] = {
		{"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
		{"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
		{"/proc/kcore", "core"},       {"pts/ptmx", "ptmx"},
	};
	static const char *const directories[] = {"pts", "shm", "mqueue"};
	const char *dev[] = {"mode", "755", "size", "65536k", NULL};
	const char *pts[] = {"newinstance", NULL,  "ptmxmode", "0666", "mode",
			     "0620",        "gid", "5",        NULL};
	const char *shm[] = {"mode", "1777", "size", "65536k", NULL};
	int fd = new_mount("tmpfs", dev, MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);

	umask(0);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (mknodat(fd, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)) < 0)
			floor_die("mknod");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlinkat(links[i][0], fd, links[i][1]) < 0)
			floor_die("symlink");
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (mkdirat(fd, directories[i], 0755) < 0)
			floor_die("mkdir");
	attach(fd, root_fd, "dev");
	mount_at("devpts", pts, NOEXEC_NOSUID, fd, "pts");
	mount_at("tmpfs", shm, NOTHING_ALLOWED, fd, "shm");
	mount_at("mqueue", NULL, NOTHING_ALLOWED, fd, "mqueue");
	close(fd);
}

static void stage_binds(const struct floor_child *child, int root_fd)
{
	static const char *const files[] = {"resolv.conf", "hostname", "hosts"};
	char source[512], target[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(source, sizeof(source), "%s/%s", child->box, files[i]);
		(void)snprintf(target, sizeof(target), "etc/%s", files[i]);
		if (!bind_at(AT_FDCWD, source, root_fd, target, false))
			floor_die(source);
	}
}

/* Files get /dev/null over them, directories one empty read-only tmpfs. */
static void stage_masks(int root_fd)
{
	static const char *const masked[] = {
		"proc/acpi",        "proc/asound",  "proc/interrupts",
		"proc/kcore",       "proc/keys",    "proc/latency_stats",
		"proc/sched_debug", "proc/scsi",    "proc/timer_list",
		"proc/timer_stats", "sys/firmware", "sys/devices/virtual/powercap",
	};
	static const char *const read_only[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
						"proc/sysrq-trigger"};
	const char *empty[] = {"mode", "0755", "size", "0", NULL};
	int empty_fd = -1;
	struct stat st;

	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++) {
		if (fstatat(root_fd, masked[i], &st, 0) < 0)
			continue;
		if (!S_ISDIR(st.st_mode)) {
			(void)bind_at(root_fd, "dev/null", root_fd, masked[i], false);
		} else if (empty_fd < 0) {
			empty_fd = new_mount("tmpfs", empty, MOUNT_ATTR_RDONLY);
			attach(empty_fd, root_fd, masked[i]);
		} else {
			(void)bind_at(empty_fd, "", root_fd, masked[i], false);
		}
	}
	close(empty_fd);
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		(void)bind_at(root_fd, read_only[i], root_fd, read_only[i], true);
}

static void mount_fresh_hierarchy(const struct floor_hierarchy *h, int dir_fd)
{
	const char *pairs[16] = {NULL};
	char data[128];
	char *rest = data, *item;
	size_t n = 0;

	(void)snprintf(data, sizeof(data), "%s", h->is_v2 ? "" : h->fs_data);
	while (n + 2 < 16 && (item = strsep(&rest, ",")) && *item) {
		char *value = strchr(item, '=');

		if (value)
			*value++ = '\0';
		pairs[n++] = item;
		pairs[n++] = value;
	}
	mount_at(h->is_v2 ? "cgroup2" : "cgroup", pairs, NOTHING_ALLOWED | MOUNT_ATTR_RDONLY,
		 dir_fd, h->name);
}

/* By path: a descriptor from the parent belongs to another mount namespace and cannot be cloned. */
static void bind_hierarchy(const struct floor_hierarchy *h, const char *group, int dir_fd)
{
	char source[256];

	(void)snprintf(source, sizeof(source), "%s/%s", h->path, group);
	if (!bind_at(AT_FDCWD, source, dir_fd, h->name, true))
		floor_die(source);
}

/* What the container sees at /sys/fs/cgroup: its own group as the root of each hierarchy. */
static void stage_cgroup_view(const struct floor_child *child, int root_fd)
{
	const char *view[] = {"mode", "755", NULL};
	const struct floor_cgroups *cgroups = child->cgroups;
	bool fresh = child->options->view == FLOOR_VIEW_MOUNT;
	int fd;

	if (cgroups->count == 1 && cgroups->item[0].is_v2) {
		mount_at("cgroup2", NULL, NOTHING_ALLOWED | MOUNT_ATTR_RDONLY, root_fd,
			 "sys/fs/cgroup");
		return;
	}
	fd = new_mount("tmpfs", view, NOTHING_ALLOWED);
	attach(fd, root_fd, "sys/fs/cgroup");
	for (size_t i = 0; i < cgroups->count; i++) {
		const struct floor_hierarchy *h = &cgroups->item[i];

		if (mkdirat(fd, h->name, 0755) < 0)
			floor_die(h->name);
		if (fresh)
			mount_fresh_hierarchy(h, fd);
		else
			bind_hierarchy(h, cgroups->group, fd);
	}
	close(fd);
}

static void stage_pivot(int root_fd)
{
	if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		floor_die("pivot_root");
}

/* ---- privileges ---- */

static void stage_capabilities(void)
{
	static const uint32_t kept = 1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FSETID |
				     1U << CAP_FOWNER | 1U << CAP_MKNOD | 1U << CAP_NET_RAW |
				     1U << CAP_SETGID | 1U << CAP_SETUID | 1U << CAP_SETFCAP |
				     1U << CAP_SETPCAP | 1U << CAP_NET_BIND_SERVICE |
				     1U << CAP_SYS_CHROOT | 1U << CAP_KILL | 1U << CAP_AUDIT_WRITE;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{.effective = kept, .permitted = kept}};

	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap >= 32 || !(kept & 1U << cap))
			if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
				floor_die("bounding set");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, data) < 0)
		floor_die("capset");
}

/* ---- seccomp ---- */

/* x86-64 numbers that docker's profile refuses without capabilities; the rest is allowed. */
static const unsigned int refused[] = {
	101, 103, 134, 135, 136, 139, 153, 154, 155, 156, 159, 161, 163, 164, 165, 166,
	167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 181, 182,
	183, 184, 185, 205, 211, 212, 214, 215, 227, 236, 237, 238, 239, 246, 248, 249,
	250, 256, 272, 278, 279, 298, 300, 301, 303, 304, 305, 308, 310, 311, 312, 313,
	320, 321, 323, 336, 425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 443,
};
#define LAST_NUMBER 462
#define RANGES_MAX 256

static struct sock_filter filter[1024];
static unsigned short filter_length;

static void emit(uint16_t code, uint32_t k, size_t jump_true, size_t jump_false)
{
	filter[filter_length++] = (struct sock_filter){
		.code = code, .k = k, .jt = (uint8_t)jump_true, .jf = (uint8_t)jump_false};
}

static bool is_allowed(unsigned int number)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (refused[i] == number)
			return false;
	return number < LAST_NUMBER && (number < 335 || number >= 424);
}

static void emit_verdict(bool allowed)
{
	emit(BPF_RET | BPF_K, allowed ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM, 0, 0);
}

/* starts[i] begins a run of numbers with one verdict; halves until one run is left. */
static void emit_tree(const unsigned int *starts, size_t count)
{
	size_t half = count / 2, at;

	if (count == 1) {
		emit_verdict(is_allowed(starts[0]));
		return;
	}
	/* The far side may lie beyond what an 8-bit jump reaches, so jump over a long jump. */
	at = filter_length;
	emit(BPF_JMP | BPF_JGE | BPF_K, starts[half], 0, 1);
	emit(BPF_JMP | BPF_JA, 0, 0, 0);
	emit_tree(starts, half);
	filter[at + 1].k = (uint32_t)(filter_length - at - 2);
	emit_tree(starts + half, count - half);
}

void floor_seccomp_build(enum floor_seccomp kind)
{
	unsigned int starts[RANGES_MAX] = {0};
	size_t count = 1;

	filter_length = 0;
	emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	emit(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	if (kind == FLOOR_SECCOMP_LINEAR) {
		for (unsigned int n = 0; n < LAST_NUMBER; n++)
			if (is_allowed(n)) {
				emit(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1);
				emit_verdict(true);
			}
		emit_verdict(false);
		return;
	}
	for (unsigned int n = 1; n <= LAST_NUMBER; n++)
		if (is_allowed(n) != is_allowed(n - 1))
			starts[count++] = n;
	emit_tree(starts, count);
}

static void stage_seccomp(void)
{
	struct sock_fprog program = {.len = filter_length, .filter = filter};

	/* No no_new_privs, as docker's default: loads while CAP_SYS_ADMIN is still there. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		floor_die("seccomp");
}

/* ---- all of it ---- */

static void wait_until_told(const struct floor_child *child)
{
	char byte;

	if (read(child->told_fd, &byte, 1) != 1)
		floor_die("parent");
	floor_mark(child->times, POINT_CHILD_TOLD);
}

static void stage_root(const struct floor_child *child)
{
	const struct floor_options *options = child->options;
	struct floor_times *times = child->times;
	int root_fd;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		floor_die("propagation");
	floor_mark(times, POINT_CHILD_PRIVATE);
	stage_namespaces(child);
	floor_mark(times, POINT_CHILD_NETWORK);
	root_fd = stage_overlay(child);
	floor_mark(times, POINT_CHILD_ROOT);
	mount_at("proc", NULL, NOTHING_ALLOWED, root_fd, "proc");
	floor_mark(times, POINT_CHILD_PROC);
	stage_dev(root_fd);
	floor_mark(times, POINT_CHILD_DEV);
	mount_at("sysfs", NULL, NOTHING_ALLOWED | MOUNT_ATTR_RDONLY, root_fd, "sys");
	floor_mark(times, POINT_CHILD_SYS);
	stage_binds(child, root_fd);
	floor_mark(times, POINT_CHILD_BINDS);
	if (!options->no_masks)
		stage_masks(root_fd);
	floor_mark(times, POINT_CHILD_MASKS);

	wait_until_told(child);
	if (!options->no_cgroup && options->attach == FLOOR_ATTACH_SELF)
		floor_cgroups_attach(child->cgroups, "tasks", 0);
	floor_mark(times, POINT_CHILD_JOINED);
	if (!options->no_cgroup && unshare(CLONE_NEWCGROUP) < 0)
		floor_die("unshare");
	if (!options->no_cgroup && options->view != FLOOR_VIEW_NONE)
		stage_cgroup_view(child, root_fd);
	floor_mark(times, POINT_CHILD_VIEW);
	stage_pivot(root_fd);
	floor_mark(times, POINT_CHILD_PIVOT);
}

_Noreturn void floor_child_run(const struct floor_child *child)
{
	char *const argv[] = {(char *)child->options->command, NULL};
	char *const environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};
	struct floor_times *times = child->times;

	floor_mark(times, POINT_CHILD_START);
	stage_root(child);
	if (sethostname("0123456789ab", 12) < 0)
		floor_die("sethostname");
	floor_mark(times, POINT_CHILD_NAME);
	if (child->options->seccomp != FLOOR_SECCOMP_NONE)
		stage_seccomp();
	floor_mark(times, POINT_CHILD_SECCOMP);
	stage_capabilities();
	floor_mark(times, POINT_CHILD_CAPS);
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		floor_die("close_range");
	execve(argv[0], argv, environment);
	floor_die(argv[0]);
}
