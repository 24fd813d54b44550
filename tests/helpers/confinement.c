/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confinement - what a process finds of its confinement, as lines "AREA NAME<TAB>VALUE"
 *
 * For tests/compare-confinement, which runs it in a container of each engine. Areas: status, limit,
 * env, fd, mount, device, node (what opening a device node that one makes says), path (what can be done
 * with a file that engines hide), sysctl (files below /proc/sys and /sys that can be opened for
 * writing), keyring, cgroup, and call: the answer to every system call of this machine, with arguments
 * that are all ones, and to some calls with the arguments that matter.
 *
 * Static: it is bound into images that have nothing else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS 600         /* more than any architecture has */
#define PATIENCE_MS 20000 /* for a machine with much to do */
#define TREE_OPEN_DIRECTORIES 32

static const char *errno_text(int number)
{
	return number == 0 ? "ok" : strerrorname_np(number);
}

/* ---- files of text ---- */

static void print_lines(const char *area, const char *path, int skip, const char *wanted)
{
	char line[4096];
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		char name[32] = "";

		line[strcspn(line, "\n")] = '\0';
		if (skip-- > 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, ":"), line);
		if (!wanted)
			printf("%s %.25s\t%s\n", area, line, strlen(line) > 25 ? line + 25 : "");
		else if (strstr(wanted, name))
			printf("%s %s\t%s\n", area, name, line + strlen(name) + 1);
	}
	if (file)
		(void)fclose(file);
}

/* 36 35 98:0 /root /point options optional... - type source super */
static void print_mounts(void)
{
	char line[8192], point[512], options[256], type[64];
	FILE *file = fopen("/proc/self/mountinfo", "re");

	while (file && fgets(line, sizeof(line), file)) {
		const char *right = strstr(line, " - ");

		if (right && sscanf(line, "%*s %*s %*s %*s %511s %255s", point, options) == 2 &&
		    sscanf(right, " - %63s", type) == 1)
			printf("mount %s\t%s %s\n", point, type, options);
	}
	if (file)
		(void)fclose(file);
}

static void print_descriptors(void)
{
	char target[4096];

	for (int fd = 0; fd < 1024; fd++) {
		char path[64];
		ssize_t n;

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n >= 0)
			printf("fd %d\t%.*s\n", fd, (int)strcspn(target, ":["), target);
	}
}

/* ---- devices ---- */

static int print_device(const char *path, const struct stat *st, int kind, struct FTW *position)
{
	char target[256] = "";

	(void)kind;
	(void)position;
	if (S_ISLNK(st->st_mode))
		(void)!readlink(path, target, sizeof(target) - 1);
	if (S_ISLNK(st->st_mode))
		printf("device %s\t-> %s\n", path, target);
	else if (!S_ISDIR(st->st_mode))
		printf("device %s\t%u:%u %04o\n", path, major(st->st_rdev), minor(st->st_rdev),
		       st->st_mode & 07777);
	return 0;
}

static void print_node(const char *name, mode_t kind, unsigned int maj, unsigned int min)
{
	int fd, errnum = 0;

	if (mknod("/confinement-node", kind | 0600, makedev(maj, min)) < 0) {
		printf("node %s\tmknod: %s\n", name, errno_text(errno));
		return;
	}
	fd = open("/confinement-node", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		errnum = errno;
	else
		(void)close(fd);
	printf("node %s\topen: %s\n", name, errno_text(errnum));
	(void)unlink("/confinement-node");
}

/* ---- what is hidden ---- */

static void print_path(const char *path)
{
	char byte;
	struct stat st;
	const char *value = "readable";
	int fd;

	if (stat(path, &st) < 0) {
		printf("path %s\tabsent\n", path);
		return;
	}
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	/* Nothing is written; files of /proc that cannot be written say so even then. */
	if (fd >= 0 && !S_ISCHR(st.st_mode) && write(fd, "", 0) == 0) {
		value = "writable";
	} else if (S_ISCHR(st.st_mode)) {
		value = "hidden";
	} else if (S_ISDIR(st.st_mode)) {
		DIR *dir = opendir(path);
		int count = 0;

		while (dir && readdir(dir))
			count++;
		value = dir && count > 2 ? "readable" : "hidden";
		if (dir)
			(void)closedir(dir);
	} else {
		int in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		if (in < 0 || read(in, &byte, 1) == 0)
			value = "hidden";
		if (in >= 0)
			(void)close(in);
	}
	if (fd >= 0)
		(void)close(fd);
	printf("path %s\t%s\n", path, value);
}

static int print_writable(const char *path, const struct stat *st, int kind, struct FTW *position)
{
	int fd;

	(void)position;
	if (kind != FTW_F || !S_ISREG(st->st_mode) || !(st->st_mode & 0222))
		return 0;
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		printf("sysctl %s\twritable\n", path);
		(void)close(fd);
	}
	return 0;
}

/* ---- system calls ---- */

/* In a child that is killed when it does not come back; it may do to itself what it likes. */
static void print_call(const char *name, long number, const long args[6])
{
	int fds[2], errnum = -1;
	struct pollfd wait;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		pid_t self = getpid();
		int answer;

		(void)dup2(fds[1], 1000);
		(void)setsid();
		errno = 0;
		answer = syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]) < 0
				 ? errno
				 : 0;
		if (getpid() != self)
			_exit(0); /* a process more than there was */
		(void)!write(1000, &answer, sizeof(answer));
		_exit(0);
	}
	(void)close(fds[1]);
	wait = (struct pollfd){.fd = fds[0], .events = POLLIN};
	if (poll(&wait, 1, PATIENCE_MS) == 0)
		printf("call %s\twaits\n", name);
	else if (read(fds[0], &errnum, sizeof(errnum)) != sizeof(errnum))
		printf("call %s\tends the process\n", name);
	else
		printf("call %s\t%s\n", name, errno_text(errnum));
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	(void)close(fds[0]);
}

static void print_calls(void)
{
	static const long ones[6] = {-1, -1, -1, -1, -1, -1};
	static const struct {
		const char *name;
		long number;
		long args[6];
	} special[] = {
		{"clone(NEWUSER)", SYS_clone, {CLONE_NEWUSER | SIGCHLD}},
		{"clone(NEWNS)", SYS_clone, {CLONE_NEWNS | SIGCHLD}},
		{"unshare(NEWUSER)", SYS_unshare, {CLONE_NEWUSER}},
		{"unshare(NEWNS)", SYS_unshare, {CLONE_NEWNS}},
		{"unshare(FILES)", SYS_unshare, {CLONE_FILES}},
		{"personality(LINUX)", SYS_personality, {PER_LINUX}},
		{"personality(ADDR_NO_RANDOMIZE)", SYS_personality, {ADDR_NO_RANDOMIZE}},
		{"personality(LINUX32)", SYS_personality, {PER_LINUX32}},
		{"socket(VSOCK)", SYS_socket, {AF_VSOCK, SOCK_STREAM}},
		{"socket(ALG)", SYS_socket, {AF_ALG, SOCK_SEQPACKET}},
		{"socket(NETLINK,AUDIT)", SYS_socket, {AF_NETLINK, SOCK_RAW, 9}},
		{"socket(PACKET)", SYS_socket, {AF_PACKET, SOCK_RAW}},
		{"socket(INET,RAW)", SYS_socket, {AF_INET, SOCK_RAW, 1}},
		{"keyctl(GET_KEYRING_ID)",
		 SYS_keyctl,
		 {KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING}},
		{"ioctl(TIOCSTI)", SYS_ioctl, {0, TIOCSTI}},
		{"ptrace(TRACEME)", SYS_ptrace, {0}},
		{"chroot(/)", SYS_chroot, {(long)"/"}},
		{"mount(tmpfs)", SYS_mount, {(long)"none", (long)"/tmp", (long)"tmpfs"}},
		{"umount2(/proc)", SYS_umount2, {(long)"/proc", MNT_DETACH}},
		{"mount(remount,rw /proc/sys)",
		 SYS_mount,
		 {0, (long)"/proc/sys", 0, MS_REMOUNT | MS_BIND}},
	};

	for (int number = 0; number < CALLS; number++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

		/* One waits for all the machine's disks, the other for ever. */
		if (name && strcmp(name, "sync") != 0 && strcmp(name, "pause") != 0)
			print_call(name, number, ones);
		free(name);
	}
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		print_call(special[i].name, special[i].number, special[i].args);
}

int main(int argc, char **argv)
{
	/* What docker, podman and runc hide or make read-only, and some that nobody may write. */
	static const char *const paths[] = {
		"/proc/acpi",
		"/proc/asound",
		"/proc/interrupts",
		"/proc/kcore",
		"/proc/keys",
		"/proc/latency_stats",
		"/proc/sched_debug",
		"/proc/scsi",
		"/proc/timer_list",
		"/proc/timer_stats",
		"/sys/dev/block",
		"/sys/devices/virtual/powercap",
		"/sys/firmware",
		"/sys/fs/selinux",
		"/proc/bus",
		"/proc/fs",
		"/proc/irq",
		"/proc/sysrq-trigger",
		"/proc/sys/kernel/core_pattern",
		"/proc/kmsg",
		"/proc/kallsyms",
		"/proc/mtrr",
		"/sys/kernel/debug",
		"/sys/kernel/security",
		"/sys/kernel/uevent_helper",
		"/sys/module",
	};
	extern char **environ;

	(void)argc;
	(void)argv;
	print_lines("status", "/proc/self/status", 0,
		    "Uid Gid Groups CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp");
	print_lines("limit", "/proc/self/limits", 1, NULL);
	print_lines("cgroup", "/proc/self/cgroup", 0, NULL);
	print_mounts();
	print_descriptors();
	for (char **env = environ; *env; env++)
		printf("env %.*s\t%s\n", (int)strcspn(*env, "="), *env, *env + strcspn(*env, "="));
	(void)nftw("/dev", print_device, TREE_OPEN_DIRECTORIES, FTW_PHYS);
	print_node("null", S_IFCHR, 1, 3);
	print_node("mem", S_IFCHR, 1, 1);
	print_node("kmsg", S_IFCHR, 1, 11);
	print_node("fuse", S_IFCHR, 10, 229);
	print_node("tun", S_IFCHR, 10, 200);
	print_node("loop0", S_IFBLK, 7, 0);
	print_node("vda", S_IFBLK, 254, 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		print_path(paths[i]);
	(void)nftw("/proc/sys", print_writable, TREE_OPEN_DIRECTORIES, FTW_PHYS);
	(void)nftw("/sys", print_writable, TREE_OPEN_DIRECTORIES, FTW_PHYS);
	print_calls();
	return fflush(stdout) == 0 ? 0 : 1;
}
